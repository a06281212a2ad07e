"""How far off a count may be: an interval that holds the true number of cells 19 times in 20.

Every detection, those too doubtful to be counted included, is turned into the probability that it
is a cell. The true number is then the sum of so many independent yes-or-no draws (a
Poisson-binomial distribution) and of the cells that the detector did not see at all (a negative
binomial distribution). How far into the tails of that distribution the interval must reach was
settled on annotated images, so that the interval holds what it promises even where single errors
go together (a conformal correction). All of it is fitted by
``smearcount.calibration.intervals.calibrate`` and kept in ``card.calibration``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.detector.calibration import WIDEST_TAIL, Calibration, ClassCalibration

Interval = tuple[int, int]
"""The lowest and the highest number of cells, both included."""

_NOMINAL_TAIL: Final = 0.025

_EXACT_UP_TO: Final = 400
"""Detections of one class up to which the distribution is computed exactly."""


def interval(
    scores: NDArray[np.float32],
    labels: NDArray[np.int64],
    calibration: Calibration | None,
    *,
    images: int = 1,
) -> dict[str, Interval] | None:
    """Return between which numbers the true count of each class lies, at 95 %.

    The interval is about the cells that are there, whatever threshold the user sets: a count
    outside it says that the threshold does not suit. The detections of several images may be
    passed as one, for the interval of their sum; that takes their errors as independent, so a
    fault that all images of a slide share is not in it.

    Args:
        scores: shape (n,), of all detections that the edge rule allows, those below the
            thresholds included.
        labels: shape (n,), 1-based.
        calibration: ``card.calibration``; None for a model without.
        images: how many images the detections come from.

    Returns:
        the interval of each class by name, or None for a model without calibration.
    """
    if calibration is None:
        return None
    classes = calibration.classes
    split = [scores[labels == label] for label, _ in enumerate(classes, start=1)]
    likely = [each.probability(s) for each, s in zip(classes, split, strict=True)]
    cells_seen = float(sum(p.sum() for p in likely))
    return {
        each.name: _of_class(each, s, p, cells_seen, _NOMINAL_TAIL if images > 1 else WIDEST_TAIL)
        for each, s, p in zip(classes, split, likely, strict=True)
    }


def tail_of(number: int, likely: NDArray[np.float64], misses: float, dispersion: float) -> float:
    """Return how far out in its distribution a number of cells lies.

    Args:
        number: of cells.
        likely: shape (n,), the probability of each detection.
        misses: expected number of unseen cells.
        dispersion: their variance over their mean, at least 1.

    Returns:
        the smaller of the two tail probabilities, in [0, 0.5]; the probability of the number
        itself goes half to either side (mid-p), which keeps intervals of small counts honest.
    """
    if len(likely) > _EXACT_UP_TO:
        mean, deviation = _moments(likely, misses, dispersion)
        below = NormalDist(mean, deviation).cdf(number)
    else:
        mass = _distribution(likely, misses, dispersion)
        if number >= len(mass):
            return 0.0
        below = float(mass[:number].sum() + mass[number] / 2)
    return min(below, 1 - below)


def _of_class(
    fitted: ClassCalibration,
    scores: NDArray[np.float32],
    likely: NDArray[np.float64],
    cells_seen: float,
    widest: float,
) -> Interval:
    count = int(np.count_nonzero(scores >= np.float32(fitted.threshold)))
    misses = fitted.misses_per_cell * cells_seen
    low, high = _between(likely, misses, fitted.miss_dispersion, min(fitted.tail, widest))
    return min(low, count), max(high, count)


def _between(
    likely: NDArray[np.float64], misses: float, dispersion: float, tail: float
) -> Interval:
    """Return the least and the greatest number that lies no further out than ``tail``."""
    if len(likely) > _EXACT_UP_TO:
        mean, deviation = _moments(likely, misses, dispersion)
        tail = min(tail, _NOMINAL_TAIL)
        reach = -NormalDist().inv_cdf(max(tail, 1e-12)) * deviation
        return max(0, math.ceil(mean - reach)), math.floor(mean + reach)
    mass = _distribution(likely, misses, dispersion)
    below = np.cumsum(mass) - mass / 2
    inside = np.flatnonzero(np.minimum(below, 1 - below) >= tail)
    if not len(inside):
        middle = int(np.argmax(mass))
        return middle, middle
    return int(inside[0]), int(inside[-1])


def _moments(likely: NDArray[np.float64], misses: float, dispersion: float) -> tuple[float, float]:
    variance = float((likely * (1 - likely)).sum()) + misses * dispersion
    return float(likely.sum()) + misses, max(math.sqrt(variance), 1e-6)


def _distribution(
    likely: Sequence[float] | NDArray[np.float64], misses: float, dispersion: float
) -> NDArray[np.float64]:
    """Return the probability of 0, 1, 2 … cells; more than the last have next to none."""
    outcomes = len(likely) + 1
    turns = np.exp(-2j * np.pi / outcomes * np.arange(outcomes // 2 + 1))
    # The transform of a sum of draws is the product of theirs (Hong 2013).
    transform = np.prod(1 + np.outer(turns - 1, likely), axis=1)
    mass = np.fft.irfft(transform, outcomes).clip(0)
    return np.convolve(mass, _unseen(misses, dispersion))


def _unseen(mean: float, dispersion: float) -> NDArray[np.float64]:
    """Return the probability of 0, 1, 2 … unseen cells."""
    if mean <= 0:
        return np.ones(1)
    longest = math.ceil(mean + 12 * math.sqrt(mean * dispersion) + 12 * dispersion)
    spread = dispersion - 1
    number = np.arange(longest)
    if spread < 1e-6:
        ratio = mean / (number + 1)
    else:
        size = mean / spread
        ratio = (number + size) / (number + 1) * (spread / dispersion)
    steps = np.cumsum(np.log(np.concatenate([[1.0], ratio])))  # no power underflows in logarithms
    mass = np.exp(steps - steps.max())
    return np.asarray(mass / mass.sum())
