"""Thresholds that make the counts come out right."""

from __future__ import annotations

import numpy as np
import pytest

from smearcount.calibration.thresholds import (
    DEFAULT_THRESHOLD,
    choose_border_odds_ratio,
    choose_thresholds,
)
from smearcount.detections.detections import Detections


def scored(scores: list[float], label: int = 1) -> Detections:
    """Return detections that differ in nothing but their score."""
    return Detections(np.zeros((len(scores), 4)), np.array(scores), np.full(len(scores), label))


def test_the_threshold_lies_in_the_gap_between_cells_and_false_alarms() -> None:
    truths = [scored([1] * 4)] * 10
    found = [scored([0.9, 0.8, 0.85, 0.7, 0.3, 0.2])] * 10
    (threshold,) = choose_thresholds(truths, found, ["WBC"])
    assert threshold == pytest.approx(0.5, abs=0.03), "the middle of the gap from 0.3 to 0.7"


def test_errors_that_cancel_in_the_total_are_preferred() -> None:
    # At 0.5 one image has a cell too many and one a cell too few; above 0.8 both lack one.
    truths = [scored([1, 1]), scored([1, 1])]
    found = [scored([0.9, 0.75, 0.75]), scored([0.9])]
    (threshold,) = choose_thresholds(truths, found, ["WBC"])
    assert threshold < 0.75


def test_each_class_has_its_own_and_a_class_without_cells_the_middle() -> None:
    truths = [scored([1] * 3)]
    both = Detections(
        np.zeros((5, 4)), np.array([0.4, 0.4, 0.4, 0.9, 0.1]), np.array([1, 1, 1, 2, 1])
    )
    first, second = choose_thresholds(truths, [both], ["WBC", "RBC"])
    assert 0.1 < first <= 0.4
    assert second == DEFAULT_THRESHOLD


def test_a_detection_at_the_threshold_counts_as_it_does_in_a_count() -> None:
    found = [scored([0.6, 0.6, 0.4])]
    (threshold,) = choose_thresholds([scored([1, 1])], found, ["WBC"])
    assert len(found[0].above((threshold,))) == 2


def test_a_few_wrong_labels_do_not_push_the_threshold_to_an_extreme() -> None:
    # In two images people marked a cell more, to which the detector gives 0.07.
    truths = [scored([1])] * 8 + [scored([1, 1])] * 2
    found = [scored([0.9])] * 8 + [scored([0.9, 0.07])] * 2
    (threshold,) = choose_thresholds(truths, found, ["WBC"])
    assert threshold >= 0.2


def test_scores_at_the_border_are_lowered_where_people_leave_cells_out() -> None:
    # Whole cells are marked from a score of 0.4 on, cut ones only from 0.7 on.
    whole, cut = [0.9, 0.5, 0.45, 0.3], [0.9, 0.8, 0.6, 0.55]
    truths = [scored([1] * 3), scored([1] * 2)]

    def predictions_at(ratio: float) -> list[Detections]:
        return [scored(whole), scored([ratio * s / (1 - s + ratio * s) for s in cut])]

    chosen = choose_border_odds_ratio(truths, predictions_at, 1)
    assert chosen < 0.6
    (threshold,) = choose_thresholds(truths, predictions_at(chosen), ["RBC"])
    assert [len(each.above((threshold,))) for each in predictions_at(chosen)] == [3, 2]


def test_of_ratios_that_count_about_as_well_the_smallest_is_taken() -> None:
    # Four images of forty have a cell too many and four too few, whatever the ratio. A ratio of 0.5
    # gets one image more right than 0.35: that is chance.
    truths = [scored([1] * 2)] * 40

    def predictions_at(ratio: float) -> list[Detections]:
        sliver = {1.0: 0.85, 0.7: 0.82, 0.5: 0.1, 0.35: 0.1}[ratio]
        lucky = [0.9, 0.9] if ratio == 0.5 else [0.9]
        wrong = [scored([0.9])] * 4 + [scored([0.9] * 3)] * 4
        return [scored([0.9, 0.9, sliver])] * 31 + [scored(lucky), *wrong]

    assert choose_border_odds_ratio(truths, predictions_at, 1) == 0.35


def test_the_ratio_is_one_where_lowering_scores_at_the_border_gains_nothing() -> None:
    truths = [scored([1] * 2)] * 4
    assert (
        choose_border_odds_ratio(truths, lambda ratio: [scored([0.9, 0.9 * ratio])] * 4, 1) == 1.0
    )
    assert choose_border_odds_ratio([scored([])], lambda ratio: [scored([])], 1) == 1.0
