"""Agreement of counted with true cells: the statistics by which laboratories compare methods.

Bland and Altman 1986 (limits of agreement), Lin 1989 (concordance), Deming's regression (both
counts may err), each with a bootstrap interval over the images.

The bootstrap is written here because ``scipy.stats.bootstrap`` has no answer where a statistic is
undefined in some resamples (images without a platelet) or where there is a single image; a test
holds the two equal everywhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

ALLOWED_ERROR: Final[Mapping[str, float]] = MappingProxyType(
    {"RBC": 0.04, "WBC": 0.10, "Platelets": 0.25}
)
"""The allowed error of a laboratory's count, as a share of the true count.

Acceptance limits of proficiency testing in the United States, 42 CFR 493.941 (in force since
January 2025): erythrocyte count ±4 %, leukocyte count ±10 %, platelet count ±25 %.
"""

RESAMPLES: Final = 2000
"""Number of bootstrap resamples of the images for an interval."""

_LIMITS_SD: Final = 1.96
_MAX_BATCH_VALUES: Final = 2_000_000


class Estimate(NamedTuple):
    """A statistic with its 95 % bootstrap interval; NaN where it is not defined.

    Example:
        >>> from smearcount.evaluation import Estimate
        >>> value, low, high = Estimate(value=2.0, low=1.5, high=2.5)
        >>> low
        1.5
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class CountAgreement:
    """Counted against true over the images of a data set, for one class.

    Errors are counted minus true, in cells per image.

    Attributes:
        images: how many images there are.
        true_total: true cells of all images.
        counted_total: counted cells of all images.
        total_error: error of the total as a share of the true total.
        bias: mean error.
        mae: mean absolute error.
        rmse: root of the mean squared error: the error of the method on one image.
        mape: mean absolute error as a share of the true count, over images that have cells.
        exact_share: the share of images with exactly the true count.
        r_squared: the share of the true counts' variance that the counts explain; 0 for the
            constant guess, negative for worse.
        concordance: Lin's concordance correlation coefficient, in [-1, 1].
        limit_low: Bland-Altman lower limit of agreement: bias - 1.96 SD of the errors.
        limit_high: the upper limit: bias + 1.96 SD.
        slope: of Deming's regression of counted on true, both equally uncertain; 1 is ideal.
        intercept: of the same line, in cells; 0 is ideal.
        constant_guess_mae: mean absolute error of always predicting the mean true count.
        sampling_error: the root mean square of the Poisson standard deviations √n of the true
            counts: how much a neighboring field of the same blood would differ, even if
            every cell were counted correctly.

    Example:
        >>> import numpy as np
        >>> from smearcount.evaluation import compare_counts
        >>> agreement = compare_counts(np.array([10, 20, 30]), np.array([12, 22, 32]))
        >>> agreement.bias.value, agreement.exact_share.value
        (2.0, 0.0)
    """

    images: int
    true_total: int
    counted_total: int
    total_error: Estimate
    bias: Estimate
    mae: Estimate
    rmse: Estimate
    mape: Estimate
    exact_share: Estimate
    r_squared: Estimate
    concordance: Estimate
    limit_low: Estimate
    limit_high: Estimate
    slope: Estimate
    intercept: Estimate
    constant_guess_mae: float
    sampling_error: float


def compare_counts(
    true: NDArray[np.int64], counted: NDArray[np.int64], resamples: int = RESAMPLES, seed: int = 0
) -> CountAgreement:
    """Compare the counts of many images with the true numbers.

    Args:
        true: shape (n,), n ≥ 1: the true count of each image.
        counted: shape (n,): the count of each image.
        resamples: how often the images are resampled, with replacement, for the intervals.
        seed: of the resampling.

    Returns:
        each statistic with its 95 % percentile bootstrap interval.

    Example:
        >>> import numpy as np
        >>> from smearcount.evaluation import compare_counts
        >>> agreement = compare_counts(np.array([10, 20, 30]), np.array([11, 20, 28]))
        >>> agreement.true_total, agreement.counted_total
        (60, 59)
        >>> agreement.mae.value
        1.0
    """
    values = _statistics(true[None], counted[None])
    draws = _bootstrap(true, counted, resamples, seed)
    estimates = {
        name: Estimate(float(value[0]), *_percentile_interval(draws[name]))
        for name, value in values.items()
    }
    return CountAgreement(
        images=len(true),
        true_total=int(true.sum()),
        counted_total=int(counted.sum()),
        **estimates,
        constant_guess_mae=float(np.abs(true - true.mean()).mean()),
        sampling_error=float(np.sqrt(true.mean())),
    )


@dataclass(frozen=True)
class SlideCount:
    """The counts of one class summed over the images of one slide.

    Attributes:
        name: the slide.
        images: how many images it has.
        true: true cells of all its images.
        counted: counted cells of all its images.
        within_allowed: whether the error is allowed.

    Example:
        >>> from smearcount.evaluation import SlideCount
        >>> slide = SlideCount("A", images=10, true=2000, counted=2030, within_allowed=True)
        >>> slide.counted - slide.true
        30
    """

    name: str
    images: int
    true: int
    counted: int
    within_allowed: bool


