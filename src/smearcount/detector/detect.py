"""Detection in an image of any magnification.

The image is resized to the magnification that the network was trained at, and the detections are
returned in image pixels. A human red cell is about 7.5 µm wide, so the detected cells also tell how
large a pixel is, and whether the first estimate of the magnification was right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from smearcount.classes import RBC
from smearcount.detections.boxes import center
from smearcount.detections.detections import Detections
from smearcount.detector.detector import Detector, ThreadedDetector
from smearcount.detector.inference import InferencePass, run_inference
from smearcount.detector.magnification import estimate_magnification
from smearcount.detector.rescale import (
    MIN_CELLS,
    MIN_RBC_PX,
    MIN_SCORE_GAIN,
    better_rbc_px,
    rescale,
    search_rbc_px,
)
from smearcount.detector.scale import RBC_UM, Scale, ScaleSource
from smearcount.image.field_of_view import (
    crop_to_field_of_view,
    find_field_of_view,
    with_field_of_view,
)
from smearcount.image.image import FieldOfView, SmearImage

PIXEL_SIZE_CHECK_RATIO: Final = 1.5
"""A given pixel size is checked if the estimator reads red cells that are larger or smaller by more
than this factor."""

PIXEL_SIZE_REJECTION_GAIN: Final = 1.5
"""It is contradicted if, without it, the scores of the red cells sum to more than this many times
the sum with it."""

MAX_LOG2_ERROR: Final = 1.0
"""An estimate of the magnification that may be wrong by more than a factor of two is not used."""


@dataclass(frozen=True, eq=False)
class DetectionResult:
    """What a detector finds in an image.

    Attributes:
        detections: with scores of at least ``SCORE_FLOOR``, boxes in image pixels, inside the
            image.
        scale: how large a pixel and a red cell are.
        field_of_view: the part of the image that shows the smear; None if that is all of it.
    """

    detections: Detections
    scale: Scale
    field_of_view: FieldOfView | None = None


def detect(
    image: SmearImage, detector: Detector, pixel_size_um: float | None = None
) -> DetectionResult:
    """Detect the cells in the field of view of an image.

    Black surround, bars and text are left out first. The size of a red cell is taken from
    ``pixel_size_um``, else from the file unless the image plainly contradicts it, else estimated
    from the image, else assumed to be that of the training images. If the detected cells contradict
    an estimate, it is corrected and the image is detected again, at most three times. If hardly any
    are detected, the magnification is searched for by detection.

    Args:
        image: of any size and magnification.
        detector: detects cells at the magnification of its card.
        pixel_size_um: micrometers per image pixel, if known.

    Raises:
        ImageError: the image cannot be read.
    """
    field = find_field_of_view(image)
    if field is None:
        return _detect_everywhere(image, detector, pixel_size_um)
    visible = crop_to_field_of_view(with_field_of_view(image, field))
    result = _detect_everywhere(visible, detector, pixel_size_um)
    found = result.detections
    offset = np.array(field.bounds[:2] * 2, dtype=np.float32)
    moved = Detections(found.boxes_xyxy_px + offset, found.scores, found.labels)
    shown = moved[field.contains(center(moved.boxes_xyxy_px))]
    return DetectionResult(shown, result.scale, field)


def _detect_everywhere(
    image: SmearImage, detector: Detector, pixel_size_um: float | None
) -> DetectionResult:
    """Detect the cells of an image that shows nothing but smear."""
    card = detector.card
    known_um, source = _known_pixel_size(image, pixel_size_um)
    if known_um is not None:
        given = run_inference(image, detector, RBC_UM / known_um)
        can_check = card.rbc_px and RBC in card.classes
        better = _better_without_pixel_size(given, image, detector) if can_check else None
        if better is None or source == "user":
            scale = Scale(_measured_rbc_px(given), known_um, source, better is not None)
            return DetectionResult(given.detections, scale)
        return DetectionResult(better.detections, _estimated_scale(better, contradicted=True))
    if card.rbc_px is None:
        only = run_inference(image, detector, None)
        return DetectionResult(only.detections, _estimated_scale(only))
    rbc_px, source = _initial_rbc_px(image, detector)
    first = run_inference(image, detector, rbc_px)
    if RBC not in card.classes:  # no detection could correct the estimate
        return DetectionResult(first.detections, Scale(rbc_px, RBC_UM / rbc_px, source))
    last = rescale(first, image, detector)
    if len(last.whole_rbc_px) < MIN_CELLS:
        searched = search_rbc_px(image, detector)
        if searched is not None:
            again = rescale(run_inference(image, detector, searched), image, detector)
            if again.rbc_score_sum > MIN_SCORE_GAIN * last.rbc_score_sum:
                last = again
    unchanged = last.rbc_px == rbc_px and len(last.whole_rbc_px) < MIN_CELLS
    scale = _estimated_scale(last, source if unchanged else "estimated")
    return DetectionResult(last.detections, scale)


def _known_pixel_size(
    image: SmearImage, pixel_size_um: float | None
) -> tuple[float | None, ScaleSource]:
    if pixel_size_um is not None:
        return pixel_size_um, "user"
    if image.pixel_size_um is not None:
        return image.pixel_size_um, "file"
    return None, "estimated"


def _initial_rbc_px(image: SmearImage, detector: Detector) -> tuple[float, ScaleSource]:
    """Return the diameter of a red cell in image pixels, before any is detected."""
    estimate = estimate_magnification(image, _threads(detector))
    usual = detector.card.source_rbc_px
    if estimate.log2_error > MAX_LOG2_ERROR and usual:
        return usual, "assumed"
    return max(estimate.rbc_px, MIN_RBC_PX), "estimated"


def _better_without_pixel_size(
    given: InferencePass, image: SmearImage, detector: Detector
) -> InferencePass | None:
    """Return a pass that ignores the pixel size if it finds far more red cells, else None.

    If enough whole red cells agree with the pixel size, nothing else is tried.
    """
    assert given.rbc_px is not None
    if len(given.whole_rbc_px) >= MIN_CELLS and better_rbc_px(given, detector.card) is None:
        return None
    estimate = estimate_magnification(image, _threads(detector))
    ratio = max(estimate.rbc_px / given.rbc_px, given.rbc_px / estimate.rbc_px)
    if ratio <= PIXEL_SIZE_CHECK_RATIO or estimate.log2_error > MAX_LOG2_ERROR:
        return None
    rbc_px = max(estimate.rbc_px, MIN_RBC_PX)
    other = rescale(run_inference(image, detector, rbc_px), image, detector)
    more_found = other.rbc_score_sum > PIXEL_SIZE_REJECTION_GAIN * given.rbc_score_sum
    return other if more_found else None


def _threads(detector: Detector) -> int:
    """Return the CPU threads of a pass, so that the magnification estimator takes as many."""
    return detector.threads if isinstance(detector, ThreadedDetector) else 1


def _measured_rbc_px(found: InferencePass) -> float | None:
    """Return the diameter of a red cell in image pixels: measured if enough are whole."""
    enough = len(found.whole_rbc_px) >= MIN_CELLS
    return float(np.median(found.whole_rbc_px)) if enough else found.rbc_px


def _estimated_scale(
    found: InferencePass, source: ScaleSource = "estimated", contradicted: bool = False
) -> Scale:
    measured = _measured_rbc_px(found)
    if measured is None or not found.rbc_score_sum:
        return Scale(None, None, "assumed", contradicted)
    return Scale(measured, RBC_UM / measured, source, contradicted)
