"""Non-maximum suppression (NMS) on plain arrays, without a limit on the number of boxes."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.detections.boxes import Boxes, area

DEFAULT_IOU_THRESHOLD: Final = 0.6
"""The overlap above which NMS drops the weaker of two boxes, unless a model's card says
otherwise."""

PAIRS_AT_ONCE: Final = 1_000_000
"""About how many pairs of boxes are compared at once; each takes some hundred bytes."""


def nms(
    boxes_xyxy: Boxes, scores: NDArray[np.float32], iou_threshold: float = DEFAULT_IOU_THRESHOLD
) -> NDArray[np.int64]:
    """Return the indices of the boxes that greedy NMS keeps, best score first.

    A box is dropped if it overlaps a kept box of a better score by more than ``iou_threshold``.

    Args:
        boxes_xyxy: boxes, shape (n, 4), in pixels.
        scores: shape (n,); of equal scores the earlier box wins.
        iou_threshold: in [0, 1].

    Returns:
        shape (kept,), indices into ``boxes_xyxy``.
    """
    order = np.argsort(-scores, kind="stable")
    better, worse = _overlapping_pairs(boxes_xyxy[order], iou_threshold)
    alive = [True] * len(order)
    for first, second in zip(better.tolist(), worse.tolist(), strict=True):
        if alive[first]:
            alive[second] = False
    return np.asarray(order[np.array(alive, dtype=np.bool_)], dtype=np.int64)


def _overlapping_pairs(
    ranked: Boxes, iou_threshold: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return every pair of boxes whose IoU exceeds ``iou_threshold``.

    Two such boxes share more than ``iou_threshold`` of the width of the wider one, so the right
    one starts within the remaining part of the other's width. The boxes are sorted by their left
    sides and each is compared only with the boxes within that reach, about a million pairs at a
    time. No table of all pairs is ever built.

    Args:
        ranked: boxes, shape (n, 4), best first.
        iou_threshold: in [0, 1].

    Returns:
        the index of the better and of the worse box of each pair, shape (pairs,) each, sorted by
        the better one.
    """
    by_left = np.argsort(ranked[:, 0], kind="stable")
    left, top, right, bottom = np.ascontiguousarray(ranked[by_left].T)
    areas = area(ranked)[by_left]
    reach = left + (1.001 - iou_threshold) * (right - left)  # slightly more, for rounding
    indices = np.arange(len(left))
    neighbors = np.maximum(np.searchsorted(left, reach, side="right") - indices - 1, 0)
    better, worse = [], []
    last_of_chunk = np.flatnonzero(np.diff(np.cumsum(neighbors) // PAIRS_AT_ONCE))
    for chunk in np.split(indices, last_of_chunk + 1):
        counts = neighbors[chunk]
        first = np.repeat(chunk, counts)
        starts = chunk + 1 - np.cumsum(counts) + counts
        second = np.arange(len(first)) + np.repeat(starts, counts)
        width = np.minimum(right[first], right[second]) - left[second]
        height = np.minimum(bottom[first], bottom[second]) - np.maximum(top[first], top[second])
        inner = np.maximum(width, 0) * np.maximum(height, 0)
        overlap = inner > iou_threshold * (areas[first] + areas[second] - inner)
        ranks = by_left[first[overlap]], by_left[second[overlap]]
        better.append(np.minimum(*ranks))
        worse.append(np.maximum(*ranks))
    pairs = np.concatenate(better), np.concatenate(worse)
    best_first = np.argsort(pairs[0], kind="stable")
    return pairs[0][best_first], pairs[1][best_first]
