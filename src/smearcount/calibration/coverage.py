"""Coverage: how often the intervals of counts hold the true count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smearcount.calibration.intervals import fit_intervals
from smearcount.counts.interval import interval
from smearcount.detections.detections import Detections
from smearcount.detector.interval_calibration import Calibration
from smearcount.errors import DataError
from smearcount.evaluation.matching import LabeledBoxes

REPEATS = 50
"""Random halves over which coverage is averaged."""


@dataclass(frozen=True)
class Coverage:
    """How often the interval of a class held the true count.

    Attributes:
        coverage: share of the images, in [0, 1], whose true count the interval held.
        exact: share of the images whose count was exact; since the interval holds the count, no
            interval of whole numbers can cover less.
        width: mean of highest minus lowest number, in cells.
        least: the lowest coverage over repeated measurements; of one measurement its own.
        most: the highest.

    Example:
        >>> from smearcount.calibration import Coverage
        >>> measured = Coverage(coverage=0.95, exact=0.45, width=3.9, least=0.86, most=1.0)
        >>> measured.exact <= measured.coverage
        True
    """

    coverage: float
    exact: float
    width: float
    least: float
    most: float


def measure_coverage(
    truths: Sequence[LabeledBoxes],
    predictions: Sequence[Detections],
    calibration: Calibration,
) -> dict[str, Coverage]:
    """Measure how often the intervals hold the true count, on images not used for the fit.

    Args:
        truths: one per image.
        predictions: one per image, with low scores kept.
        calibration: what :func:`smearcount.calibration.intervals.fit_intervals` returned.

    Returns:
        the coverage of each class by name.
    """
    rows: dict[str, list[tuple[bool, bool, int]]] = {each.name: [] for each in calibration.classes}
    for truth, detections in zip(truths, predictions, strict=True):
        intervals = interval(detections.scores, detections.labels, calibration) or {}
        for label, of_class in enumerate(calibration.classes, start=1):
            low, high = intervals[of_class.name]
            true_count = int(np.count_nonzero(truth.labels == label))
            scores = detections.scores[detections.labels == label]
            count = int(np.count_nonzero(scores >= of_class.threshold))
            rows[of_class.name].append((low <= true_count <= high, true_count == count, high - low))
    measured = {}
    for name, of_images in rows.items():
        share, exact, width = np.array(of_images, dtype=float).mean(axis=0).tolist()
        measured[name] = Coverage(share, exact, width, least=share, most=share)
    return measured


def cross_validated_coverage(
    truths: Sequence[LabeledBoxes],
    predictions: Sequence[Detections],
    thresholds: Sequence[float],
    classes: Sequence[str],
    *,
    repeats: int = REPEATS,
    seed: int = 0,
) -> dict[str, Coverage]:
    """Fit intervals on a random half of the images and measure on the other, ``repeats`` times.

    Args:
        truths: one per image, near-duplicates taken out.
        predictions: one per image, with low scores kept.
        thresholds: the score from which each class counts, in label order.
        classes: names in label order.
        repeats: how many random halves.
        seed: of the halves.

    Returns:
        by class, the means over all halves with the least and the most coverage of one.

    Raises:
        DataError: there are fewer than four images, so that a half has not the two of a fit.
    """
    if len(truths) < 4:
        raise DataError(f"{len(truths)} images cannot be halved; give four or more.")
    rng = np.random.default_rng(seed)
    measured: list[dict[str, Coverage]] = []
    for _ in range(repeats):
        fit, other = np.array_split(rng.permutation(len(truths)), 2)
        calibration = fit_intervals(
            [truths[i] for i in fit], [predictions[i] for i in fit], thresholds, classes
        )
        assert calibration is not None, "two images or more are calibrated"
        measured.append(
            measure_coverage(
                [truths[i] for i in other], [predictions[i] for i in other], calibration
            )
        )
    return {name: _mean([of_half[name] for of_half in measured]) for name in classes}


def _mean(measured: Sequence[Coverage]) -> Coverage:
    shares = [each.coverage for each in measured]
    return Coverage(
        coverage=float(np.mean(shares)),
        exact=float(np.mean([each.exact for each in measured])),
        width=float(np.mean([each.width for each in measured])),
        least=min(shares),
        most=max(shares),
    )
