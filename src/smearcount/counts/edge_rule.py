"""The edge rule: which cells at the border of an image count."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from smearcount.detections.boxes import touches_edge
from smearcount.detections.detections import Detections
from smearcount.detector.scale import Scale, border_tolerance_px
from smearcount.image.image import SmearImage
from smearcount.settings import EdgeRule


def is_counted(
    rule: EdgeRule, detections: Detections, image: SmearImage, scale: Scale
) -> NDArray[np.bool_]:
    """Return which detections count under an edge rule.

    Args:
        rule: ``all``, ``inside`` or ``two-edges`` (see :data:`smearcount.settings.EdgeRule`).
        detections: boxes in pixels of the image.
        image: for its size and its field of view, whose edge takes the place of the border.
        scale: the size of the red cells sets how near to the border a box must end to touch it.

    Returns:
        shape (n,), bool: True where the detection counts.
    """
    if rule == "all":
        return np.ones(len(detections), dtype=np.bool_)
    tolerance_px = border_tolerance_px(scale.rbc_diameter_px)
    boxes = detections.boxes_xyxy_px
    if image.field_of_view is None:
        touches = touches_edge(boxes, image.width, image.height, tolerance_px)
    else:
        touches = image.field_of_view.touches_edge(boxes, tolerance_px)
    forbidden = touches if rule == "inside" else touches[:, 2:]  # left, top, right, bottom
    return np.logical_not(forbidden.any(axis=1))


def count_labels(labels: NDArray[np.int64], classes: Sequence[str]) -> dict[str, int]:
    """Return how often each class occurs, by name, in label order.

    Args:
        labels: shape (n,), 1-based.
        classes: class names in label order.
    """
    numbers = np.bincount(labels, minlength=len(classes) + 1)[1:]
    return {name: int(n) for name, n in zip(classes, numbers, strict=True)}
