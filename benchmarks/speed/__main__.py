"""How fast the shipped counter is beside what one would pick instead, in one run on one machine.

    uv run --all-extras python benchmarks/speed [--rounds 20] [--accuracy FILE.json] [--out FOLDER]

Every contender goes from one 640 × 480 JPEG to its answer, warm, on two threads, in a process of
its own. They are timed in turn, so that a busy machine slows all alike, and those that wait are
stopped. Figures are medians with quartiles, and ratios within the run. Linux only.

``--accuracy`` names a JSON file with the mAP50 that was measured for a contender, by name, all on
the same images: ``{"SSD300, PyTorch": 0.91}``. Ours is that of the model's card unless it is given.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

from contenders import CONTENDERS, OURS, THREADS
from folder import throughput
from install import fresh_mb, present_mb
from latency import KEEP_MEMORY, export, latencies
from page import plot, table
from PIL import Image


def photograph(folder: Path) -> Path:
    """Write the drawn smear that everybody counts, as a JPEG of 640 × 480 pixels."""
    from smearcount.synthetic.smears import demo_smears

    smear = next(s for s in demo_smears() if s.pixels.shape[:2] == (480, 640))
    path = folder / "smear.jpg"
    Image.fromarray(smear.pixels).save(path, quality=90)
    return path


def card_accuracy() -> float:
    """Return the mAP50 that the shipped model's card names, on validation images."""
    from smearcount import load_detector

    metrics = load_detector().card.metrics
    return float(metrics["counting"]["average_precision"]["map_50"])


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--turn", type=float, default=0.3, help="seconds of a turn")
    parser.add_argument("--only", nargs="*", default=list(CONTENDERS), choices=list(CONTENDERS))
    parser.add_argument("--images", type=int, default=1000, help="in the folder; 0 leaves it out")
    parser.add_argument("--photograph", type=Path, help="a JPEG to count instead of a drawn smear")
    parser.add_argument("--accuracy", type=Path, help="measured mAP50 by contender, JSON")
    parser.add_argument(
        "--fresh-install", action="store_true", help="install anew to weigh it (network)"
    )
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    return parser.parse_args()


def main() -> None:
    """Measure and print; write the figures beside."""
    asked = arguments()
    # pip compiles what it installs, uv does not: let the first start of each process do it.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = asked.photograph or photograph(folder)
        names = export(asked.only, folder)
        figures = latencies(names, path, folder, asked.rounds, asked.turn)
        speed = throughput(path, asked.images, repeats=3) if asked.images else {}
    installed = {
        f"{package}, as installed here": present_mb(package)
        for package in dict.fromkeys(each.package for each in CONTENDERS.values())
    }
    if asked.fresh_install:
        installed["smearcount, in a fresh environment"] = fresh_mb()
    accuracy = {OURS: card_accuracy()}
    if asked.accuracy:
        accuracy |= json.loads(asked.accuracy.read_text(encoding="utf-8"))
    record = {
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}",
        "load_average": os.getloadavg(),
        "environment": KEEP_MEMORY,
        "command": sys.argv[1:],
        "threads": THREADS,
        "latency": figures,
        "folder": speed,
        "installed_mb": installed,
        "map_50": accuracy,
    }
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "speed.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    (asked.out / "speed.md").write_text(table(figures) + "\n", encoding="utf-8")
    plot(figures, accuracy, asked.out / "speed.svg")
    print(table(figures))
    print(json.dumps({"folder": speed, "installed_mb": installed}, indent=2))


if __name__ == "__main__":
    main()
