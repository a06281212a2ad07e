"""Detecting in a field of any magnification.

The image is brought to the magnification that the network knows, and what is found comes back in
image pixels. A human red cell is about 7.5 µm wide, so the cells found also tell how large a pixel
is, and whether the first guess was right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from smearcount.classes import RBC
from smearcount.detections.detections import Detections
from smearcount.detector.card import ModelCard
from smearcount.detector.detector import Detector, ThreadedDetector
from smearcount.detector.inference import Look, look_at
from smearcount.detector.magnification import read_ruler
from smearcount.detector.scale import RBC_UM, Scale, ScaleSource
from smearcount.image.image import SmearImage

SMALLEST_RBC_PX: Final = 4.0
"""Nobody can count red cells that are smaller than this in the image."""

ENOUGH_TO_MEASURE: Final = 3
"""So many whole red cells have a median diameter that is reported."""

OFF_BY: Final = 1.1
"""A guess that they contradict by more than this factor is worth another look."""

FEW_OFF_BY: Final = 1.2
"""Fewer cells must contradict it by more."""

CLOSER: Final = 2**0.5
"""Where few whole red cells are found and contradict nothing, the field is shown so much larger:
in pictures unlike the training images the ruler errs towards large cells, shown too small."""

SURER: Final = 1.1
"""That look must pay: the scores of the red cells sum to more than so many times as much, and
enough of them are whole. Else, of huge cells, parts and platelets would pass for red cells."""

LOOKS_AGAIN: Final = 3
"""Cells shown far too large or too small are boxed nearer to the size that the network knows: one
correction is not enough."""

DOUBTED_FROM: Final = 1.5
"""A pixel size is tested where the ruler reads red cells so many times as large or small."""

HIDES: Final = 1.5
"""It is doubted where red cells' scores sum to more than so many times as much without it."""

MOST_DOUBT_OCTAVES: Final = 1.0
"""A ruler that may be wrong by more than a factor of two is not followed."""


@dataclass(frozen=True, eq=False)
class Field:
    """What a detector sees in an image.

    Attributes:
        detections: with scores from ``SCORE_FLOOR`` on, boxes in image pixels, inside the image.
        scale: the magnification.
    """

    detections: Detections
    scale: Scale


def detect_field(
    image: SmearImage, detector: Detector, pixel_size_um: float | None = None
) -> Field:
    """Find the cells of an image.

    The size of a red cell is taken from ``pixel_size_um``, else from the file unless the picture
    plainly contradicts it, else estimated from the picture, else as in the training images. An
    estimate that the cells found contradict, or at which hardly any are found, is corrected, at
    most three times.

    Args:
        image: of any size and magnification.
        detector: finds cells at the magnification of its card.
        pixel_size_um: micrometres per image pixel, if known.

    Raises:
        ImageError: the image cannot be read.
    """
    card = detector.card
    known_um, source = _known(image, pixel_size_um)
    if known_um is not None:
        look = look_at(image, detector, RBC_UM / known_um)
        testable = card.rbc_px and RBC in card.classes
        other = _without_pixel_size(look, image, detector) if testable else None
        if other is None or source == "user":
            scale = Scale(_measured(look), known_um, source, doubted=other is not None)
            return Field(look.found, scale)
        return Field(other.found, _estimated(other, doubted=True))
    if card.rbc_px is None:
        look = look_at(image, detector, None)
        return Field(look.found, _estimated(look))
    guess, source = _guess(image, detector)
    if RBC not in card.classes:  # nothing found could correct the ruler
        look = look_at(image, detector, guess)
        return Field(look.found, Scale(guess, RBC_UM / guess, source))
    look = _settle(look_at(image, detector, guess), image, detector)
    as_guessed = look.rbc_px == guess and len(look.whole_px) < ENOUGH_TO_MEASURE
    return Field(look.found, _estimated(look, source if as_guessed else "estimated"))


def _known(image: SmearImage, pixel_size_um: float | None) -> tuple[float | None, ScaleSource]:
    if pixel_size_um is not None:
        return pixel_size_um, "user"
    if image.pixel_size_um is not None:
        return image.pixel_size_um, "file"
    return None, "estimated"


def _guess(image: SmearImage, detector: Detector) -> tuple[float, ScaleSource]:
    """Return the diameter of a red cell in image pixels before any is found."""
    reading = read_ruler(image, _threads(detector))
    usual = detector.card.source_rbc_px
    if reading.doubt_octaves > MOST_DOUBT_OCTAVES and usual:
        return usual, "assumed"
    return max(reading.rbc_px, SMALLEST_RBC_PX), "estimated"


def _without_pixel_size(known: Look, image: SmearImage, detector: Detector) -> Look | None:
    """Return what is seen without the pixel size where that is far more, else None.

    Where enough whole red cells agree with the pixel size, nothing else is tried.
    """
    assert known.rbc_px is not None
    if len(known.whole_px) >= ENOUGH_TO_MEASURE and _contradiction(known, detector.card) is None:
        return None
    reading = read_ruler(image, _threads(detector))
    off_by = max(reading.rbc_px / known.rbc_px, known.rbc_px / reading.rbc_px)
    if off_by <= DOUBTED_FROM or reading.doubt_octaves > MOST_DOUBT_OCTAVES:
        return None
    guess = max(reading.rbc_px, SMALLEST_RBC_PX)
    other = _settle(look_at(image, detector, guess), image, detector)
    return other if other.red_score > HIDES * known.red_score else None


def _threads(detector: Detector) -> int:
    """Return the threads that a look takes, so that the ruler takes as many."""
    return detector.threads if isinstance(detector, ThreadedDetector) else 1


def _measured(look: Look) -> float | None:
    """Return the diameter of a red cell in image pixels, as found or else as taken."""
    enough = len(look.whole_px) >= ENOUGH_TO_MEASURE
    return float(np.median(look.whole_px)) if enough else look.rbc_px


def _estimated(look: Look, source: ScaleSource = "estimated", doubted: bool = False) -> Scale:
    measured = _measured(look)
    if measured is None or not look.red_score:
        return Scale(None, None, "assumed", doubted)
    return Scale(measured, RBC_UM / measured, source, doubted)


def _settle(look: Look, image: SmearImage, detector: Detector) -> Look:
    """Look again as long as another magnification may show the cells better."""
    for _ in range(LOOKS_AGAIN):
        assert look.rbc_px is not None
        better = _contradiction(look, detector.card)
        must_pay = better is None
        if better is None and len(look.whole_px) < ENOUGH_TO_MEASURE:
            better = look.rbc_px / CLOSER
        if better is None or better < SMALLEST_RBC_PX:
            break
        again = look_at(image, detector, better)
        needed = ENOUGH_TO_MEASURE if must_pay else 1
        pays = again.red_score > SURER * look.red_score
        if len(again.whole_px) < needed or (must_pay and not pays):
            break
        look = again
    return look


def _contradiction(look: Look, card: ModelCard) -> float | None:
    """Return the diameter in image pixels that the cells found speak for, if not the one taken."""
    assert look.rbc_px is not None
    if len(look.whole_px):
        measured = float(np.median(look.whole_px))
    elif not look.red_score and card.source_rbc_px:
        measured = card.source_rbc_px
    else:
        return None
    allowed = OFF_BY if len(look.whole_px) >= ENOUGH_TO_MEASURE else FEW_OFF_BY
    return measured if max(measured / look.rbc_px, look.rbc_px / measured) > allowed else None
