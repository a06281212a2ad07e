"""What kind of errors are made: missed, extra, wrong class, doubled or badly placed.

The kinds follow Bolya et al. 2020 (TIDE), here by one-to-one assignment at the thresholds that
count, so that the numbers add up to cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.detections.boxes import iou
from smearcount.evaluation.cells import Cells
from smearcount.evaluation.matching import SAME_CELL_IOU, assign, tally

TOUCHING_IOU: Final = 0.1
"""A detection that overlaps a missed cell of its class by at least this much is badly placed."""

ERROR_KINDS: Final = ("missed", "extra", "wrong class", "doubled", "badly placed")


@dataclass(frozen=True, eq=False)
class Breakdown:
    """Errors by kind and class, summed over images.

    Missed cells, cells of a wrong class and badly placed ones stand under their true class,
    extra and doubled detections under the class that was said.

    Attributes:
        errors: shape (kinds, classes), in the order of :data:`ERROR_KINDS`.
        confusion: shape (classes + 1, classes + 1): rows are true classes and last "no cell",
            columns are classes said and last "not found".
    """

    errors: NDArray[np.int64]
    confusion: NDArray[np.int64]


def break_down(truths: Sequence[Cells], counted: Sequence[Cells], n_classes: int) -> Breakdown:
    """Tell the errors of all images apart.

    Args:
        truths: one per image.
        counted: the detections that count, one per image.
        n_classes: how many classes there are.
    """
    errors = np.zeros((len(ERROR_KINDS), n_classes), dtype=np.int64)
    confusion = np.zeros((n_classes + 1, n_classes + 1), dtype=np.int64)
    for truth, found in zip(truths, counted, strict=True):
        each = _break_down_one(truth, found, n_classes)
        errors += each.errors
        confusion += each.confusion
    return Breakdown(errors, confusion)


def _break_down_one(truth: Cells, found: Cells, n_classes: int) -> Breakdown:
    overlap = iou(truth.boxes_xyxy_px, found.boxes_xyxy_px)
    same_class = truth.labels[:, None] == found.labels[None, :]
    open_truth = np.ones(len(truth.labels), dtype=np.bool_)
    open_found = np.ones(len(found.labels), dtype=np.bool_)

    def pair_up(eligible: NDArray[np.bool_], least: float) -> NDArray[np.int64]:
        still_open = open_truth[:, None] & open_found[None, :]
        pairs = assign(np.where(eligible & still_open, overlap, 0), least)
        open_truth[pairs[:, 0]] = False
        open_found[pairs[:, 1]] = False
        return pairs

    right = pair_up(same_class, SAME_CELL_IOU)
    wrong = pair_up(~same_class, SAME_CELL_IOU)
    doubled = open_found & (overlap >= SAME_CELL_IOU).any(axis=0)
    open_found &= ~doubled
    misplaced = pair_up(same_class, TOUCHING_IOU)

    errors = np.stack(
        [
            tally(truth.labels[open_truth], n_classes),
            tally(found.labels[open_found], n_classes),
            tally(truth.labels[wrong[:, 0]], n_classes),
            tally(found.labels[doubled], n_classes),
            tally(truth.labels[misplaced[:, 0]], n_classes),
        ]
    )
    confusion = np.zeros((n_classes + 1, n_classes + 1), dtype=np.int64)
    for pairs in (right, wrong):
        np.add.at(confusion, (truth.labels[pairs[:, 0]] - 1, found.labels[pairs[:, 1]] - 1), 1)
    confusion[:-1, -1] = errors[0] + errors[4]
    confusion[-1, :-1] = errors[1] + errors[3] + errors[4]
    return Breakdown(errors, confusion)
