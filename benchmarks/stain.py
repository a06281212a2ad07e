"""Unseen stains, lamps and cameras: the same photographs, changed, and how well they are counted.

    python benchmarks/stain.py txl-pbc [--model MODEL.onnx]

Each photograph is changed at random as in training (`smearcount.training.augment`): stain,
lightness, focus, noise, JPEG; seed 0, one change each. Strength 0 leaves them as they are.
Images of ``val`` that nearly repeat one of ``train`` are left out. Changes can hide what people
could see, so nobody would find all cells: compare two detectors by it.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from unseen import measure_detector

from smearcount import load_detector
from smearcount.datasets.clean import clean_dataset
from smearcount.datasets.near_duplicates import deduplicate, without_duplicates_of
from smearcount.datasets.read import read_dataset
from smearcount.image.image import SmearImage
from smearcount.image.read import open_image
from smearcount.training.augment import jitter_photometry

STRENGTHS = (0.0, 1.0, 1.5, 2.0)


def open_changed(path: Path, strength: float) -> SmearImage:
    """Open a photograph with changed colors, focus and noise; strength 0 changes nothing."""
    if not strength:
        return open_image(path)
    pixels = np.array(Image.open(path).convert("RGB"))
    image = torch.from_numpy(pixels).permute(2, 0, 1).contiguous()
    jittered = jitter_photometry(image, strength)
    return open_image(np.ascontiguousarray(jittered.permute(1, 2, 0).numpy()))


def main() -> None:
    """Change, evaluate and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--model", default=None, help="instead of the shipped one")
    asked = parser.parse_args()
    train = clean_dataset(read_dataset(asked.data, "train"))
    images = clean_dataset(read_dataset(asked.data, "val"))
    images = without_duplicates_of(deduplicate(images), train)
    rows = []
    for strength in STRENGTHS:
        torch.manual_seed(0)
        shown = partial(open_changed, strength=strength)
        rows.append(measure_detector(images, load_detector(asked.model), shown))
    print(f"{len(images.images)} images\n")
    print("| strength | " + " | ".join(map(str, STRENGTHS)) + " |\n|---|" + "---|" * len(rows))
    for name in rows[0]:
        print(f"| {name} | " + " | ".join(f"{row[name]:.3f}" for row in rows) + " |")


if __name__ == "__main__":
    main()
