"""Geometry of boxes on plain arrays: area, center, IoU, clipping, touching the border.

A box is ``xyxy`` in pixels: left, top, right, bottom as half-open pixel edges with the origin at
the top left corner of the image, so that a box around the single pixel (0, 0) is ``0, 0, 1, 1``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]
"""Boxes, shape (n, 4), float32, xyxy in pixels."""


def area(boxes_xyxy: Boxes) -> NDArray[np.float32]:
    """Return the area of each box in square pixels, shape (n,); inverted boxes have area 0."""
    width = np.maximum(boxes_xyxy[:, 2] - boxes_xyxy[:, 0], 0)
    height = np.maximum(boxes_xyxy[:, 3] - boxes_xyxy[:, 1], 0)
    return np.asarray(width * height, dtype=np.float32)


def center(boxes_xyxy: Boxes) -> NDArray[np.float32]:
    """Return the center (x, y) of each box in pixels, shape (n, 2)."""
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
    """Return which boxes reach the left, top, right and bottom border of the image.

    Args:
        boxes_xyxy: boxes, shape (n, 4), in pixels.
        width: image width in pixels.
        height: image height in pixels.
        tolerance_px: a box that ends this near to the border still touches it.

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
