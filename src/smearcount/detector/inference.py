"""One inference pass over an image at one magnification, in one piece or tile by tile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.classes import RBC
from smearcount.detections.boxes import area, center, clip, diameter, touches_edge
from smearcount.detections.detections import Detections
from smearcount.detections.nms import nms
from smearcount.detector.border_correction import correct_border_scores
from smearcount.detector.detector import DenseDetector, Detector
from smearcount.detector.tiles import tiles
from smearcount.image.image import SmearImage
from smearcount.image.resample import network_size, resize_image

SCORE_FLOOR: Final = 0.01
"""Detections with a lower score are never returned, whatever the threshold."""

MAX_UNTILED_AREA: Final = 1_200_000
"""Images of at most this many network pixels are detected in one piece."""

TILE_SIDE: Final = 1024
"""Side of a tile in network pixels; a tile takes about as much memory as the largest image that is
not tiled."""


@dataclass(frozen=True, eq=False)
class InferencePass:
    """What one pass finds, given how wide a red cell is assumed to be.

    Attributes:
        rbc_px: the assumed diameter of a red cell in image pixels; None for a detector that takes
            images as they are.
        detections: boxes in image pixels.
        whole_rbc_px: the diameters, in image pixels, of the red cells that reach their threshold
            and are not cut by the border, shape (n,).
        rbc_score_sum: the sum of the scores of all red cells that reach their threshold.
    """

    rbc_px: float | None
    detections: Detections
    whole_rbc_px: NDArray[np.float32]
    rbc_score_sum: float


def run_inference(image: SmearImage, detector: Detector, rbc_px: float | None) -> InferencePass:
    """Run the detector once, with the image resized so that red cells have their trained size.

    Args:
        image: the image.
        detector: the detector.
        rbc_px: the assumed diameter of a red cell in image pixels; None leaves the image as it is.
    """
    card = detector.card
    size = (image.width, image.height)
    if card.rbc_px is not None and rbc_px is not None:
        size = network_size(*size, card.rbc_px / rbc_px, card.stride)
    raw = _in_image_pixels(_detect_at_size(image, detector, size), image, size)
    detections = correct_border_scores(raw, image.width, image.height, card, rbc_px)
    sure = detections.above(card.thresholds)
    rbc = sure[sure.labels == (card.classes.index(RBC) + 1 if RBC in card.classes else 0)]
    # Only boxes that end within 1 px of the border are left out here, fewer than the border
    # correction changes: where cells are few, the median needs every one of them.
    cut = touches_edge(rbc.boxes_xyxy_px, image.width, image.height).any(axis=1)
    whole_px = diameter(rbc.boxes_xyxy_px[~cut])
    return InferencePass(rbc_px, detections, whole_px, float(rbc.scores.sum()))


def _detect_at_size(image: SmearImage, detector: Detector, size: tuple[int, int]) -> Detections:
    """Return the detections of an image resized to ``size``, in pixels of that size."""
    small = size[0] * size[1] <= MAX_UNTILED_AREA
    if small or not detector.card.receptive_px or not isinstance(detector, DenseDetector):
        return detector.detect(resize_image(image, size))
    return detect_tiled(image, detector, size, TILE_SIDE)


def detect_tiled(
    image: SmearImage, detector: DenseDetector, size: tuple[int, int], side: int
) -> Detections:
    """Return the detections of an image resized to ``size``, one tile at a time.

    Each candidate belongs to the tile whose core holds its center. NMS comes last and over the
    whole image, so a cell at a seam competes with the same boxes as any other cell.

    Args:
        image: the image.
        detector: its ``card.receptive_px`` is the margin around the cores.
        size: width and height of the whole resized image, in network pixels.
        side: of the tiles, in network pixels.
    """
    card = detector.card
    parts = []
    for tile in tiles(*size, side, card.receptive_px, card.stride):
        found = detector.candidates(resize_image(image, size, tile.window))
        left, top = tile.window[:2]
        boxes = found.boxes_xyxy_px + np.array([left, top, left, top], np.float32)
        owned = tile.owns(center(boxes))
        parts.append((boxes[owned], found.scores[owned], found.labels[owned]))
    boxes, scores, labels = (np.concatenate(part) for part in zip(*parts, strict=True))
    merged = Detections(boxes, scores, labels)
    return merged[nms(merged.boxes_xyxy_px, merged.scores, card.iou_threshold)]


def _in_image_pixels(
    detections: Detections, image: SmearImage, size: tuple[int, int]
) -> Detections:
    """Return detections in image pixels, clipped to the image; those wholly outside are dropped."""
    zoom = np.array([image.width / size[0], image.height / size[1]] * 2, dtype=np.float32)
    boxes = clip(detections.boxes_xyxy_px * zoom, image.width, image.height)
    inside = area(boxes) > 0
    return Detections(boxes[inside], detections.scores[inside], detections.labels[inside])
