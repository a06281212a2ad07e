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

FEW_BOXES: Final = 1000
"""Up to so many boxes, all pairs are compared at once: fast, at a byte per pair."""


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
    limit on how many remain. Many boxes are compared with their neighbours along x only, so memory
    stays proportional to the boxes that can meet, not to their square.

    Args:
        boxes_xyxy: boxes, shape (n, 4), in pixels.
        scores: shape (n,); ties go to the earlier box.
        iou_threshold: in [0, 1].
    """
    order = np.argsort(-scores, kind="stable")
    ranked = boxes_xyxy[order]
    few = len(ranked) <= FEW_BOXES
    alive = _alive_of_few(ranked, iou_threshold) if few else _alive_of_many(ranked, iou_threshold)
    return np.asarray(order[alive], dtype=np.int64)


def _alive_of_few(ranked: Boxes, iou_threshold: float) -> NDArray[np.bool_]:
    """Tell which boxes remain, best first, by looking at all pairs at once."""
    left, top, right, bottom = np.ascontiguousarray(ranked.T)
    meet = (left[:, None] < right) & (top[:, None] < bottom)
    meet &= meet.T
    better, worse = np.divmod(np.flatnonzero(meet), len(ranked))
    later = better < worse
    better, worse = better[later], worse[later]
    width = np.minimum(right[better], right[worse]) - np.maximum(left[better], left[worse])
    height = np.minimum(bottom[better], bottom[worse]) - np.maximum(top[better], top[worse])
    inner = np.maximum(width, 0) * np.maximum(height, 0)
    areas = area(ranked)
    falls = inner > iou_threshold * (areas[worse] + areas[better] - inner)
    alive = [True] * len(ranked)
    for first, second in zip(better[falls].tolist(), worse[falls].tolist(), strict=True):
        if alive[first]:
            alive[second] = False
    return np.array(alive, dtype=np.bool_)


def _alive_of_many(ranked: Boxes, iou_threshold: float) -> NDArray[np.bool_]:
    """Tell which boxes remain, best first, by looking at the neighbours of each."""
    by_left = np.argsort(ranked[:, 0], kind="stable")
    lefts = ranked[by_left, 0]
    widest = float((ranked[:, 2] - ranked[:, 0]).max(initial=0))
    areas = area(ranked)
    alive = np.ones(len(ranked), dtype=np.bool_)
    for best in range(len(ranked)):
        if not alive[best]:
            continue
        x0, y0, x1, y1 = ranked[best]
        near = by_left[np.searchsorted(lefts, x0 - widest) : np.searchsorted(lefts, x1)]
        near = near[(near > best) & alive[near]]
        if not len(near):
            continue
        others = ranked[near]
        width = np.minimum(others[:, 2], x1) - np.maximum(others[:, 0], x0)
        height = np.minimum(others[:, 3], y1) - np.maximum(others[:, 1], y0)
        inner = np.maximum(width, 0) * np.maximum(height, 0)
        alive[near[inner > iou_threshold * (areas[near] + areas[best] - inner)]] = False
    return alive
