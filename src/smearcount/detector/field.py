"""Detecting in a whole field of any magnification and any size.

The image is brought to the magnification that the network knows, cut into tiles where it is large,
and what is found comes back in image pixels. A human red cell is about 7.5 µm wide, so the cells
found also tell how large a pixel is, and whether the first guess was right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.classes import RBC
from smearcount.detections.boxes import area, centre, clip, diameter, suppress, touches_edge
from smearcount.detections.detections import Detections
from smearcount.detector.border import with_border_doubt
from smearcount.detector.card import ModelCard
from smearcount.detector.detector import DenseDetector, Detector
from smearcount.detector.prepare import network_size
from smearcount.detector.ruler import read_ruler
from smearcount.detector.scale import RBC_UM, Scale, ScaleSource, border_px
from smearcount.detector.view import view
from smearcount.errors import UsageError
from smearcount.image.image import SmearImage
from smearcount.image.tiles import tiles

WHOLE_AREA: Final = 1_200_000
"""Fields of at most so many network pixels are looked at in one piece."""

TILE_SIDE: Final = 1024
"""Side of a tile in network pixels; a tile takes about as much memory as the largest whole."""

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
"""That look must pay: the scores of the red cells sum to more than so many times as much."""

LOOKS_AGAIN: Final = 3
"""Cells shown far too large or too small are boxed nearer to the size that the network knows: one
correction is not enough."""

DOUBTED_FROM: Final = 2.0
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
    estimate that the cells found contradict,
    or at which hardly any are found, is corrected, at most three times.

    Args:
        image: of any size and magnification.
        detector: finds cells at the magnification of its card.
        pixel_size_um: micrometres per image pixel, if known.

    Raises:
        ImageError: the image cannot be read.
        UsageError: at this pixel size a red cell would be smaller than 4 px.
    """
    card = detector.card
    known_um, source = _known(image, pixel_size_um)
    if known_um is not None:
        look = _look(image, detector, RBC_UM / known_um)
        other = _without_pixel_size(look, image, detector) if card.rbc_px else None
        if other is None or source == "user":
            scale = Scale(_measured(look), known_um, source, doubted=other is not None)
            return Field(look.found, scale)
        return Field(other.found, _estimated(other, doubted=True))
    if card.rbc_px is None:
        look = _look(image, detector, None)
        return Field(look.found, _estimated(look))
    guess, source = _guess(image, card)
    look = _settle(_look(image, detector, guess), image, detector)
    as_guessed = look.rbc_px == guess and len(look.whole_px) < ENOUGH_TO_MEASURE
    return Field(look.found, _estimated(look, source if as_guessed else "estimated"))


def _known(image: SmearImage, pixel_size_um: float | None) -> tuple[float | None, ScaleSource]:
    if pixel_size_um is not None:
        if RBC_UM / pixel_size_um < SMALLEST_RBC_PX:
            raise UsageError(
                f"At {pixel_size_um} µm per px a red cell would be only "
                f"{RBC_UM / pixel_size_um:.2g} px wide; give micrometres per pixel, "
                "such as 0.1."
            )
        return pixel_size_um, "user"
    from_file = image.pixel_size_um
    if from_file is not None and RBC_UM / from_file >= SMALLEST_RBC_PX:
        return from_file, "file"
    return None, "estimated"


def _guess(image: SmearImage, card: ModelCard) -> tuple[float, ScaleSource]:
    """Return the diameter of a red cell in image pixels before any is found."""
    reading = read_ruler(image)
    usual = card.source_rbc_px
    if reading.doubt_octaves > MOST_DOUBT_OCTAVES and usual:
        return usual, "assumed"
    return max(reading.rbc_px, SMALLEST_RBC_PX), "estimated"


def _without_pixel_size(known: _Look, image: SmearImage, detector: Detector) -> _Look | None:
    """Return what is seen without the pixel size where that is far more, else None."""
    assert known.rbc_px is not None
    reading = read_ruler(image)
    off_by = max(reading.rbc_px / known.rbc_px, known.rbc_px / reading.rbc_px)
    if off_by <= DOUBTED_FROM or reading.doubt_octaves > MOST_DOUBT_OCTAVES:
        return None
    guess = max(reading.rbc_px, SMALLEST_RBC_PX)
    other = _settle(_look(image, detector, guess), image, detector)
    return other if other.red_score > HIDES * known.red_score else None


def _measured(look: _Look) -> float | None:
    """Return the diameter of a red cell in image pixels, as found or else as taken."""
    enough = len(look.whole_px) >= ENOUGH_TO_MEASURE
    return float(np.median(look.whole_px)) if enough else look.rbc_px


