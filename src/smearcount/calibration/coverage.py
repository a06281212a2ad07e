"""How often the intervals of counts hold the true number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smearcount.calibration.intervals import calibrate
from smearcount.counts.interval import interval
from smearcount.detections.detections import Detections
from smearcount.detector.calibration import Calibration
from smearcount.errors import DataError
from smearcount.evaluation.cells import Cells


@dataclass(frozen=True)
class Coverage:
    """How often the interval of a class held the true number.

    Attributes:
        share: of the images, in [0, 1].
        exact: share of the images whose count was right as it stood; since the interval holds
            the count, no interval of whole numbers can cover less.
        width: mean of highest minus lowest number, in cells.
        images: how many images were measured.
    """

    share: float
    exact: float
    width: float
    images: int


def coverage(
    truths: Sequence[Cells],
    predictions: Sequence[Detections],
    calibration: Calibration,
) -> dict[str, Coverage]:
    """Measure how often the intervals hold the true number, on images not used for the fit.

    Args:
        truths: one per image.
        predictions: one per image, with low scores kept.
        calibration: what :func:`calibrate` returned.
    """
    found: dict[str, list[tuple[bool, bool, int]]] = {each.name: [] for each in calibration.classes}
    for truth, said in zip(truths, predictions, strict=True):
        intervals = interval(said.scores, said.labels, calibration) or {}
        for label, each in enumerate(calibration.classes, start=1):
            low, high = intervals[each.name]
            number = int(np.count_nonzero(truth.labels == label))
            count = int(np.count_nonzero(said.scores[said.labels == label] >= each.threshold))
            found[each.name].append((low <= number <= high, number == count, high - low))
    measured = {name: np.array(rows, dtype=float).mean(axis=0) for name, rows in found.items()}
    return {
        name: Coverage(float(m[0]), float(m[1]), float(m[2]), len(truths))
        for name, m in measured.items()
    }


def repeated_coverage(
    truths: Sequence[Cells],
    predictions: Sequence[Detections],
    thresholds: Sequence[float],
    classes: Sequence[str],
    *,
    repeats: int = 20,
    seed: int = 0,
) -> dict[str, list[Coverage]]:
    """Fit on a random half and measure on the other, ``repeats`` times.

    Args:
        truths: one per image, near-duplicates taken out.
        predictions: one per image, with low scores kept.
        thresholds: the score from which each class counts, in label order.
        classes: names in label order.
        repeats: how many random halves.
        seed: of the halves.

    Returns:
        by class, one measurement per repeat.

    Raises:
        DataError: there are fewer than four images, so that a half has not the two of a fit.
    """
    if len(truths) < 4:
        raise DataError(f"{len(truths)} images cannot be halved; give four or more.")
    rng = np.random.default_rng(seed)
    results: dict[str, list[Coverage]] = {name: [] for name in classes}
    for _ in range(repeats):
        order = rng.permutation(len(truths))
        fit, rest = np.array_split(order, 2)
        calibration = calibrate(
            [truths[i] for i in fit], [predictions[i] for i in fit], thresholds, classes
        )
        assert calibration is not None, "two images or more are calibrated"
        measured = coverage([truths[i] for i in rest], [predictions[i] for i in rest], calibration)
        for name in classes:
            results[name].append(measured[name])
    return results
