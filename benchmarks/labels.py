"""How well people agree: the labels of a photograph against those of its copy.

    python benchmarks/labels.py txl-pbc

TXL-PBC holds some photographs twice, at two sizes, some flipped or turned, and no two copies are
labeled alike. The labels of one copy, scored against those of the other as if they were
detections, show how noisy the labels are. It is no ceiling: labels have no scores to rank them by.
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

COPY_CORRELATION = 0.97
"""Correlation from which two images are copies with the same crop, and not just similar."""

SIDE_PX = 1000
"""Both copies are stretched to a square of this side, so that their boxes can be compared."""


def labels_as_detections(image: AnnotatedImage, pose: int = 0) -> Detections:
    """Return the labels of an image as detections of score 1, in a pose of ``flips_and_turns``."""
    boxes = image.boxes_xyxy_px / np.array([image.width, image.height] * 2)
    for _ in range(pose % 4):
        left, top, right, bottom = boxes.T
        boxes = np.stack([top, 1 - right, bottom, 1 - left], axis=1)
    if pose >= 4:
        left, top, right, bottom = boxes.T
        boxes = np.stack([1 - right, top, 1 - left, bottom], axis=1)
    return Detections(SIDE_PX * boxes, np.ones(len(boxes), np.float32), image.labels)


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
        hash_of_first, hash_of_second = perceptual_hashes([pair.first, pair.second])
        poses = flips_and_turns(hash_of_second[None])[:, 0]
        correlations = (poses * hash_of_first).sum(axis=(1, 2))
        if correlations.max() > COPY_CORRELATION:
            first.append(labels_as_detections(images[pair.first]))
            second.append(labels_as_detections(images[pair.second], int(correlations.argmax())))
    scores = mean_average_precision(first, second, CLASS_NAMES)
    print(f"{len(first)} photographs labeled twice\n\n| | cells | cells in the copy | images with "
          "another count | AP50 | mAP |\n|---|---|---|---|---|---|")  # fmt: skip
    for label, name in enumerate(CLASS_NAMES, start=1):
        counts = np.array(
            [
                [np.count_nonzero(image.labels == label) for image in copy]
                for copy in (first, second)
            ]
        )
        differ = np.count_nonzero(counts[0] != counts[1])
        precision = f"{scores[f'map_50_{name}']:.3f} | {scores[f'map_{name}']:.3f}"
        print(f"| {name} | {counts[0].sum()} | {counts[1].sum()} | {differ} | {precision} |")
    print(f"| all | | | | {scores['map_50']:.3f} | {scores['map']:.3f} |")


if __name__ == "__main__":
    main()
