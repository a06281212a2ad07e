"""Choose the score from which each class counts, so that the counts come out right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.detections.detections import Detections
from smearcount.evaluation.matching import LabeledBoxes

DEFAULT_THRESHOLD: Final = 0.5
"""The threshold of a class of which the data hold no cell to choose it by."""

BORDER_ODDS_RATIOS: Final = (1.0, 0.7, 0.5, 0.35)
"""Candidates for ``ModelCard.border_odds_ratio``; smaller ones cost average precision."""

_CANDIDATES: Final = np.arange(20, 81) / 100
_SMOOTHING_KERNEL: Final = np.array([1, 2, 3, 2, 1]) / 9


def choose_thresholds(
    truths: Sequence[LabeledBoxes], predictions: Sequence[Detections], classes: Sequence[str]
) -> tuple[float, ...]:
    """Choose the threshold of each class that counts best, on data kept from training.

    The cost of a threshold is the mean absolute count error per image plus the absolute mean error
    (the bias), both in cells: of two thresholds with the same error on single images, the one
    whose errors cancel in the total wins. The cost is smoothed over neighboring thresholds, so
    that one score by chance does not decide; among equals the middle one is taken. Thresholds stay
    between 0.2 and 0.8: a few wrong labels may ask for an extreme that suits no other images.

    Args:
        truths: one per image.
        predictions: one per image, with low scores kept.
        classes: names in label order.

    Returns:
        one threshold from 0.2 to 0.8 per class, in label order; :data:`DEFAULT_THRESHOLD` for a
        class without any true cell.

    Example:
        >>> import numpy as np
        >>> from smearcount import Detections
        >>> from smearcount.calibration import choose_thresholds
        >>> from smearcount.evaluation import GroundTruth
        >>> truth = GroundTruth(np.zeros((2, 4), np.float32), np.array([1, 1]))
        >>> scores, labels = np.float32([0.9, 0.7, 0.3]), np.array([1, 1, 1])
        >>> choose_thresholds([truth], [Detections(np.zeros((3, 4)), scores, labels)], ["RBC"])
        (0.51,)
    """
    return tuple(
        _choose_threshold(truths, predictions, label) for label, _ in enumerate(classes, start=1)
    )


def choose_border_odds_ratio(
    truths: Sequence[LabeledBoxes],
    predictions_at: Callable[[float], Sequence[Detections]],
    label: int,
) -> float:
    """Choose how far to lower the scores of cells that the border cuts, for the best counts.

    The cost is that of :func:`choose_thresholds` at the best threshold. Of the ratios whose cost is
    at most a standard error above the lowest, the smallest is taken, for then whole cells count
    from the lowest score, and more of them are found on microscopes that nobody labeled
    (docs/trust.md); but if nothing costs less than no correction, the ratio is 1.

    Args:
        truths: one per image.
        predictions_at: returns the predictions, one per image, for a value of
            ``ModelCard.border_odds_ratio``.
        label: of the red cells.

    Returns:
        one of :data:`BORDER_ODDS_RATIOS`; 1 if the data hold no red cell.
    """
    if not any((truth.labels == label).any() for truth in truths):
        return 1.0
    errors = {
        ratio: _count_errors(truths, predictions_at(ratio), label) for ratio in BORDER_ODDS_RATIOS
    }
    costs = {ratio: float(_smoothed_costs(table).min()) for ratio, table in errors.items()}
    best = min(costs, key=lambda ratio: costs[ratio])
    if best == 1:
        return 1.0
    absolute = np.abs(errors[best][:, _smoothed_costs(errors[best]).argmin()])
    highest_cost = costs[best] + absolute.std() / np.sqrt(len(absolute))
    return min(ratio for ratio, cost in costs.items() if cost <= highest_cost)


def _choose_threshold(
    truths: Sequence[LabeledBoxes], predictions: Sequence[Detections], label: int
) -> float:
    if not any((truth.labels == label).any() for truth in truths):
        return DEFAULT_THRESHOLD
    costs = _smoothed_costs(_count_errors(truths, predictions, label))
    best = np.flatnonzero(np.isclose(costs, costs.min(), rtol=0, atol=1e-9))
    return float(_CANDIDATES[best[len(best) // 2]])


def _count_errors(
    truths: Sequence[LabeledBoxes], predictions: Sequence[Detections], label: int
) -> NDArray[np.int64]:
    """Return counted minus true cells of each image (row) at each candidate threshold (column)."""
    true_counts = np.array([np.count_nonzero(truth.labels == label) for truth in truths])
    counts = np.stack(
        [_counts_at_candidates(image.scores[image.labels == label]) for image in predictions]
    )
    errors: NDArray[np.int64] = counts - true_counts[:, None]
    return errors


def _smoothed_costs(errors: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the smoothed cost of each candidate threshold."""
    costs = np.abs(errors).mean(axis=0) + np.abs(errors.mean(axis=0))
    half = len(_SMOOTHING_KERNEL) // 2
    return np.convolve(np.pad(costs, half, mode="edge"), _SMOOTHING_KERNEL, mode="valid")


def _counts_at_candidates(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return how many scores reach each candidate threshold."""
    return len(scores) - np.searchsorted(np.sort(scores), _CANDIDATES.astype(np.float32))
