"""Fit what turns scores into intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.counts.interval import tail_of
from smearcount.detections.boxes import iou
from smearcount.detections.detections import Detections
from smearcount.detector.calibration import WIDEST_TAIL, Calibration, ClassCalibration
from smearcount.evaluation.cells import Cells

SAME_CELL_IOU: Final = 0.3
"""Overlap from which a detection stands for a cell: a badly placed box still counts it rightly."""

LEVEL: Final = 0.95
_FOLDS: Final = 10


def calibrate(
    truths: Sequence[Cells],
    predictions: Sequence[Detections],
    thresholds: Sequence[float],
    classes: Sequence[str],
) -> Calibration | None:
    """Fit the intervals on images kept from training.

    Scores become probabilities by isotonic regression per class. How far the interval reaches
    into the tails is the conformal quantile of where the true numbers lie in distributions that
    were fitted without them (cross-fitting).

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
    images = [_Image.of(t, p, len(classes)) for t, p in zip(truths, predictions, strict=True)]
    fold_of = np.arange(len(images)) % min(_FOLDS, len(images))
    tails = np.full((len(images), len(classes)), np.inf)
    for fold in np.unique(fold_of):
        rest = [image for image, f in zip(images, fold_of, strict=True) if f != fold]
        fitted = _fit(rest, thresholds, classes)
        for index in np.flatnonzero(fold_of == fold):
            tails[index] = _tails(images[index], fitted)
    final = _fit(images, thresholds, classes)
    settled = tuple(
        each.model_copy(update={"tail": _conformal(tails[:, k])}) for k, each in enumerate(final)
    )
    about = {"images": len(images), "method": "isotonic, Poisson-binomial, conformal"}
    return Calibration(classes=settled, level=LEVEL, about=about)


@dataclass(frozen=True, eq=False)
class _Image:
    """One image by class: scores, which of them are cells, and how many cells there are."""

    scores: tuple[NDArray[np.float32], ...]
    right: tuple[NDArray[np.bool_], ...]
    numbers: NDArray[np.int64]

    @classmethod
    def of(cls, truth: Cells, found: Detections, n_classes: int) -> _Image:
        scores, right = [], []
        for label in range(1, n_classes + 1):
            of_class = found[found.labels == label]
            scores.append(of_class.scores)
            right.append(_right(truth.boxes_xyxy_px[truth.labels == label], of_class))
        numbers = np.bincount(truth.labels, minlength=n_classes + 1)[1:]
        return cls(tuple(scores), tuple(right), numbers)


def _right(boxes: NDArray[np.float32], found: Detections) -> NDArray[np.bool_]:
    """Tell which detections are cells: the best score first takes the cell it overlaps most."""
    overlap = iou(found.boxes_xyxy_px, boxes)
    right = np.zeros(len(found), dtype=np.bool_)
    if not overlap.size:
        return right
    for index, row in enumerate(overlap):
        best = int(row.argmax())
        if row[best] >= SAME_CELL_IOU:
            right[index] = True
            overlap[:, best] = 0
    return right


def _fit(
    images: Sequence[_Image], thresholds: Sequence[float], classes: Sequence[str]
) -> list[ClassCalibration]:
    curves = [_isotonic(images, k) for k in range(len(classes))]
    seen = np.array(
        [
            sum(np.interp(image.scores[k], *curve).sum() for k, curve in enumerate(curves))
            for image in images
        ]
    )
    fitted = []
    for k, (name, (scores, probabilities)) in enumerate(zip(classes, curves, strict=True)):
        missed = np.array([image.numbers[k] - image.right[k].sum() for image in images])
        rate = float(missed.sum() / seen.sum()) if seen.sum() > 0 else 0.0
        expected = rate * seen
        spread = float(((missed - expected) ** 2).sum())
        fitted.append(
            ClassCalibration(
                name=name,
                scores=tuple(np.round(scores, 4).tolist()),
                probabilities=tuple(np.round(probabilities, 5).tolist()),
                misses_per_cell=round(rate, 6),
                miss_dispersion=round(max(1.0, spread / expected.sum()), 3) if rate else 1.0,
                threshold=thresholds[k],
                tail=(1 - LEVEL) / 2,
            )
        )
    return fitted


def _isotonic(images: Sequence[_Image], k: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return scores and the probability of being a cell there, both never falling.

    Each level of the isotonic fit becomes one knot at its mean score. Half a hit and half a miss
    are added to each, so that no detection is certain.
    """
    from sklearn.isotonic import IsotonicRegression

    scores = np.concatenate([image.scores[k] for image in images]).astype(np.float64)
    right = np.concatenate([image.right[k] for image in images]).astype(np.float64)
    if not len(scores):
        return np.zeros(1), np.zeros(1)
    levels = IsotonicRegression(y_min=0, y_max=1).fit_transform(scores, right)
    _, block = np.unique(levels, return_inverse=True)
    size = np.bincount(block)
    at = np.bincount(block, scores) / size
    likely = (np.bincount(block, right) + 0.5) / (size + 1)
    return at, np.maximum.accumulate(likely)


def _tails(image: _Image, fitted: Sequence[ClassCalibration]) -> NDArray[np.float64]:
    """Return by class how far out the true number lies; infinite where the count is right."""
    likely = [each.probability(image.scores[k]) for k, each in enumerate(fitted)]
    seen = float(sum(p.sum() for p in likely))
    tails = np.full(len(fitted), np.inf)
    for k, each in enumerate(fitted):
        number = int(image.numbers[k])
        if np.count_nonzero(image.scores[k] >= each.threshold) != number:
            misses = each.misses_per_cell * seen
            tails[k] = tail_of(number, likely[k], misses, each.miss_dispersion)
    return tails


def _conformal(tails: NDArray[np.float64]) -> float:
    """Return the tail that leaves out the share of images that the level allows, not more."""
    left_out = int((1 - LEVEL) * (len(tails) + 1))
    return float(min(WIDEST_TAIL, np.sort(tails)[max(0, left_out - 1)]))
