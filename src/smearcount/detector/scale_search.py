"""Search for the magnification by detection, for images whose magnification cannot be estimated.

A small window in the middle of the image is detected at a series of magnifications, each half an
octave apart. At the right one, whole red cells are found and cover much of the window; at a wrong
one hardly any are found, or parts of cells and clumps of them pass for cells, which cover less.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from smearcount.classes import RBC
from smearcount.detections.boxes import area
from smearcount.detector.detector import Detector
from smearcount.detector.inference import run_inference
from smearcount.image.image import SmearImage

MIN_RBC_PX: Final = 6.0
"""The smallest diameter of a red cell that is tried, in image pixels."""

STEP: Final = 2**0.5
"""The factor between one diameter that is tried and the next."""

WINDOW_RBC: Final = 12
"""The side of the window, in diameters of a red cell."""

MAX_RBC_SHARE: Final = 0.7
"""The largest diameter that is tried, as a share of the image's shorter side."""

MIN_COVER: Final = 0.02
"""If red cells cover less than this share of every window, the search has no result."""


def search_rbc_px(image: SmearImage, detector: Detector) -> float | None:
    """Return the diameter of a red cell in image pixels at which the detector sees most of them.

    Args:
        image: of any magnification.
        detector: detects red cells, at the magnification of its card.

    Returns:
        right within about a factor of 1.3 (measured on 17 photographs at four sizes and on three
        mosaics of shrunken ones); None if hardly any red cell is found at any magnification.
    """
    label = detector.card.classes.index(RBC) + 1
    best_rbc_px, best_cover = None, MIN_COVER
    rbc_px = MIN_RBC_PX
    while rbc_px <= MAX_RBC_SHARE * min(image.width, image.height):
        window = _middle(image, WINDOW_RBC * rbc_px)
        found = run_inference(window, detector, rbc_px)
        sure = found.detections.above(detector.card.thresholds)
        rbc = sure[sure.labels == label]
        cover = float((area(rbc.boxes_xyxy_px) * rbc.scores).sum())
        cover /= window.width * window.height
        if cover > best_cover:
            measured = float(np.median(found.whole_rbc_px)) if len(found.whole_rbc_px) else rbc_px
            best_rbc_px, best_cover = measured, cover
        rbc_px *= STEP
    return best_rbc_px


def _middle(image: SmearImage, side: float) -> SmearImage:
    """Return the middle of an image, a square of at most ``side`` pixels."""
    width, height = min(image.width, round(side)), min(image.height, round(side))
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))
