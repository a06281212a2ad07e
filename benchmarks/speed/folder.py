"""How many images of a folder the command counts in a second, on one core and on two."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FEW = 40


def throughput(photograph: Path, images: int, repeats: int) -> dict[str, float]:
    """Count folders of copies of a photograph through the command.

    A folder of ``FEW`` images is timed beside the one of ``images``: the difference is what the
    further images take, without the start of the process.

    Args:
        photograph: the JPEG.
        images: in the larger folder.
        repeats: how often each is timed, in turn; medians count.

    Returns:
        ``images_per_s_1_core`` and ``images_per_s_2_cores`` of the whole command on the larger
        folder, ``further_…`` the same without the start, and their ratios.
    """
    seconds: dict[tuple[int, int], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for size in (FEW, images):
            (Path(folder) / str(size)).mkdir()
            for index in range(size):
                copy = Path(folder) / str(size) / f"{index:05}.jpg"
                copy.write_bytes(photograph.read_bytes())
        for _ in range(repeats):
            for size in (FEW, images):
                for cores in (1, 2):
                    taken = _seconds(Path(folder) / str(size), cores)
                    seconds.setdefault((size, cores), []).append(taken)
    middle = {key: statistics.median(values) for key, values in seconds.items()}
    figures = {}
    for cores, words in ((1, "1_core"), (2, "2_cores")):
        whole, few = middle[images, cores], middle[FEW, cores]
        figures[f"images_per_s_{words}"] = images / whole
        figures[f"further_images_per_s_{words}"] = (images - FEW) / (whole - few)
    for kind in ("images", "further_images"):
        ratio = figures[f"{kind}_per_s_2_cores"] / figures[f"{kind}_per_s_1_core"]
        figures[f"{kind}_ratio"] = ratio
    return figures


def _seconds(folder: Path, cores: int) -> float:
    allowed = set(sorted(os.sched_getaffinity(0))[:cores])
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "smearcount", "count", str(folder), "--json"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, allowed),
    )
    return time.perf_counter() - started
