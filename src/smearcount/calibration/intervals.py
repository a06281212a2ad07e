"""Fit the intervals of counts: what turns the scores of detections into a range of counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.counts.interval import tail_probability
from smearcount.detections.boxes import iou
from smearcount.detections.detections import Detections
from smearcount.detector.interval_calibration import WIDEST_TAIL, Calibration, ClassCalibration
from smearcount.evaluation.matching import LabeledBoxes

MATCH_IOU: Final = 0.3
"""IoU from which a detection stands for a cell: a poorly placed box still counts it correctly."""

LEVEL: Final = 0.95
_FOLDS: Final = 10


def fit_intervals(
    truths: Sequence[LabeledBoxes],
    predictions: Sequence[Detections],
    thresholds: Sequence[float],
    classes: Sequence[str],
) -> Calibration | None:
    """Fit the intervals of counts on images kept from training.

    Scores become probabilities by isotonic regression per class, and the number of cells follows
    a Poisson binomial distribution. How far the interval reaches into its tails is the conformal
    quantile of where the true numbers lie in distributions that were fitted without them
    (cross-fitting).

    Args:
        truths: one per image.
        predictions: one per image, with low scores kept.
        thresholds: the score from which each class counts, in label order.
        classes: names in label order.

    Returns:
        ``card.calibration``; None where there are fewer than two images.
    """
    if len(truths) < 2:
        return None
    images = [
        _MatchedImage.of(truth, detections, len(classes))
        for truth, detections in zip(truths, predictions, strict=True)
    ]
    fold_of = np.arange(len(images)) % min(_FOLDS, len(images))
    tails = np.full((len(images), len(classes)), np.inf)
    for fold in np.unique(fold_of):
        other_folds = [image for image, f in zip(images, fold_of, strict=True) if f != fold]
        fitted = _fit_classes(other_folds, thresholds, classes)
        for index in np.flatnonzero(fold_of == fold):
            tails[index] = _tails_of_true_counts(images[index], fitted)
    calibrated = tuple(
        of_class.model_copy(update={"tail": _conformal_tail(tails[:, k])})
        for k, of_class in enumerate(_fit_classes(images, thresholds, classes))
    )
    about = {"images": len(images), "method": "isotonic, Poisson-binomial, conformal"}
    return Calibration(classes=calibrated, level=LEVEL, about=about)


@dataclass(frozen=True, eq=False)
class _MatchedImage:
    """One image by class: scores, which of them are true positives, and how many cells it has."""

    scores: tuple[NDArray[np.float32], ...]
    correct: tuple[NDArray[np.bool_], ...]
    true_counts: NDArray[np.int64]

    @classmethod
    def of(cls, truth: LabeledBoxes, detections: Detections, n_classes: int) -> _MatchedImage:
        scores, correct = [], []
        for label in range(1, n_classes + 1):
            of_class = detections[detections.labels == label]
            scores.append(of_class.scores)
            correct.append(_true_positives(truth.boxes_xyxy_px[truth.labels == label], of_class))
        true_counts = np.bincount(truth.labels, minlength=n_classes + 1)[1:]
        return cls(tuple(scores), tuple(correct), true_counts)


def _true_positives(boxes: NDArray[np.float32], detections: Detections) -> NDArray[np.bool_]:
    """Return which detections are cells: the best score first takes the cell it overlaps most."""
    overlap = iou(detections.boxes_xyxy_px, boxes)
    correct = np.zeros(len(detections), dtype=np.bool_)
    if not overlap.size:
        return correct
    for index, row in enumerate(overlap):
        best = int(row.argmax())
        if row[best] >= MATCH_IOU:
            correct[index] = True
            overlap[:, best] = 0
    return correct


def _fit_classes(
    images: Sequence[_MatchedImage], thresholds: Sequence[float], classes: Sequence[str]
) -> list[ClassCalibration]:
    curves = [_isotonic_curve(images, k) for k in range(len(classes))]
    expected_cells = np.array(
        [
            sum(np.interp(image.scores[k], *curve).sum() for k, curve in enumerate(curves))
            for image in images
        ]
    )
    fitted = []
    for k, (name, (scores, probabilities)) in enumerate(zip(classes, curves, strict=True)):
        missed = np.array([image.true_counts[k] - image.correct[k].sum() for image in images])
        total = expected_cells.sum()
        miss_rate = float(missed.sum() / total) if total > 0 else 0.0
        expected_misses = miss_rate * expected_cells
        variance = float(((missed - expected_misses) ** 2).sum())
        fitted.append(
            ClassCalibration(
                name=name,
                scores=tuple(np.round(scores, 4).tolist()),
                probabilities=tuple(np.round(probabilities, 5).tolist()),
                misses_per_cell=round(miss_rate, 6),
                miss_dispersion=round(max(1.0, variance / expected_misses.sum()), 3)
                if miss_rate
                else 1.0,
                threshold=thresholds[k],
                tail=(1 - LEVEL) / 2,
            )
        )
    return fitted


def _isotonic_curve(
    images: Sequence[_MatchedImage], k: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return scores and the probability of being a cell there, both non-decreasing.

    Each level of the isotonic fit becomes one knot at its mean score. Half a true and half a false
    positive are added to each, so that no detection is certain.
    """
    from scipy.optimize import isotonic_regression

    scores = np.concatenate([image.scores[k] for image in images]).astype(np.float64)
    correct = np.concatenate([image.correct[k] for image in images]).astype(np.float64)
    if not len(scores):
        return np.zeros(1), np.zeros(1)
    _, index, n = np.unique(scores, return_inverse=True, return_counts=True)
    blocks = isotonic_regression(np.bincount(index, correct) / n, weights=n).blocks
    level_of = (np.searchsorted(blocks, np.arange(len(n)), side="right") - 1)[index]
    size = np.bincount(level_of)
    mean_scores = np.bincount(level_of, scores) / size
    probabilities = (np.bincount(level_of, correct) + 0.5) / (size + 1)
    return mean_scores, np.maximum.accumulate(probabilities)


def _tails_of_true_counts(
    image: _MatchedImage, fitted: Sequence[ClassCalibration]
) -> NDArray[np.float64]:
    """Return by class how far in the tail the true count lies; infinite where the count is it."""
    probabilities = [of_class.probability(image.scores[k]) for k, of_class in enumerate(fitted)]
    expected_cells = float(sum(p.sum() for p in probabilities))
    tails = np.full(len(fitted), np.inf)
    for k, of_class in enumerate(fitted):
        true_count = int(image.true_counts[k])
        if np.count_nonzero(image.scores[k] >= of_class.threshold) != true_count:
            misses = of_class.misses_per_cell * expected_cells
            tails[k] = tail_probability(
                true_count, probabilities[k], misses, of_class.miss_dispersion
            )
    return tails


def _conformal_tail(tails: NDArray[np.float64]) -> float:
    """Return the widest tail that still leaves out no more images than the level allows."""
    allowed_outside = int((1 - LEVEL) * (len(tails) + 1))
    return float(min(WIDEST_TAIL, np.sort(tails)[max(0, allowed_outside - 1)]))
