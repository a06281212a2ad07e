"""Sentences tell what matters, in numbers that can be read."""

from __future__ import annotations

import math

import numpy as np
import pytest

from smearcount.evaluation.count_agreement import compare_counts
from smearcount.evaluation.evaluation import Evaluation
from smearcount.evaluation.report.sentences import (
    class_sentences,
    error_sentence,
    format_number,
    format_percent,
    robustness_sentence,
)
from smearcount.evaluation.robustness import Curve


def test_sentences_tell_how_well_a_class_is_counted(evaluation: Evaluation) -> None:
    agreement = evaluation.at_model_thresholds.agreement["Platelets"]
    text = " ".join(class_sentences("Platelets", agreement))
    assert "13 were counted instead of 12: 8.3 % too many" in text
    assert "Every image holds the same number, so a constant guess is never wrong." in text


def test_a_count_no_better_than_a_constant_guess_is_said_to_be() -> None:
    agreement = compare_counts(np.array([1, 2, 3]), np.array([3, 2, 1]))
    assert any("tells nothing new" in line for line in class_sentences("WBC", agreement))


def test_a_class_without_cells_has_one_sentence() -> None:
    nothing = compare_counts(np.array([0, 0]), np.array([0, 0]))
    assert class_sentences("WBC", nothing) == ["No WBC is marked, and none was counted."]


def test_errors_are_listed_by_type(evaluation: Evaluation) -> None:
    assert error_sentence(evaluation).startswith("Errors by type: 1 missed and 1 background, on ")


def test_the_sentence_of_a_sweep_says_where_counts_are_usable(curve: Curve) -> None:
    sentence = robustness_sentence(curve)
    assert sentence == "Blur: WBC at every step; RBC at 1 to 2; Platelets at no step."


@pytest.mark.parametrize(
    ("value", "sign", "text"),
    [(0.5, False, "0.50"), (-0.001, True, "+0.00"), (-1.25, False, "−1.25"), (math.nan, True, "–")],
)
def test_numbers_have_true_minus_signs_and_no_negative_zero(
    value: float, sign: bool, text: str
) -> None:
    assert format_number(value, sign=sign) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0.0412, "4.1 %"), (0.04, "4 %"), (0.333, "33 %"), (math.nan, "–")]
)
def test_percentages_have_a_sensible_number_of_digits(share: float, text: str) -> None:
    assert format_percent(share) == text
