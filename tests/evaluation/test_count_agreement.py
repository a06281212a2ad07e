"""The statistics of method comparison, against published worked examples and other libraries."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearcount.evaluation.count_agreement import ALLOWED_ERROR, compare_counts, count_slides

# Bland and Altman, Lancet 1986; i: 307-310, table 1: peak flow in l/min of 17 subjects by the
# large Wright meter and by the mini meter, first measurements.
LARGE = np.array(
    [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
)
MINI = np.array(
    [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
)


def test_limits_of_agreement_are_those_of_bland_and_altman() -> None:
    result = compare_counts(MINI, LARGE)
    # They give -2.1, SD 38.8, and with two SD rather than 1.96 the limits -79.7 and 75.5.
    assert result.bias.value == pytest.approx(-2.1, abs=0.05)
    sd = (result.limit_high.value - result.limit_low.value) / (2 * 1.96)
    assert sd == pytest.approx(38.8, abs=0.05)
    assert result.limit_low.value == pytest.approx(-2.1 - 1.96 * 38.8, abs=0.1)


def test_deming_regression_is_the_best_fit_of_pearson_1901() -> None:
    # K. Pearson, Phil. Mag. 1901; 2: 559-572: the line of closest fit is y = 5.784 - 0.5456 x.
    x = np.array([0.0, 0.9, 1.8, 2.6, 3.3, 4.4, 5.2, 6.1, 6.5, 7.4])
    y = np.array([5.9, 5.4, 4.4, 4.6, 3.5, 3.7, 2.8, 2.8, 2.4, 1.5])
    result = compare_counts(x, y)  # type: ignore[arg-type]
    assert result.slope.value == pytest.approx(-0.5456, abs=5e-5)
    assert result.intercept.value == pytest.approx(5.784, abs=5e-4)


def test_errors_and_r_squared_are_those_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    result = compare_counts(LARGE, MINI)
    assert result.r_squared.value == pytest.approx(metrics.r2_score(LARGE, MINI))
    assert result.rmse.value == pytest.approx(metrics.root_mean_squared_error(LARGE, MINI))
    assert result.mae.value == pytest.approx(metrics.mean_absolute_error(LARGE, MINI))
    assert result.mape.value == pytest.approx(metrics.mean_absolute_percentage_error(LARGE, MINI))


def test_concordance_is_lins_definition() -> None:
    # 1 - the squared distance of the pairs over what it would be if they were independent.
    independent = np.mean((LARGE[:, None] - MINI[None, :]) ** 2)
    expected = 1 - np.mean((LARGE - MINI) ** 2) / independent
    assert compare_counts(LARGE, MINI).concordance.value == pytest.approx(expected)


def test_statistics_of_a_small_example_are_those_of_a_calculation_by_hand() -> None:
    result = compare_counts(np.array([10, 20, 0, 30]), np.array([11, 20, 1, 26]))
    assert (result.images, result.true_total, result.counted_total) == (4, 60, 58)
    assert result.bias.value == pytest.approx(-0.5)
    assert result.total_error.value == pytest.approx(-2 / 60)
    assert result.mae.value == pytest.approx(1.5)
    assert result.rmse.value == pytest.approx(math.sqrt(18 / 4))
    assert result.mape.value == pytest.approx((1 / 10 + 0 + 4 / 30) / 3)
    assert result.exact_share.value == 0.25
    assert result.constant_guess_mae == pytest.approx(10)
    assert result.sampling_error == pytest.approx(math.sqrt(15))


def test_perfect_counts_agree_perfectly() -> None:
    result = compare_counts(LARGE, LARGE)
    for name, ideal in {"mae": 0, "concordance": 1, "r_squared": 1, "slope": 1}.items():
        assert getattr(result, name) == pytest.approx((ideal, ideal, ideal))
    assert result.intercept.value == pytest.approx(0, abs=1e-6)


def test_the_constant_guess_explains_nothing() -> None:
    true = np.array([1, 2, 3, 4])
    result = compare_counts(true, np.full(4, 2.5))  # type: ignore[arg-type]
    assert result.r_squared.value == pytest.approx(0)
    assert result.mae.value == pytest.approx(result.constant_guess_mae)


def test_undefined_statistics_are_nan_and_never_a_warning() -> None:
    one = compare_counts(np.array([0]), np.array([0]))
    for name in ("total_error", "mape", "r_squared", "concordance", "limit_low", "slope"):
        assert all(math.isnan(part) for part in getattr(one, name)), name
    assert one.mae.value == 0
    assert compare_counts(np.array([1, 1, 1]), np.array([1, 1, 1])).exact_share.value == 1


def test_intervals_cover_the_true_value_as_often_as_they_say() -> None:
    random = np.random.default_rng(1)
    covered = 0
    for _ in range(200):
        true = random.poisson(40, 60)
        result = compare_counts(true, true + random.integers(-3, 6, 60), resamples=300)
        covered += result.bias.low <= 1 <= result.bias.high
    assert 0.90 <= covered / 200 <= 0.99


def test_intervals_are_those_of_scipys_bootstrap() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(7)
    true = rng.poisson(40, 60)
    counted = true + rng.integers(-3, 4, 60)
    statistics = {
        "bias": lambda x, y, axis: (y - x).mean(axis),
        "mae": lambda x, y, axis: np.abs(y - x).mean(axis),
        "rmse": lambda x, y, axis: np.sqrt(((y - x) ** 2).mean(axis)),
    }
    ours = compare_counts(true, counted)
    for name, statistic in statistics.items():
        theirs = stats.bootstrap(
            (true, counted),
            statistic,
            paired=True,
            vectorized=True,
            n_resamples=2000,
            method="percentile",
            random_state=np.random.default_rng(0),
        ).confidence_interval
        assert tuple(getattr(ours, name))[1:] == pytest.approx(tuple(theirs)), name


@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), min_size=1, max_size=30),
    st.integers(0, 5),
)
def test_intervals_hold_their_order_and_repeat_with_the_seed(
    counts: list[tuple[int, int]], seed: int
) -> None:
    true, found = np.array(counts).T
    first = compare_counts(true, found, resamples=50, seed=seed)
    again = compare_counts(true, found, resamples=50, seed=seed)
    for name in ("bias", "mae", "rmse", "exact_share", "concordance"):
        value, low, high = getattr(first, name)
        assert (value, low, high) == pytest.approx(getattr(again, name), nan_ok=True)
        if not math.isnan(low):
            assert low <= high


def test_images_sum_to_slides_that_are_compared_with_the_allowed_error() -> None:
    groups = ["a", "b", "a", "b", "c", ""]
    true = np.array([50, 10, 50, 10, 0, 9])
    found = np.array([55, 10, 49, 7, 0, 0])
    first, second, third = count_slides(true, found, groups, allowed=ALLOWED_ERROR["RBC"])
    assert (first.name, first.images, first.true, first.counted) == ("a", 2, 100, 104)
    assert first.within_allowed, "104 of 100 is 4 %, the limit itself"
    assert not second.within_allowed, "17 of 20 is 15 % too few"
    assert third.within_allowed, "nothing there and nothing counted"
