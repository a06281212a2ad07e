"""Cells that the border cuts, of which people mark some and leave out others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smearcount.classes import RBC
from smearcount.detections.boxes import touches_edge
from smearcount.detections.detections import Detections
from smearcount.detector.card import ModelCard
from smearcount.detector.scale import border_px


def with_border_doubt(
    found: Detections, width: int, height: int, card: ModelCard, rbc_px: float | None
) -> Detections:
    """Return detections whose red cells at the border are doubted as the card says.

    A sliver of a red cell is marked less often than a whole cell that gets the same score. Its
    odds, score / (1 - score), are multiplied by ``card.cut_odds``: so one threshold serves both.

    Args:
        found: boxes in pixels of the image.
        width: of the image, in pixels.
        height: of the image, in pixels.
        card: of the model that found them.
        rbc_px: the diameter of a red cell, which tells how near the border is.
    """
    if card.cut_odds == 1 or RBC not in card.classes:
        return found
    red = found.labels == card.classes.index(RBC) + 1
    cut = red & touches_edge(found.boxes_xyxy_px, width, height, border_px(rbc_px)).any(axis=1)
    weighed = card.cut_odds * found.scores
    doubted = weighed / (1 - found.scores + weighed)
    scores = np.where(cut, doubted, found.scores)
    return Detections(found.boxes_xyxy_px, scores, found.labels)


def each_with_border_doubt(
    found: Sequence[Detections],
    sizes: Sequence[tuple[int, int]],
    card: ModelCard,
    cut_odds: float,
) -> list[Detections]:
    """Return the detections of several images as :func:`with_border_doubt` does at other odds.

    Args:
        found: one per image, not doubted yet, in network pixels.
        sizes: width and height of each image, in network pixels.
        card: of the model that found them.
        cut_odds: instead of the card's.
    """
    told = card.model_copy(update={"cut_odds": cut_odds})
    return [
        with_border_doubt(each, width, height, told, card.rbc_px)
        for each, (width, height) in zip(found, sizes, strict=True)
    ]
