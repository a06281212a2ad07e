"""How well people agree: the labels of a photograph against those of its copy.

    python benchmarks/labels.py txl-pbc

TXL-PBC holds some photographs twice, at two sizes, some flipped or turned, and no two copies are
labelled alike. The labels of one copy, scored against those of the other as if a detector had said
them, show how noisy the labels are. It is no ceiling: labels have no scores to rank them by.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from smearcount.classes import CLASS_NAMES
from smearcount.datasets.clean import clean_dataset
from smearcount.datasets.dataset import AnnotatedImage
from smearcount.datasets.near_duplicates import (
    find_near_duplicates,
    flips_and_turns,
    perceptual_hashes,
)
from smearcount.datasets.read import read_dataset
from smearcount.detections.detections import Detections
from smearcount.evaluation.average_precision import mean_average_precision

COPY = 0.97
"""Correlation from which two pictures are copies, cut alike, and not just much alike."""

SIDE_PX = 1000
"""Both copies are stretched to a square of this side, so that their boxes can be compared."""


def labels(image: AnnotatedImage, pose: int = 0) -> Detections:
    """Return the labels of an image as detections of score 1, turned as ``turned`` turns images."""
    boxes = image.boxes_xyxy_px / np.array([image.width, image.height] * 2)
    for _ in range(pose % 4):
        left, top, right, bottom = boxes.T
        boxes = np.stack([top, 1 - right, bottom, 1 - left], axis=1)
    if pose >= 4:
        left, top, right, bottom = boxes.T
        boxes = np.stack([1 - right, top, 1 - left, bottom], axis=1)
    return Detections(SIDE_PX * boxes, np.ones(len(boxes)), image.labels)


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data")
    asked = parser.parse_args()
    train, val = (clean_dataset(read_dataset(asked.data, split)) for split in ("train", "val"))
    everything = replace(train, images=train.images + val.images)
    images = {image.path: image for image in everything.images}
    first, second = [], []
    for pair in find_near_duplicates(everything):
        one, other = perceptual_hashes([pair.first, pair.second])
        alike = (flips_and_turns(other[None])[:, 0] * one).sum(axis=(1, 2))
        if alike.max() > COPY:
            first.append(labels(images[pair.first]))
            second.append(labels(images[pair.second], int(alike.argmax())))
    figures = mean_average_precision(first, second, CLASS_NAMES)
    print(f"{len(first)} photographs labelled twice\n\n| | cells | cells in the copy | images with "
          "another count | AP50 | mAP |\n|---|---|---|---|---|---|")  # fmt: skip
    for label, name in enumerate(CLASS_NAMES, start=1):
        counts = np.array(
            [[np.count_nonzero(each.labels == label) for each in both] for both in (first, second)]
        )
        differ = np.count_nonzero(counts[0] != counts[1])
        precision = f"{figures[f'map_50_{name}']:.3f} | {figures[f'map_{name}']:.3f}"
        print(f"| {name} | {counts[0].sum()} | {counts[1].sum()} | {differ} | {precision} |")
    print(f"| all | | | | {figures['map_50']:.3f} | {figures['map']:.3f} |")


if __name__ == "__main__":
    main()
