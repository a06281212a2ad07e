"""Which detection is which true cell: an optimal one-to-one assignment by overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smearcount.detections.boxes import iou
from smearcount.evaluation.cells import Cells

SAME_CELL_IOU = 0.5
"""From this overlap on, two boxes of one class are taken for the same cell."""


@dataclass(frozen=True, eq=False)
class Match:
    """Truth and detections of one image, told apart into pairs and remainders.

    Attributes:
        pairs: shape (m, 2): index into the truth, index into the detections.
        missed: indices of the true cells that no detection answers.
        extra: indices of the detections that answer no true cell.
        tp: shape (classes,): matched cells of each class.
        fp: shape (classes,): detections of each class without a true cell.
        fn: shape (classes,): true cells of each class without a detection.
    """

    pairs: NDArray[np.int64]
    missed: NDArray[np.int64]
    extra: NDArray[np.int64]
    tp: NDArray[np.int64]
    fp: NDArray[np.int64]
    fn: NDArray[np.int64]


def match(
    truth: Cells, found: Cells, n_classes: int, iou_threshold: float = SAME_CELL_IOU
) -> Match:
    """Match detections to true cells of their own class.

    As many pairs as possible are made; among equally many, those that overlap most.

    Args:
        truth: the true cells of an image.
        found: the detections that count.
        n_classes: how many classes there are.
        iou_threshold: the least overlap of a pair, in (0, 1].
    """
    overlap = iou(truth.boxes_xyxy_px, found.boxes_xyxy_px)
    same_class = truth.labels[:, None] == found.labels[None, :]
    pairs = assign(np.where(same_class, overlap, 0), iou_threshold)
    missed = np.setdiff1d(np.arange(len(truth.labels)), pairs[:, 0])
    extra = np.setdiff1d(np.arange(len(found.labels)), pairs[:, 1])
    return Match(
        pairs=pairs,
        missed=missed,
        extra=extra,
        tp=tally(truth.labels[pairs[:, 0]], n_classes),
        fp=tally(found.labels[extra], n_classes),
        fn=tally(truth.labels[missed], n_classes),
    )


def assign(overlap: NDArray[np.floating], least: float) -> NDArray[np.int64]:
    """Pair rows with columns one to one where their overlap is at least ``least``.

    Args:
        overlap: shape (rows, columns), each in [0, 1].
        least: in (0, 1].

    Returns:
        shape (m, 2): row and column of each pair; the most pairs possible, and among those the
        largest sum of overlaps.
    """
    from scipy.optimize import linear_sum_assignment

    allowed = overlap >= least
    # One more pair always outweighs any gain in overlap, which stays below 1 in all.
    gain = allowed * (1 + overlap / (1 + min(overlap.shape)))
    rows, columns = linear_sum_assignment(gain, maximize=True)
    pairs: NDArray[np.int64] = np.stack([rows, columns], axis=1).astype(np.int64)
    kept: NDArray[np.int64] = pairs[allowed[rows, columns]]
    return kept


def tally(labels: NDArray[np.int64], n_classes: int) -> NDArray[np.int64]:
    """Return how often each of the labels 1 to ``n_classes`` occurs, shape (n_classes,)."""
    return np.bincount(labels, minlength=n_classes + 1)[1:]
