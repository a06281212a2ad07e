"""How well counted agrees with true: the statistics by which laboratories compare methods.

Bland and Altman 1986 (limits of agreement), Lin 1989 (concordance), Deming's regression (both
counts may err), each with a bootstrap interval over the images.
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
"""The error that a laboratory is allowed, as a share of the true count.

Acceptance limits of proficiency testing in the United States, 42 CFR 493.941 (in force since
January 2025): erythrocyte count ±4 %, leukocyte count ±10 %, platelet count ±25 %.
"""

RESAMPLES: Final = 2000
"""How often the images are drawn anew for an interval."""

_LIMITS_SD: Final = 1.96
_CELLS_AT_ONCE: Final = 2_000_000


class Estimate(NamedTuple):
    """A figure with its 95 % bootstrap interval; NaN where it is not defined."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Agreement:
    """Counted against true over the fields (images) of a data set, for one class.

    Errors are counted minus true, in cells per field.

    Attributes:
        fields: how many fields there are.
        true_total: true cells of all fields.
        found_total: counted cells of all fields.
        total_error: error of the total as a share of the true total.
        bias: mean error.
        mae: mean absolute error.
        rmse: root of the mean squared error: the method error of one field.
        mape: mean absolute error as a share of the true count, over fields that have cells.
        exact_share: the share of fields with exactly the true count.
        r_squared: the share of the true counts' variance that the counts explain; 0 for the
            constant guess, negative for worse.
        concordance: Lin's concordance correlation coefficient, in [-1, 1].
        limit_low: Bland-Altman lower limit of agreement: bias - 1.96 SD of the errors.
        limit_high: the upper limit: bias + 1.96 SD.
        slope: of Deming's regression of counted on true, both equally uncertain; 1 is ideal.
        intercept: of the same line, in cells; 0 is ideal.
        constant_guess_mae: mean absolute error of always saying the mean true count.
        sampling_error: the root mean square of the Poisson standard deviations √n of the true
            counts: how much a neighbouring field of the same blood would differ, even if
            every cell were counted right.
    """

    fields: int
    true_total: int
    found_total: int
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


def agree(
    true: NDArray[np.int64], found: NDArray[np.int64], resamples: int = RESAMPLES, seed: int = 0
) -> Agreement:
    """Compare the counts of many fields.

    Args:
        true: shape (n,), n ≥ 1: the true count of each field.
        found: shape (n,): what was counted there.
        resamples: how often the fields are drawn anew, with replacement, for the intervals.
        seed: of the draw.
    """
    values = _statistics(true[None], found[None])
    draws = _bootstrap(true, found, resamples, seed)
    estimates = {
        name: Estimate(float(value[0]), *_middle_95(draws[name])) for name, value in values.items()
    }
    return Agreement(
        fields=len(true),
        true_total=int(true.sum()),
        found_total=int(found.sum()),
        **estimates,
        constant_guess_mae=float(np.abs(true - true.mean()).mean()),
        sampling_error=float(np.sqrt(true.mean())),
    )


@dataclass(frozen=True)
class JudgedSlide:
    """The counts of one class summed over the fields of one slide.

    Attributes:
        name: the group of fields.
        fields: how many fields it has.
        true: cells in all.
        found: cells counted in all.
        within: whether the error is allowed.
    """

    name: str
    fields: int
    true: int
    found: int
    within: bool


def judge_slides(
    true: NDArray[np.int64], found: NDArray[np.int64], groups: Sequence[str], allowed: float
) -> list[JudgedSlide]:
    """Sum fields into slides and judge each by the allowed error.

    Args:
        true: shape (n,): the true count of each field.
        found: shape (n,): what was counted there.
        groups: the slide of each field; slides come out in order of first appearance, and
            fields of the slide "" belong to none.
        allowed: the greatest error, as a share of the slide's true count.
    """
    names = list(dict.fromkeys(groups))
    member = np.array([names.index(group) for group in groups], dtype=np.int64)
    sums = (np.bincount(member, weights=each, minlength=len(names)) for each in (true, found))
    sizes = np.bincount(member, minlength=len(names))
    return [
        JudgedSlide(name, int(size), int(t), int(f), bool(abs(f - t) <= allowed * t + 1e-9))
        for name, size, t, f in zip(names, sizes, *sums, strict=True)
        if name
    ]


def _statistics(
    true: NDArray[np.int64], found: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    """Return each statistic along the last axis.

    Args:
        true: shape (samples, n).
        found: shape (samples, n).

    Returns:
        arrays of shape (samples,), by name.
    """
    x, y = true.astype(np.float64), found.astype(np.float64)
    n = x.shape[-1]
    error = y - x
    bias = error.mean(-1)
    mean_x, mean_y = x.mean(-1), y.mean(-1)
    off_x, off_y = x - mean_x[..., None], y - mean_y[..., None]
    xx, yy, xy = (off_x**2).mean(-1), (off_y**2).mean(-1), (off_x * off_y).mean(-1)
    squared = (error**2).mean(-1)
    spread = _LIMITS_SD * np.sqrt(_ratio(((error - bias[..., None]) ** 2).sum(-1), n - 1))
    share = np.divide(np.abs(error), x, out=np.zeros_like(x), where=x > 0)
    slope = _deming_slope(xx, yy, xy)
    return {
        "total_error": _ratio(error.sum(-1), x.sum(-1)),
        "bias": bias,
        "mae": np.abs(error).mean(-1),
        "rmse": np.sqrt(squared),
        "mape": _ratio(share.sum(-1), (x > 0).sum(-1)),
        "exact_share": (error == 0).mean(-1),
        "r_squared": 1 - _ratio(squared, xx),
        "concordance": _ratio(2 * xy, xx + yy + bias**2),
        "limit_low": bias - spread,
        "limit_high": bias + spread,
        "slope": slope,
        "intercept": mean_y - slope * mean_x,
    }


def _deming_slope(
    xx: NDArray[np.float64], yy: NDArray[np.float64], xy: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the slope for equal error variances; NaN where the counts do not vary together."""
    apart = yy - xx
    return _ratio(apart + np.sqrt(apart**2 + 4 * xy**2), 2 * xy)


def _bootstrap(
    true: NDArray[np.int64], found: NDArray[np.int64], resamples: int, seed: int
) -> dict[str, NDArray[np.float64]]:
    random = np.random.default_rng(seed)
    at_once = max(1, _CELLS_AT_ONCE // len(true))
    parts = []
    for start in range(0, resamples, at_once):
        drawn = random.integers(0, len(true), (min(at_once, resamples - start), len(true)))
        parts.append(_statistics(true[drawn], found[drawn]))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _middle_95(draws: NDArray[np.float64]) -> tuple[float, float]:
    known = draws[np.isfinite(draws)]
    if not known.size:
        return float("nan"), float("nan")
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


def _ratio(
    part: NDArray[np.float64], whole: NDArray[np.float64] | NDArray[np.int64] | int
) -> NDArray[np.float64]:
    """Return part / whole, NaN where the whole is 0."""
    whole = np.broadcast_to(whole, part.shape)
    undefined = np.full(part.shape, np.nan)
    return np.asarray(np.divide(part, whole, out=undefined, where=whole != 0))
