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

    Two such boxes share more than ``iou_threshold`` of the width of the wider one and of the height
    of the taller one, so that their left sides and their tops lie near each other. The boxes are
    sorted into bands by their tops, within a band by their left sides, and each is compared only
    with those within reach in its own band and in the next, about a million pairs at a time. No
    table of all pairs is ever built, whatever the shape of the image.

    Args:
        ranked: boxes, shape (n, 4), best first.
        iou_threshold: in [0, 1].

    Returns:
        the index of the better and of the worse box of each pair, shape (pairs,) each, sorted by
        the better one.
    """
    if not len(ranked):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    share = 1.001 - iou_threshold  # slightly more, for rounding
    exact = ranked.astype(np.float64)
    reach = share * np.maximum(exact[:, 2] - exact[:, 0], 0)
    band_height = max(share * float((exact[:, 3] - exact[:, 1]).max()), 1.0)
    band = np.floor((exact[:, 1] - exact[:, 1].min()) / band_height)
    # One number orders the boxes by band and then by left side: bands lie farther apart in it than
    # any box reaches.
    left = exact[:, 0] - exact[:, 0].min()
    stride = float(left.max()) + 2 * float(reach.max()) + 1
    key = band * stride + left
    order = np.argsort(key, kind="stable")
    key, reach = key[order], reach[order]
    indices = np.arange(len(order))
    own_end = np.searchsorted(key, key + reach, side="right")
    next_start = np.searchsorted(key, key + stride - reach.max(), side="left")
    next_end = np.searchsorted(key, key + stride + reach, side="right")
    better, worse = [], []
    for starts, ends in ((indices + 1, own_end), (next_start, next_end)):
        neighbors = np.maximum(ends - starts, 0)
        last_of_chunk = np.flatnonzero(np.diff(np.cumsum(neighbors) // PAIRS_AT_ONCE))
        for chunk in np.split(indices, last_of_chunk + 1):
            counts = neighbors[chunk]
            first = np.repeat(chunk, counts)
            second = np.arange(len(first)) + np.repeat(
                starts[chunk] - np.cumsum(counts) + counts, counts
            )
            ranks = order[first], order[second]
            overlap = _overlaps(ranked, *ranks, iou_threshold)
            better.append(np.minimum(*ranks)[overlap])
            worse.append(np.maximum(*ranks)[overlap])
    pairs = np.concatenate(better), np.concatenate(worse)
    best_first = np.argsort(pairs[0], kind="stable")
    return pairs[0][best_first], pairs[1][best_first]


def _overlaps(
    boxes: Boxes, first: NDArray[np.int64], second: NDArray[np.int64], iou_threshold: float
) -> NDArray[np.bool_]:
    """Return which pairs of boxes have an IoU above ``iou_threshold``, shape (pairs,)."""
    one, other = boxes[first], boxes[second]
    inner = area(
        np.concatenate(
            [np.maximum(one[:, :2], other[:, :2]), np.minimum(one[:, 2:], other[:, 2:])], axis=1
        )
    )
    return np.asarray(inner > iou_threshold * (area(one) + area(other) - inner))
