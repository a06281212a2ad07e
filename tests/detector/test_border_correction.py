"""Scores of red cells that the border cuts are lowered as the card says, and no others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearcount.detections.detections import Detections
from smearcount.detector.border_correction import correct_border_scores, correct_border_scores_batch
from smearcount.detector.model_card import ModelCard

CLASSES = ("WBC", "RBC", "Platelets")


def card(border_odds_ratio: float, classes: tuple[str, ...] = CLASSES) -> ModelCard:
    return ModelCard(
        name="test",
        architecture="none",
        sha256="0" * 64,
        classes=classes,
        thresholds=(0.5,) * len(classes),
        border_odds_ratio=border_odds_ratio,
    )


def cells(scores: list[float], labels: list[int], lefts: list[float]) -> Detections:
    boxes = [[left, 20.0, left + 10, 30.0] for left in lefts]
    return Detections(np.array(boxes), np.array(scores), np.array(labels))


def test_only_red_cells_at_the_border_get_lower_scores() -> None:
    found = cells([0.8, 0.7, 0.6, 0.5], [2, 2, 1, 3], [0, 40, 0, 90])
    corrected = correct_border_scores(found, 100, 100, card(0.25), None)
    by_place = {(box[0], label): score for box, score, label in corrected}
    assert by_place == {
        (0.0, 2): pytest.approx(0.5),  # odds of 4 become 1
        (40.0, 2): pytest.approx(0.7),
        (0.0, 1): pytest.approx(0.6),
        (90.0, 3): pytest.approx(0.5),
    }


def test_the_border_is_as_near_in_a_picture_of_more_pixels() -> None:
    found = cells([0.8, 0.8], [2, 2], [3, 9])
    for rbc_px, scores in ((48.0, [0.8, 0.8]), (200.0, [0.5, 0.8])):
        corrected = correct_border_scores(found, 100, 100, card(0.25), rbc_px)
        assert sorted(corrected.scores) == pytest.approx(scores)


@given(
    odds=st.floats(0.05, 1),
    scores=st.lists(st.floats(0, 1), min_size=2, max_size=8),
)
def test_the_order_of_cut_cells_stays_and_scores_stay_scores(
    odds: float, scores: list[float]
) -> None:
    found = cells(scores, [2] * len(scores), [0.0] * len(scores))
    corrected = correct_border_scores(found, 100, 100, card(odds), None)
    assert np.all(corrected.scores <= found.scores + 1e-6)
    assert np.all((corrected.scores >= 0) & (corrected.scores <= 1))
    assert np.all(np.diff(corrected.scores) <= 0)
    certain = found.scores == 1
    assert np.all(corrected.scores[certain] == 1)


def test_without_red_cells_or_with_an_odds_ratio_of_one_nothing_changes() -> None:
    found = cells([0.8], [1], [0])
    assert correct_border_scores(found, 100, 100, card(0.5, ("Parasite",)), None) is found
    assert correct_border_scores(found, 100, 100, card(1.0), None) is found


def test_each_image_of_a_batch_is_corrected_by_its_own_size_at_the_odds_ratio_asked_for() -> None:
    found = Detections(np.array([[80, 40, 100, 60]]), np.array([0.5]), np.array([2]))
    sizes = [(100, 90), (200, 90)]
    cut, whole = correct_border_scores_batch([found, found], sizes, card(1.0), 0.25)
    assert cut.scores == pytest.approx([0.2])
    assert whole.scores == pytest.approx([0.5])
