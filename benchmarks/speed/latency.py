"""Latency side by side: every contender in its own process, in turn, the others held still.

A contender that waits is stopped (SIGSTOP), so that no idle thread of it spins or wakes up while
another one is timed.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

import numpy as np
from contenders import CONTENDERS, THREADS

STARTS = 3
"""How often a process is started, to time it whole."""

KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": "100000000", "MALLOC_MMAP_THRESHOLD_": "100000000"}
"""Freed memory is kept for the next picture. Whether glibc does so by itself is chance, and to ask
the system for it anew more than doubles the time of decoding a JPEG."""

Figures = dict[str, float]


class Worker:
    """A contender's process, stopped except during its turn.

    Args:
        name: one of ``CONTENDERS``.
        photograph: the JPEG.
        file: its model file, where it has one.

    Raises:
        RuntimeError: it cannot give an answer here.
    """

    def __init__(self, name: str, photograph: Path, file: Path) -> None:
        started = time.perf_counter()
        self._process = subprocess.Popen(
            _command(name, photograph, file),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": str(THREADS)} | KEEP_MEMORY,
        )
        ready = self._line()
        self.process_s = time.perf_counter() - started
        if ready != "ready":
            raise RuntimeError(_last_line(self._process.communicate()[1]))
        self._process.send_signal(signal.SIGSTOP)

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def turn(self, seconds: float) -> list[float]:
        """Let it answer for so many seconds; return the seconds that each answer took."""
        self._process.send_signal(signal.SIGCONT)
        assert self._process.stdin is not None
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        taken: list[float] = json.loads(self._line())
        self._process.send_signal(signal.SIGSTOP)
        return taken

    def finish(self) -> float:
        """End it, and return its peak memory in megabytes."""
        self._process.send_signal(signal.SIGCONT)
        return float(self._process.communicate()[0])

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


def export(names: list[str], folder: Path) -> list[str]:
    """Write the model files; return the names without those whose file cannot be written."""
    able = []
    for name in names:
        if CONTENDERS[name].export is not None:
            command = _command(name, Path(), model_file(name, folder), "--export")
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"{name}: left out ({_last_line(done.stderr)})", file=sys.stderr)
                continue
        able.append(name)
    return able


def latencies(
    names: list[str], photograph: Path, folder: Path, rounds: int, turn_s: float
) -> dict[str, Figures]:
    """Time every contender once per round, in turn.

    Args:
        names: of ``CONTENDERS``; one that cannot run here is left out, with a word on standard
            error.
        photograph: the JPEG.
        folder: where :func:`export` wrote the model files.
        rounds: how many.
        turn_s: how long a turn lasts, in seconds; one answer at least.

    Returns:
        for each name: ``median_ms``, ``q1_ms``, ``q3_ms`` and ``n`` of all its answers,
        ``process_s`` from its start to its first answer, and ``peak_mb``.
    """
    workers: dict[str, Worker] = {}
    starts: dict[str, list[float]] = {}
    try:
        for name in names:
            file = model_file(name, folder)
            try:
                workers[name] = Worker(name, photograph, file)
            except RuntimeError as error:
                print(f"{name}: left out ({error})", file=sys.stderr)
                continue
            starts[name] = [workers[name].process_s]
            for _ in range(STARTS - 1):
                with Worker(name, photograph, file) as again:
                    starts[name].append(again.process_s)
        taken: dict[str, list[float]] = {name: [] for name in workers}
        for _ in range(rounds):
            for name, worker in workers.items():
                taken[name] += worker.turn(turn_s)
        return {
            name: _quartiles(taken[name])
            | {"process_s": statistics.median(starts[name]), "peak_mb": worker.finish()}
            for name, worker in workers.items()
        }
    finally:
        for worker in workers.values():
            worker.__exit__(None, None, None)


def model_file(name: str, folder: Path) -> Path:
    """Return where the model file of a contender lies."""
    return folder / f"{list(CONTENDERS).index(name)}.onnx"


def _command(name: str, photograph: Path, file: Path, *options: str) -> list[str]:
    worker = Path(__file__).with_name("worker.py")
    return [sys.executable, str(worker), name, str(photograph), str(file), *options]


def _quartiles(seconds: list[float]) -> Figures:
    low, middle, high = (1000 * float(np.percentile(seconds, q)) for q in (25, 50, 75))
    return {"median_ms": middle, "q1_ms": low, "q3_ms": high, "n": len(seconds)}


def _last_line(text: str) -> str:
    return (text.strip() or "no reason given").splitlines()[-1]
