"""Detections to numbers: the edge rule, and what it leaves out."""

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
    rule: EdgeRule, found: Detections, image: SmearImage, scale: Scale
) -> NDArray[np.bool_]:
    """Tell which detections count under an edge rule.

    Args:
        rule: ``all``, ``inside`` or ``two-edges`` (see :data:`smearcount.settings.EdgeRule`).
        found: the detections, boxes in pixels of the image.
        image: for its size.
        scale: tells how near the border is.

    Returns:
        shape (n,), True where the detection counts.
    """
    if rule == "all":
        return np.ones(len(found), dtype=np.bool_)
    near = border_tolerance_px(scale.rbc_diameter_px)
    touching = touches_edge(found.boxes_xyxy_px, image.width, image.height, near)
    forbidden = touching if rule == "inside" else touching[:, 2:]
    return np.logical_not(forbidden.any(axis=1))


def count_labels(labels: NDArray[np.int64], classes: Sequence[str]) -> dict[str, int]:
    """Return how often each class occurs, by name, in label order."""
    tally = np.bincount(labels, minlength=len(classes) + 1)[1:]
    return {name: int(n) for name, n in zip(classes, tally, strict=True)}