def _estimated(look: _Look, source: ScaleSource = "estimated", doubted: bool = False) -> Scale:
    measured = _measured(look)
    if measured is None or not look.red_score:
        return Scale(None, None, "assumed", doubted)
    return Scale(measured, RBC_UM / measured, source, doubted)


@dataclass(frozen=True, eq=False)
class _Look:
    """What is found where a red cell is taken to be so wide.

    Attributes:
        rbc_px: diameter of a red cell in image pixels; None where the detector does not ask.
        found: detections in image pixels.
        whole_px: diameters in image pixels of the red cells that count and that the border does
            not cut, shape (n,).
        red_score: sum of the scores of all red cells that count.
    """

    rbc_px: float | None
    found: Detections
    whole_px: NDArray[np.float32]
    red_score: float


def _look(image: SmearImage, detector: Detector, rbc_px: float | None) -> _Look:
    """Look at the image with its red cells shown as the detector knows them, or as it is."""
    card = detector.card
    size = (image.width, image.height)
    if card.rbc_px is not None and rbc_px is not None:
        size = network_size(*size, card.rbc_px / rbc_px, card.stride)
    seen = _clipped(_find(image, detector, size), image, size)
    found = with_border_doubt(seen, image.width, image.height, card, rbc_px)
    sure = found.above(card.thresholds)
    red = sure[sure.labels == (card.classes.index(RBC) + 1 if RBC in card.classes else 0)]
    near = border_px(rbc_px)
    cut = touches_edge(red.boxes_xyxy_px, image.width, image.height, near).any(axis=1)
    return _Look(rbc_px, found, diameter(red.boxes_xyxy_px[~cut]), float(red.scores.sum()))


def _settle(look: _Look, image: SmearImage, detector: Detector) -> _Look:
    """Look again as long as another magnification may show the cells better."""
    for _ in range(LOOKS_AGAIN):
        assert look.rbc_px is not None
        better = _contradiction(look, detector.card)
        must_pay = better is None
        if better is None and len(look.whole_px) < ENOUGH_TO_MEASURE:
            better = look.rbc_px / CLOSER
        if better is None or better < SMALLEST_RBC_PX:
            break
        again = _look(image, detector, better)
        if not len(again.whole_px) or (must_pay and again.red_score <= SURER * look.red_score):
            break
        look = again
    return look


def _contradiction(look: _Look, card: ModelCard) -> float | None:
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


def _find(image: SmearImage, detector: Detector, size: tuple[int, int]) -> Detections:
    """Return the detections of an image shown at ``size``, in pixels of that size."""
    small = size[0] * size[1] <= WHOLE_AREA
    if small or not detector.card.receptive_px or not isinstance(detector, DenseDetector):
        return detector.detect(view(image, size))
    return look_by_tiles(image, detector, size, TILE_SIDE)


def look_by_tiles(
    image: SmearImage, detector: DenseDetector, size: tuple[int, int], side: int
) -> Detections:
    """Return the detections of an image shown at ``size``, looking at one tile at a time.

    Each candidate belongs to the tile whose core holds its centre. Suppression comes last and
    over the whole field, so a cell at a seam is judged against the same rivals as any other.

    Args:
        image: the image.
        detector: its ``card.receptive_px`` is the margin around the cores.
        size: width and height of the whole field in network pixels.
        side: of the tiles, in network pixels.
    """
    card = detector.card
    parts = []
    for tile in tiles(*size, side, card.receptive_px, card.stride):
        found = detector.candidates(view(image, size, tile.window))
        left, top = tile.window[:2]
        boxes = found.boxes_xyxy_px + np.array([left, top, left, top], np.float32)
        owned = tile.owns(centre(boxes))
        parts.append((boxes[owned], found.scores[owned], found.labels[owned]))
    boxes, scores, labels = (np.concatenate(part) for part in zip(*parts, strict=True))
    found = Detections(boxes, scores, labels)
    return found[suppress(found.boxes_xyxy_px, found.scores, card.iou_threshold)]


def _clipped(found: Detections, image: SmearImage, size: tuple[int, int]) -> Detections:
    """Return detections in image pixels, cut to the image, without those wholly outside."""
    zoom = np.array([image.width / size[0], image.height / size[1]] * 2, dtype=np.float32)
    boxes = clip(found.boxes_xyxy_px * zoom, image.width, image.height)
    inside = area(boxes) > 0
    return Detections(boxes[inside], found.scores[inside], found.labels[inside])
