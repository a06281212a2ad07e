"""One look at an image at one magnification, in one piece or by tiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.classes import RBC
from smearcount.detections.boxes import area, centre, clip, diameter, suppress, touches_edge
from smearcount.detections.detections import Detections
from smearcount.detector.border_correction import with_border_doubt
from smearcount.detector.detector import DenseDetector, Detector
from smearcount.detector.tiles import tiles
from smearcount.image.image import SmearImage
from smearcount.image.resample import network_size, view

WHOLE_AREA: Final = 1_200_000
"""Fields of at most so many network pixels are looked at in one piece."""

TILE_SIDE: Final = 1024
"""Side of a tile in network pixels; a tile takes about as much memory as the largest whole."""


@dataclass(frozen=True, eq=False)
class Look:
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


def look_at(image: SmearImage, detector: Detector, rbc_px: float | None) -> Look:
    """Look at the image with its red cells shown as the detector knows them, or as it is."""
    card = detector.card
    size = (image.width, image.height)
    if card.rbc_px is not None and rbc_px is not None:
        size = network_size(*size, card.rbc_px / rbc_px, card.stride)
    seen = _clipped(_find(image, detector, size), image, size)
    found = with_border_doubt(seen, image.width, image.height, card, rbc_px)
    sure = found.above(card.thresholds)
    red = sure[sure.labels == (card.classes.index(RBC) + 1 if RBC in card.classes else 0)]
    # Only what ends at the very border is no measure: of few cells a median needs every one.
    cut = touches_edge(red.boxes_xyxy_px, image.width, image.height).any(axis=1)
    return Look(rbc_px, found, diameter(red.boxes_xyxy_px[~cut]), float(red.scores.sum()))


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
