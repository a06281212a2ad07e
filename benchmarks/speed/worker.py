"""One contender in a process of its own, that says on demand how long its answers take.

    python worker.py NAME PHOTOGRAPH FILE [--export]

It answers once, prints ``ready``, and from then on each line on standard input is a turn: it runs
for that many seconds and prints the seconds of each answer as JSON. At the end of the input it
prints its peak memory in megabytes.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from pathlib import Path

from contenders import CONTENDERS, THREADS, Call

MOST_PER_TURN = 20


def turn(call: Call, seconds: float) -> list[float]:
    """Return the seconds of each answer: the first warms the caches up where time allows."""
    taken: list[float] = []
    begun = time.perf_counter()
    while True:
        started = time.perf_counter()
        call()
        now = time.perf_counter()
        taken.append(now - started)
        if now - begun >= seconds or len(taken) > MOST_PER_TURN:
            return taken[1:] or taken


def peak_mb() -> float:
    """Return this process's own peak memory; ``ru_maxrss`` would hold its parent's too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return float(line.split()[1]) / 1024


def main() -> None:
    """Serve one contender."""
    name, photograph, file, *export = sys.argv[1:]
    contender = CONTENDERS[name]
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    answers = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):  # whatever libraries print is no answer
        if export:
            assert contender.export is not None
            contender.export(Path(file))
            return
        call = contender.load(Path(photograph), Path(file))
        call()
        print("ready", file=answers, flush=True)
        for line in sys.stdin:
            print(json.dumps(turn(call, float(line))), file=answers, flush=True)
        print(peak_mb(), file=answers, flush=True)


if __name__ == "__main__":
    main()
