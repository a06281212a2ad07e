"""The same photographs at other magnifications: do the counts stay?

    uv run python benchmarks/magnification.py DATA [--split val] [--every 5]

Each photograph is resized by 0.3 to 2.5 and counted without being told. The table gives, for each
class, the total counted relative to the photographs as they are, and the share of photographs
whose count of red cells stays within 5 % (or one cell). Then each is counted with a pixel size that
is wrong by a factor of the one that its labels tell, and the photographs with the flag
"magnification implausible" are counted.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

import smearcount
from smearcount.classes import CLASS_NAMES
from smearcount.datasets.read import read_dataset
from smearcount.detector.scale import RBC_UM
from smearcount.quality.flags import IMPLAUSIBLE_MAGNIFICATION
from smearcount.training.samples import rbc_diameters

FACTORS = (0.3, 0.4, 0.5, 0.7, 1.0, 1.4, 2.0, 2.5)
WRONG_BY = (1.0, 1.4, 2.0, 3.0, 0.7, 0.5, 0.33)


def count_resized(path: Path, factor: float) -> list[int]:
    """Return the counts of a photograph resized by a factor."""
    image = Image.open(path).convert("RGB")
    if factor != 1:
        size = (round(image.width * factor), round(image.height * factor))
        image = image.resize(size, Image.Resampling.LANCZOS)
    counts = smearcount.count(image).counts
    return [counts[name] for name in CLASS_NAMES]


def is_flagged(path: Path, pixel_size_um: float) -> bool:
    """Return whether a photograph counted with this pixel size is flagged for it."""
    flags = smearcount.count(path, pixel_size_um=pixel_size_um).flags
    return IMPLAUSIBLE_MAGNIFICATION in flags


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--split", default="val")
    parser.add_argument("--every", type=int, default=5, help="take every so many photographs")
    asked = parser.parse_args()
    dataset = read_dataset(asked.data, asked.split)
    paths = [image.path for image in dataset.images][:: asked.every]
    counts = {
        factor: np.array([count_resized(path, factor) for path in paths]) for factor in FACTORS
    }
    at_own_size = counts[1.0]
    totals = zip(CLASS_NAMES, at_own_size.sum(axis=0), strict=True)
    listed = ", ".join(f"{name} {total}" for name, total in totals)
    print(f"{len(paths)} photographs; at their own size {listed}")
    print("| resized by | " + " | ".join(CLASS_NAMES) + " | RBC within 5 % or one cell |")
    print("|---|" + "---|" * (len(CLASS_NAMES) + 1))
    for factor, found in counts.items():
        change = 100 * (found.sum(axis=0) / at_own_size.sum(axis=0) - 1)
        rbc, rbc_at_own_size = found[:, 1], at_own_size[:, 1]
        allowed = np.maximum(1, 0.05 * rbc_at_own_size)
        close = (np.abs(rbc - rbc_at_own_size) <= allowed).mean()
        cells = " | ".join(f"{value:+.1f} %" for value in change)
        print(f"| {factor} | {cells} | {100 * close:.0f} % |")
    sizes = [RBC_UM / px for px in rbc_diameters(dataset)][:: asked.every]
    print("\n| pixel size wrong by | photographs flagged |\n|---|---|")
    for factor in WRONG_BY:
        flagged = [is_flagged(path, size * factor) for path, size in zip(paths, sizes, strict=True)]
        print(f"| {factor} | {sum(flagged)} of {len(flagged)} |")


if __name__ == "__main__":
    main()
