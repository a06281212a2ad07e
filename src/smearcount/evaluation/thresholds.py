"""The score from which each class counts, chosen so that the counts come out right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.detections.detections import Detections
from smearcount.evaluation.cells import Cells

WITHOUT_TRUTH: Final = 0.5
"""The threshold of a class of which the data hold no cell to learn from."""

_CANDIDATES: Final = np.arange(5, 96) / 100
_SMOOTHING: Final = np.array([1, 2, 3, 2, 1]) / 9


def choose_thresholds(
    truths: Sequence[Cells], predictions: Sequence[Detections], classes: Sequence[str]
) -> tuple[float, ...]:
    """Choose the threshold of each class that counts best, on data kept from training.

    The cost of a threshold is the mean absolute count error per image plus the size of the mean
    error (the bias), both in cells: of two thresholds that err as much on single images, the one
    whose errors cancel in the total wins. The cost is smoothed over neighbouring thresholds, so
    that one lucky score does not decide. Where few cells decide, many thresholds do about as well:
    the one nearest to 0.5 is taken whose cost is within one standard error of the best (the
    one-standard-error rule, Breiman et al. 1984), since extremes rarely suit other images.

    Args:
        truths: one per image.
        predictions: one per image, with low scores kept.
        classes: names in label order.

    Returns:
        one threshold from 0.05 to 0.95 per class, in label order.
    """
    return tuple(_choose(truths, predictions, label) for label, _ in enumerate(classes, start=1))


def _choose(truths: Sequence[Cells], predictions: Sequence[Detections], label: int) -> float:
    true_counts = np.array([np.count_nonzero(truth.labels == label) for truth in truths])
    if not true_counts.any():
        return WITHOUT_TRUTH
    counts = np.stack([_counts(found.scores[found.labels == label]) for found in predictions])
    errors = counts - true_counts[:, None]
    costs = np.abs(errors) + np.sign(errors.mean(axis=0)) * errors  # (images, candidates)
    reach = len(_SMOOTHING) // 2
    smooth = np.convolve(np.pad(costs.mean(axis=0), reach, mode="edge"), _SMOOTHING, mode="valid")
    lowest = np.flatnonzero(np.isclose(smooth, smooth.min(), rtol=0, atol=1e-9))
    return float(_CANDIDATES[_towards_middle(costs, int(lowest[len(lowest) // 2]))])


def _towards_middle(costs: NDArray[np.float64], best: int) -> int:
    """Walk from the best candidate towards 0.5 for as long as the data cannot tell the two apart.

    Args:
        costs: shape (images, candidates).
        best: index of the cheapest candidate.
    """
    middle = int(np.argmin(np.abs(_CANDIDATES - WITHOUT_TRUTH)))
    chosen = best
    while chosen != middle:
        following = chosen + (1 if middle > best else -1)
        dearer = costs[:, following] - costs[:, best]
        if dearer.mean() > dearer.std() / np.sqrt(len(dearer)):
            break
        chosen = following
    return chosen


def _counts(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return how many scores reach each candidate threshold."""
    return len(scores) - np.searchsorted(np.sort(scores), _CANDIDATES.astype(np.float32))