def count_slides(
    true: NDArray[np.int64], counted: NDArray[np.int64], slides: Sequence[str], allowed: float
) -> list[SlideCount]:
    """Sum images into slides and compare the error of each with the allowed error.

    Args:
        true: shape (n,): the true count of each image.
        counted: shape (n,): the count of each image.
        slides: the slide of each image; slides come out in order of first appearance, and
            images of the slide "" belong to none.
        allowed: the greatest error, as a share of the slide's true count.

    Example:
        >>> import numpy as np
        >>> from smearcount.evaluation import count_slides
        >>> count_slides(np.array([50, 50]), np.array([55, 49]), ["a", "a"], allowed=0.04)
        [SlideCount(name='a', images=2, true=100, counted=104, within_allowed=True)]
    """
    names = list(dict.fromkeys(slides))
    slide_index = np.array([names.index(slide) for slide in slides], dtype=np.int64)
    images = np.bincount(slide_index, minlength=len(names)).tolist()
    true_sums, counted_sums = (
        np.bincount(slide_index, weights=counts, minlength=len(names)).astype(int).tolist()
        for counts in (true, counted)
    )
    return [
        SlideCount(name, n, t, c, abs(c - t) <= allowed * t + 1e-9)
        for name, n, t, c in zip(names, images, true_sums, counted_sums, strict=True)
        if name
    ]


def _statistics(
    true: NDArray[np.int64], counted: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    """Return each statistic along the last axis.

    Args:
        true: shape (samples, n).
        counted: shape (samples, n).

    Returns:
        arrays of shape (samples,), by name.
    """
    x, y = true.astype(np.float64), counted.astype(np.float64)
    n = x.shape[-1]
    error = y - x
    bias = error.mean(-1)
    mean_x, mean_y = x.mean(-1), y.mean(-1)
    dx, dy = x - mean_x[..., None], y - mean_y[..., None]
    xx, yy, xy = (dx**2).mean(-1), (dy**2).mean(-1), (dx * dy).mean(-1)
    squared_error = (error**2).mean(-1)
    half_width = _LIMITS_SD * np.sqrt(_ratio(((error - bias[..., None]) ** 2).sum(-1), n - 1))
    error_share = np.divide(np.abs(error), x, out=np.zeros_like(x), where=x > 0)
    slope = _deming_slope(xx, yy, xy)
    return {
        "total_error": _ratio(error.sum(-1), x.sum(-1)),
        "bias": bias,
        "mae": np.abs(error).mean(-1),
        "rmse": np.sqrt(squared_error),
        "mape": _ratio(error_share.sum(-1), (x > 0).sum(-1)),
        "exact_share": (error == 0).mean(-1),
        "r_squared": 1 - _ratio(squared_error, xx),
        "concordance": _ratio(2 * xy, xx + yy + bias**2),
        "limit_low": bias - half_width,
        "limit_high": bias + half_width,
        "slope": slope,
        "intercept": mean_y - slope * mean_x,
    }


def _deming_slope(
    xx: NDArray[np.float64], yy: NDArray[np.float64], xy: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the slope for equal error variances; NaN where the counts do not vary together."""
    difference = yy - xx
    return _ratio(difference + np.sqrt(difference**2 + 4 * xy**2), 2 * xy)


def _bootstrap(
    true: NDArray[np.int64], counted: NDArray[np.int64], resamples: int, seed: int
) -> dict[str, NDArray[np.float64]]:
    """Return each statistic of every resample, shape (resamples,), by name."""
    rng = np.random.default_rng(seed)
    batch = max(1, _MAX_BATCH_VALUES // len(true))
    batches = []
    for start in range(0, resamples, batch):
        drawn = rng.integers(0, len(true), (min(batch, resamples - start), len(true)))
        batches.append(_statistics(true[drawn], counted[drawn]))
    return {name: np.concatenate([part[name] for part in batches]) for name in batches[0]}


def _percentile_interval(draws: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 2.5 and 97.5 percentiles of the resamples in which the statistic is defined."""
    defined = draws[np.isfinite(draws)]
    if not defined.size:
        return float("nan"), float("nan")
    low, high = np.percentile(defined, [2.5, 97.5])
    return float(low), float(high)


def _ratio(
    numerator: NDArray[np.float64], denominator: NDArray[np.float64] | NDArray[np.int64] | int
) -> NDArray[np.float64]:
    """Return the ratio, NaN where the denominator is 0."""
    denominator = np.broadcast_to(denominator, numerator.shape)
    undefined = np.full(numerator.shape, np.nan)
    return np.asarray(np.divide(numerator, denominator, out=undefined, where=denominator != 0))
