"""The interval of a count: it holds the true number of cells in 19 of 20 images.

The score of every detection, those below the thresholds included, is turned into the probability
that it is a cell. The true number of cells is then the sum of independent yes-or-no draws (a
Poisson-binomial distribution) and of the cells that were not detected at all (a negative binomial
distribution). How far into the tails of that distribution the interval must reach is fitted on
annotated images, so that the coverage is right even where the errors of one image are not
independent (a conformal correction). All of it is fitted by
``smearcount.calibration.intervals.calibrate`` and kept in ``card.calibration``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.detector.interval_calibration import WIDEST_TAIL, Calibration, ClassCalibration

Interval = tuple[int, int]
"""The lowest and the highest number of cells, both included."""

_NOMINAL_TAIL: Final = 0.025

_EXACT_UP_TO: Final = 400
"""Up to so many detections of a class the distribution is computed exactly; beyond, as normal."""


def interval(
    scores: NDArray[np.float32],
    labels: NDArray[np.int64],
    calibration: Calibration | None,
    *,
    images: int = 1,
) -> dict[str, Interval] | None:
    """Return the 95 % interval of the true count of each class.

    The interval is about the cells that are there, whatever threshold the user sets: a count
    outside it means that the threshold does not suit the image. The detections of several images
    may be passed together, for the interval of their sum; their errors are taken as independent,
    so an error that all images of a slide share is not covered.

    Args:
        scores: shape (n,), of all detections that the edge rule allows, those below the
            thresholds included.
        labels: shape (n,), 1-based.
        calibration: ``card.calibration``; None for a model without.
        images: how many images the detections come from.

    Returns:
        the lowest and highest number of each class by name, or None for a model without
        calibration.
    """
    if calibration is None:
        return None
    classes = calibration.classes
    by_class = [scores[labels == label] for label, _ in enumerate(classes, start=1)]
    probabilities = [
        fitted.probability(of_class) for fitted, of_class in zip(classes, by_class, strict=True)
    ]
    detected_cells = float(sum(of_class.sum() for of_class in probabilities))
    max_tail = _NOMINAL_TAIL if images > 1 else WIDEST_TAIL
    return {
        fitted.name: _of_class(fitted, of_class, likely, detected_cells, max_tail)
        for fitted, of_class, likely in zip(classes, by_class, probabilities, strict=True)
    }


def tail_probability(
    number: int, probabilities: NDArray[np.float64], misses: float, dispersion: float
) -> float:
    """Return how far out in its distribution a number of cells lies, as a tail probability.

    Args:
        number: of cells.
        probabilities: shape (n,), that each detection is a cell.
        misses: expected number of cells that were not detected.
        dispersion: their variance over their mean, at least 1.

    Returns:
        the smaller of the two tail probabilities, in [0, 0.5]; half the probability of the number
        itself belongs to either tail (mid-p), so that intervals of small counts are not too wide.
    """
    if len(probabilities) > _EXACT_UP_TO:
        mean, deviation = _moments(probabilities, misses, dispersion)
        below = NormalDist(mean, deviation).cdf(number)
    else:
        mass = _distribution(probabilities, misses, dispersion)
        if number >= len(mass):
            return 0.0
        below = float(mass[:number].sum() + mass[number] / 2)
    return min(below, 1 - below)


def _of_class(
    fitted: ClassCalibration,
    scores: NDArray[np.float32],
    probabilities: NDArray[np.float64],
    detected_cells: float,
    max_tail: float,
) -> Interval:
    count = int(np.count_nonzero(scores >= np.float32(fitted.threshold)))
    misses = fitted.misses_per_cell * detected_cells
    low, high = _interval_at_tail(
        probabilities, misses, fitted.miss_dispersion, min(fitted.tail, max_tail)
    )
    return min(low, count), max(high, count)


def _interval_at_tail(
    probabilities: NDArray[np.float64], misses: float, dispersion: float, tail: float
) -> Interval:
    """Return the least and the greatest number that lies no further out than ``tail``."""
    if len(probabilities) > _EXACT_UP_TO:
        mean, deviation = _moments(probabilities, misses, dispersion)
        tail = min(tail, _NOMINAL_TAIL)
        reach = -NormalDist().inv_cdf(max(tail, 1e-12)) * deviation
        return max(0, math.ceil(mean - reach)), math.floor(mean + reach)
    mass = _distribution(probabilities, misses, dispersion)
    below = np.cumsum(mass) - mass / 2
    inside = np.flatnonzero(np.minimum(below, 1 - below) >= tail)
    if not len(inside):
        middle = int(np.argmax(mass))
        return middle, middle
    return int(inside[0]), int(inside[-1])


def _moments(
    probabilities: NDArray[np.float64], misses: float, dispersion: float
) -> tuple[float, float]:
    variance = float((probabilities * (1 - probabilities)).sum()) + misses * dispersion
    return float(probabilities.sum()) + misses, max(math.sqrt(variance), 1e-6)


def _distribution(
    probabilities: Sequence[float] | NDArray[np.float64], misses: float, dispersion: float
) -> NDArray[np.float64]:
    """Return the probability of 0, 1, 2 … cells; larger numbers have next to none."""
    size = len(probabilities) + 1
    roots = np.exp(-2j * np.pi / size * np.arange(size // 2 + 1))
    # The characteristic function of a sum of draws is the product of theirs (Hong 2013).
    transform = np.prod(1 + np.outer(roots - 1, probabilities), axis=1)
    mass = np.fft.irfft(transform, size).clip(0)
    return np.convolve(mass, _undetected(misses, dispersion))


def _undetected(mean: float, dispersion: float) -> NDArray[np.float64]:
    """Return the probability of 0, 1, 2 … undetected cells."""
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
    steps = np.cumsum(np.log(np.concatenate([[1.0], ratio])))  # in logarithms, against underflow
    mass = np.exp(steps - steps.max())
    return np.asarray(mass / mass.sum())
