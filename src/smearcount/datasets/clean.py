"""Clean the boxes of a data set: clip them to their images, drop repeats and empty ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.detections.boxes import iou

DUPLICATE_IOU: Final = 0.8
"""Two boxes of one class with at least this IoU mark the same cell twice."""


def clean_dataset(dataset: Dataset) -> Dataset:
    """Return the data set with its boxes clipped to their images, each once, none without area.

    Images stay even when they lose their last box.

    Args:
        dataset: as :func:`smearcount.datasets.read_dataset` returns it.

    Example:
        >>> from pathlib import Path
        >>> import numpy as np
        >>> from smearcount.datasets import AnnotatedImage, Dataset, clean_dataset
        >>> boxes = np.array([[-5, 0, 50, 50], [0, 0, 50, 50], [9, 9, 9, 20]])
        >>> image = AnnotatedImage(Path("a.png"), 640, 480, boxes, np.array([1, 1, 1]))
        >>> clean_dataset(Dataset(("RBC",), (image,), "made")).images[0].boxes_xyxy_px
        array([[ 0.,  0., 50., 50.]])
    """
    return replace(dataset, images=tuple(_clean(image) for image in dataset.images))


def duplicate_boxes(image: AnnotatedImage) -> NDArray[np.bool_]:
    """Tell which boxes repeat an earlier box of the same class, shape (n,)."""
    return _duplicates(image.boxes_xyxy_px, image.labels)


def _duplicates(boxes_xyxy: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    boxes = boxes_xyxy.astype(np.float32)
    same = (iou(boxes, boxes) >= DUPLICATE_IOU) & (labels[:, None] == labels[None, :])
    return np.asarray(np.tril(same, k=-1).any(axis=1))


def _clean(image: AnnotatedImage) -> AnnotatedImage:
    limits = np.array([image.width, image.height] * 2, dtype=np.float64)
    boxes = np.clip(image.boxes_xyxy_px, 0, limits)
    kept = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    # A box without area has an IoU of 0 with every other, so it makes none a duplicate.
    kept &= ~_duplicates(boxes, image.labels)
    if kept.all() and np.array_equal(boxes, image.boxes_xyxy_px):
        return image
    return replace(
        image,
        boxes_xyxy_px=boxes[kept],
        labels=image.labels[kept],
        scores=None if image.scores is None else image.scores[kept],
        box_ids=None if image.box_ids is None else image.box_ids[kept],
    )
