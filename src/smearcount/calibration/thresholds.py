"""The score from which each class counts, chosen so that the counts come out right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.detections.detections import Detections
from smearcount.evaluation.cells import Cells

WITHOUT_TRUTH: Final = 0.5
"""The threshold of a class of which the data hold no cell to learn from."""

CUT_ODDS: Final = (1.0, 0.7, 0.5, 0.35)
"""Candidates for ``ModelCard.border_odds_ratio``; more doubt costs average precision."""

_CANDIDATES: Final = np.arange(20, 81) / 100
_SMOOTHING: Final = np.array([1, 2, 3, 2, 1]) / 9


def choose_thresholds(
    truths: Sequence[Cells], predictions: Sequence[Detections], classes: Sequence[str]
) -> tuple[float, ...]:
    """Choose the threshold of each class that counts best, on data kept from training.

    The cost of a threshold is the mean absolute count error per image plus the size of the mean
    error (the bias), both in cells: of two thresholds that err as much on single images, the one
    whose errors cancel in the total wins. The cost is smoothed over neighbouring thresholds, so
    that one lucky score does not decide; among equals the middle one is taken. Thresholds stay
    between 0.2 and 0.8: a few wrong labels may ask for an extreme that suits no other images.

    Args:
        truths: one per image.
        predictions: one per image, with low scores kept.
        classes: names in label order.

    Returns:
        one threshold from 0.2 to 0.8 per class, in label order.
    """
    return tuple(_choose(truths, predictions, label) for label, _ in enumerate(classes, start=1))


def choose_cut_odds(
    truths: Sequence[Cells], doubted: Callable[[float], Sequence[Detections]], label: int
) -> float:
    """Choose how much to doubt cells that the border cuts, so that the counts come out right.

    The cost is that of :func:`choose_thresholds` at the best threshold. Of the odds that cost at
    most a standard error more than the best, the smallest are taken, for then whole cells count
    from the lowest score, and more of them are found on microscopes that nobody labelled
    (docs/trust.md); but if nothing costs less than no doubt, there is none.

    Args:
        truths: one per image.
        doubted: returns the predictions, one per image, for a
            ``ModelCard.border_odds_ratio``.
        label: of the red cells.

    Returns:
        one of :data:`CUT_ODDS`; 1 if the data hold no red cell.
    """
    if not any((truth.labels == label).any() for truth in truths):
        return 1.0
    errors = {odds: _errors(truths, doubted(odds), label) for odds in CUT_ODDS}
    costs = {odds: float(_costs(each).min()) for odds, each in errors.items()}
    best = min(costs, key=lambda odds: costs[odds])
    if best == 1:
        return 1.0
    sizes = np.abs(errors[best][:, _costs(errors[best]).argmin()])
    allowed = costs[best] + sizes.std() / np.sqrt(len(sizes))
    return min(odds for odds, cost in costs.items() if cost <= allowed)


def _choose(truths: Sequence[Cells], predictions: Sequence[Detections], label: int) -> float:
    if not any((truth.labels == label).any() for truth in truths):
        return WITHOUT_TRUTH
    smooth = _costs(_errors(truths, predictions, label))
    best = np.flatnonzero(np.isclose(smooth, smooth.min(), rtol=0, atol=1e-9))
    return float(_CANDIDATES[best[len(best) // 2]])


def _errors(
    truths: Sequence[Cells], predictions: Sequence[Detections], label: int
) -> NDArray[np.int64]:
    """Return how many cells too many each image (row) has at each candidate threshold (column)."""
    true_counts = np.array([np.count_nonzero(truth.labels == label) for truth in truths])
    counts = np.stack([_counts(found.scores[found.labels == label]) for found in predictions])
    errors: NDArray[np.int64] = counts - true_counts[:, None]
    return errors


def _costs(errors: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the smoothed cost of each candidate threshold."""
    cost = np.abs(errors).mean(axis=0) + np.abs(errors.mean(axis=0))
    reach = len(_SMOOTHING) // 2
    return np.convolve(np.pad(cost, reach, mode="edge"), _SMOOTHING, mode="valid")


def _counts(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return how many scores reach each candidate threshold."""
    return len(scores) - np.searchsorted(np.sort(scores), _CANDIDATES.astype(np.float32))
