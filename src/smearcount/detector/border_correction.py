"""Correction of the scores of red cells that the image border cuts.

In annotated data some cut cells are labeled and others are left out, so a cut cell of a given
score is a labeled cell less often than a whole one of the same score.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smearcount.classes import RBC
from smearcount.detections.boxes import touches_edge
from smearcount.detections.detections import Detections
from smearcount.detector.model_card import ModelCard
from smearcount.detector.scale import border_tolerance_px


def correct_border_scores(
    detections: Detections, width: int, height: int, card: ModelCard, rbc_px: float | None
) -> Detections:
    """Return detections with lower scores for the red cells that the border cuts.

    The odds of their scores, score / (1 - score), are multiplied by ``card.border_odds_ratio``, so
    that one threshold suits whole and cut cells alike.

    Args:
        detections: boxes in pixels of the image.
        width: of the image, in pixels.
        height: of the image, in pixels.
        card: of the model that made the detections.
        rbc_px: the diameter of a red cell, which tells how near to the border counts as cut.
    """
    if card.border_odds_ratio == 1 or RBC not in card.classes:
        return detections
    is_rbc = detections.labels == card.classes.index(RBC) + 1
    tolerance = border_tolerance_px(rbc_px)
    touches = touches_edge(detections.boxes_xyxy_px, width, height, tolerance).any(axis=1)
    weighted = card.border_odds_ratio * detections.scores
    corrected = weighted / (1 - detections.scores + weighted)
    scores = np.where(is_rbc & touches, corrected, detections.scores)
    return Detections(detections.boxes_xyxy_px, scores, detections.labels)


def correct_border_scores_batch(
    detections: Sequence[Detections],
    sizes: Sequence[tuple[int, int]],
    card: ModelCard,
    border_odds_ratio: float,
) -> list[Detections]:
    """Return the detections of several images, corrected with another odds ratio.

    Args:
        detections: one per image, not corrected yet, in network pixels.
        sizes: width and height of each image, in network pixels.
        card: of the model that made the detections.
        border_odds_ratio: used instead of the card's.
    """
    changed = card.model_copy(update={"border_odds_ratio": border_odds_ratio})
    return [
        correct_border_scores(each, width, height, changed, card.rbc_px)
        for each, (width, height) in zip(detections, sizes, strict=True)
    ]
