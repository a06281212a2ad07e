"""An interval is honest: it holds the count, steps in whole cells and widens with doubt."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from doubles.calibrations import calibration
from smearcount.counts.interval import interval, tail_probability
from smearcount.detector.interval_calibration import Calibration


def of(scores: list[float], **changes: Any) -> tuple[int, int]:
    values = np.array(scores, np.float32)
    found = interval(values, np.ones(len(values), np.int64), calibration(**changes))
    assert found is not None
    return found["RBC"]


def test_a_model_without_calibration_promises_nothing() -> None:
    assert interval(np.zeros(0, np.float32), np.zeros(0, np.int64), None) is None


def test_nothing_found_is_zero_cells() -> None:
    assert of([]) == (0, 0)


def test_sure_detections_leave_little_room_and_doubtful_ones_much() -> None:
    sure, doubtful = of([0.9] * 20), of([0.5] * 20)
    assert sure[1] - sure[0] <= 4
    assert doubtful[1] - doubtful[0] >= 7


def test_the_sum_of_equal_detections_is_binomial() -> None:
    mass = [math.comb(10, k) * 0.3**k * 0.7 ** (10 - k) for k in range(11)]
    expected = sum(mass[:2]) + mass[2] / 2
    assert tail_probability(2, np.full(10, 0.3), 0, 1) == pytest.approx(expected)


def test_unseen_cells_alone_are_poisson() -> None:
    expected = math.exp(-1.2) * (1 + 1.2 / 2)
    assert tail_probability(1, np.zeros(0), 1.2, 1) == pytest.approx(min(expected, 1 - expected))


def test_unseen_cells_that_come_together_reach_further() -> None:
    assert tail_probability(6, np.zeros(0), 1.0, 4) > tail_probability(6, np.zeros(0), 1.0, 1)


def test_a_thousand_cells_follow_the_same_rule_as_a_hundred() -> None:
    exact, approximate = of([0.5] * 400), of([0.5] * 401)
    assert abs(exact[0] - approximate[0]) <= 2
    assert abs(exact[1] - approximate[1]) <= 2


def test_a_sum_of_images_is_never_cut_shorter_than_95_percent() -> None:
    scores = np.tile(np.array([0.45, 0.55], np.float32), 50)
    labels = np.ones(100, np.int64)
    one = interval(scores, labels, calibration(tail=0.2))
    many = interval(scores, labels, calibration(tail=0.2), images=5)
    assert one is not None
    assert many is not None
    assert many["RBC"][1] - many["RBC"][0] > 1.5 * (one["RBC"][1] - one["RBC"][0])


@given(
    hnp.arrays(np.float32, st.integers(0, 60), elements=st.floats(0.0, 1.0, width=32)),
    st.floats(0, 0.25),
)
def test_the_interval_always_holds_the_count(scores: np.ndarray[Any, Any], tail: float) -> None:
    low, high = of(scores.tolist(), tail=tail)
    assert 0 <= low <= np.count_nonzero(scores >= 0.5) <= high


def test_very_many_unseen_cells_do_not_underflow() -> None:
    white, red = calibration("WBC", misses_per_cell=0.03, miss_dispersion=1), calibration("RBC")
    both = Calibration(classes=white.classes + red.classes)
    labels = np.repeat([1, 2], [20, 30_000])
    found = interval(np.full(len(labels), 0.9, np.float32), labels, both, images=9)
    assert found is not None
    low, high = found["WBC"]  # 19.6 seen and 900 unseen ones are expected
    assert 850 < high < 1000
    assert low <= 20
