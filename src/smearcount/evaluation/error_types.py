"""The types of errors: missed, background, classification, duplicate and localization.

The types are those of TIDE (Bolya et al. 2020), here by one-to-one assignment at the thresholds
that count, so that the numbers add up to cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.detections.boxes import iou
from smearcount.evaluation.matching import MATCH_IOU, LabeledBoxes, assign, count_per_class

LOCALIZATION_IOU: Final = 0.1
"""A missed cell and a detection of its class that overlap by this IoU are a localization error."""

ERROR_TYPES: Final = ("missed", "background", "classification", "duplicate", "localization")
"""Missed: a cell without a detection. Background: a detection where no cell is. Classification: a
cell found as another class. Duplicate: a cell found once more. Localization: a box that fits its
cell poorly."""


@dataclass(frozen=True, eq=False)
class ErrorTypes:
    """Errors by type and class, summed over images.

    Missed, classification and localization errors stand under the true class, background and
    duplicate errors under the predicted class.

    Attributes:
        errors: shape (types, classes), in the order of :data:`ERROR_TYPES`.
        confusion: shape (classes + 1, classes + 1): rows are true classes and last "no cell",
            columns are predicted classes and last "not found".

    Example:
        >>> import numpy as np
        >>> from smearcount.evaluation import GroundTruth, count_error_types
        >>> truth = GroundTruth(np.float32([[0, 0, 10, 10]]), np.array([1]))
        >>> found = GroundTruth(np.float32([[0, 0, 10, 10]]), np.array([2]))
        >>> count_error_types([truth], [found], n_classes=2).confusion.tolist()
        [[0, 1, 0], [0, 0, 0], [0, 0, 0]]
    """

    errors: NDArray[np.int64]
    confusion: NDArray[np.int64]


def count_error_types(
    truths: Sequence[LabeledBoxes], predictions: Sequence[LabeledBoxes], n_classes: int
) -> ErrorTypes:
    """Count the errors of all images by type and class.

    Args:
        truths: one per image.
        predictions: the detections that count, one per image.
        n_classes: how many classes there are.

    Returns:
        the errors and the confusion matrix, summed over the images.

    Example:
        >>> import numpy as np
        >>> from smearcount.evaluation import ERROR_TYPES, GroundTruth, count_error_types
        >>> truth = GroundTruth(np.float32([[0, 0, 10, 10]]), np.array([2]))
        >>> found = GroundTruth(np.float32([[5, 0, 15, 10]]), np.array([2]))
        >>> table = count_error_types([truth], [found], n_classes=3).errors
        >>> dict(zip(ERROR_TYPES, table.sum(axis=1).tolist()))["localization"]
        1
    """
    errors = np.zeros((len(ERROR_TYPES), n_classes), dtype=np.int64)
    confusion = np.zeros((n_classes + 1, n_classes + 1), dtype=np.int64)
    for truth, detections in zip(truths, predictions, strict=True):
        image = _error_types_of_image(truth, detections, n_classes)
        errors += image.errors
        confusion += image.confusion
    return ErrorTypes(errors, confusion)


def _error_types_of_image(
    truth: LabeledBoxes, detections: LabeledBoxes, n_classes: int
) -> ErrorTypes:
    overlap = iou(truth.boxes_xyxy_px, detections.boxes_xyxy_px)
    same_class = truth.labels[:, None] == detections.labels[None, :]
    unmatched_truth = np.ones(len(truth.labels), dtype=np.bool_)
    unmatched_detections = np.ones(len(detections.labels), dtype=np.bool_)

    def match_unmatched(eligible: NDArray[np.bool_], min_iou: float) -> NDArray[np.int64]:
        unmatched = unmatched_truth[:, None] & unmatched_detections[None, :]
        pairs = assign(np.where(eligible & unmatched, overlap, 0), min_iou)
        unmatched_truth[pairs[:, 0]] = False
        unmatched_detections[pairs[:, 1]] = False
        return pairs

    correct = match_unmatched(same_class, MATCH_IOU)
    misclassified = match_unmatched(~same_class, MATCH_IOU)
    duplicates = unmatched_detections & (overlap >= MATCH_IOU).any(axis=0)
    unmatched_detections &= ~duplicates
    mislocalized = match_unmatched(same_class, LOCALIZATION_IOU)

    missed, background, classification, duplicate, localization = (
        count_per_class(labels, n_classes)
        for labels in (
            truth.labels[unmatched_truth],
            detections.labels[unmatched_detections],
            truth.labels[misclassified[:, 0]],
            detections.labels[duplicates],
            truth.labels[mislocalized[:, 0]],
        )
    )
    confusion = np.zeros((n_classes + 1, n_classes + 1), dtype=np.int64)
    for pairs in (correct, misclassified):
        cells = (truth.labels[pairs[:, 0]] - 1, detections.labels[pairs[:, 1]] - 1)
        np.add.at(confusion, cells, 1)
    confusion[:-1, -1] = missed + localization
    confusion[-1, :-1] = background + duplicate + localization
    errors = np.stack([missed, background, classification, duplicate, localization])
    return ErrorTypes(errors, confusion)
