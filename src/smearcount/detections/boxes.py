"""Pure geometry of boxes: areas, overlaps, clipping and suppression on plain arrays.

A box is ``xyxy`` in pixels: left, top, right, bottom as half-open pixel edges with the origin at
the top left corner of the image, so that a box around the single pixel (0, 0) is ``0, 0, 1, 1``.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]
"""Boxes, shape (n, 4), float32, xyxy in pixels."""

PAIRS_AT_ONCE: Final = 1_000_000
"""About how many pairs of boxes are compared at once; each takes some hundred bytes."""


def area(boxes_xyxy: Boxes) -> NDArray[np.float32]:
    """Return the area of each box in square pixels, shape (n,); inverted boxes have area 0."""
    width = np.maximum(boxes_xyxy[:, 2] - boxes_xyxy[:, 0], 0)
    height = np.maximum(boxes_xyxy[:, 3] - boxes_xyxy[:, 1], 0)
    return np.asarray(width * height, dtype=np.float32)


def centre(boxes_xyxy: Boxes) -> NDArray[np.float32]:
    """Return the centre (x, y) of each box in pixels, shape (n, 2)."""
    return np.asarray((boxes_xyxy[:, :2] + boxes_xyxy[:, 2:]) / 2, dtype=np.float32)


def diameter(boxes_xyxy: Boxes) -> NDArray[np.float32]:
    """Return the geometric mean of width and height of each box in pixels, shape (n,)."""
    return np.sqrt(area(boxes_xyxy))


def iou(first_xyxy: Boxes, second_xyxy: Boxes) -> NDArray[np.float32]:
    """Return the intersection over union of every pair, shape (n, m), each in [0, 1]."""
    low = np.maximum(first_xyxy[:, None, :2], second_xyxy[None, :, :2])
    high = np.minimum(first_xyxy[:, None, 2:], second_xyxy[None, :, 2:])
    inner = np.prod(np.maximum(high - low, 0), axis=2)
    union = area(first_xyxy)[:, None] + area(second_xyxy)[None, :] - inner
    return np.asarray(np.divide(inner, union, out=np.zeros_like(inner), where=union > 0))


def clip(boxes_xyxy: Boxes, width: int, height: int) -> Boxes:
    """Return the boxes cut to an image of ``width`` by ``height`` pixels."""
    return np.clip(boxes_xyxy, 0, np.array([width, height, width, height], dtype=np.float32))


def touches_edge(
    boxes_xyxy: Boxes, width: int, height: int, tolerance_px: float = 1.0
) -> NDArray[np.bool_]:
    """Tell which boxes reach the left, top, right and bottom border of the image.

    Args:
        boxes_xyxy: boxes, shape (n, 4), in pixels.
        width: image width in pixels.
        height: image height in pixels.
        tolerance_px: how near to the border still counts as touching it.

    Returns:
        shape (n, 4), columns left, top, right, bottom.
    """
    return np.stack(
        [
            boxes_xyxy[:, 0] <= tolerance_px,
            boxes_xyxy[:, 1] <= tolerance_px,
            boxes_xyxy[:, 2] >= width - tolerance_px,
            boxes_xyxy[:, 3] >= height - tolerance_px,
        ],
        axis=1,
    )


def suppress(
    boxes_xyxy: Boxes, scores: NDArray[np.float32], iou_threshold: float
) -> NDArray[np.int64]:
    """Return the indices that greedy non-maximum suppression keeps, best score first.

    A box falls to any better box that it overlaps by more than ``iou_threshold``. There is no
    limit on how many remain.

    Args:
        boxes_xyxy: boxes, shape (n, 4), in pixels.
        scores: shape (n,); ties go to the earlier box.
        iou_threshold: in [0, 1].
    """
    order = np.argsort(-scores, kind="stable")
    better, worse = _rivals(boxes_xyxy[order], iou_threshold)
    alive = [True] * len(order)
    for first, second in zip(better.tolist(), worse.tolist(), strict=True):
        if alive[first]:
            alive[second] = False
    return np.asarray(order[np.array(alive, dtype=np.bool_)], dtype=np.int64)


def _rivals(ranked: Boxes, iou_threshold: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return every pair of boxes that overlap by more than ``iou_threshold``.

    Two such boxes share more than ``iou_threshold`` of the wider one's width, so the one on the
    right starts within the rest of the other's width. Sorted by their left sides, the boxes are
    compared with these neighbours only, about a million pairs at a time. Two numbers are kept for
    each pair that overlaps so much.

    Returns:
        the index of the better and that of the worse, shape (pairs,) each, best first.
    """
    by_left = np.argsort(ranked[:, 0], kind="stable")
    left, top, right, bottom = np.ascontiguousarray(ranked[by_left].T)
    areas = area(ranked)[by_left]
    reach = left + (1.001 - iou_threshold) * (right - left)  # a hair more, for rounding
    here = np.arange(len(left))
    neighbours = np.maximum(np.searchsorted(left, reach, side="right") - here - 1, 0)
    better, worse = [], []
    last_of_part = np.flatnonzero(np.diff(np.cumsum(neighbours) // PAIRS_AT_ONCE))
    for part in np.split(here, last_of_part + 1):
        counts = neighbours[part]
        first = np.repeat(part, counts)
        starts = part + 1 - np.cumsum(counts) + counts
        second = np.arange(len(first)) + np.repeat(starts, counts)
        width = np.minimum(right[first], right[second]) - left[second]
        height = np.minimum(bottom[first], bottom[second]) - np.maximum(top[first], top[second])
        inner = np.maximum(width, 0) * np.maximum(height, 0)
        falls = inner > iou_threshold * (areas[first] + areas[second] - inner)
        ranks = by_left[first[falls]], by_left[second[falls]]
        better.append(np.minimum(*ranks))
        worse.append(np.maximum(*ranks))
    pairs = np.concatenate(better), np.concatenate(worse)
    best_first = np.argsort(pairs[0], kind="stable")
    return pairs[0][best_first], pairs[1][best_first]
