"""Intervals fitted on one set of images hold the truth on another."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")

from smearcount.calibration.coverage import cross_validated_coverage, measure_coverage
from smearcount.calibration.intervals import fit_intervals
from smearcount.detections.detections import Detections
from smearcount.errors import DataError

CLASSES = ("WBC", "RBC")
THRESHOLDS = (0.5, 0.5)


def simulated(n: int, seed: int) -> tuple[list[Detections], list[Detections]]:
    """Fields with one or two WBC and about 18 RBC, some missed, some doubtful, some invented."""
    rng = np.random.default_rng(seed)
    truths, predictions = [], []
    for _ in range(n):
        true_labels = np.repeat([1, 2], [rng.integers(0, 3), rng.poisson(18)])
        invented = np.repeat([1, 2], [rng.poisson(0.05), rng.poisson(2.5)])
        detected = rng.random(len(true_labels)) > 0.02
        clarity = rng.normal(np.where(true_labels == 1, 5, 2.5) * rng.beta(8, 2), 1.2)
        logits = np.concatenate([clarity, rng.normal(-2, 1.2, len(invented))])
        labels = np.concatenate([true_labels, invented])
        left = np.arange(len(labels)) * 10.0
        boxes = np.stack([left, left * 0, left + 10, left * 0 + 10], axis=1)
        kept = np.concatenate([detected, np.ones(len(invented), bool)])
        scores = 1 / (1 + np.exp(-logits))
        n_true = len(true_labels)
        truths.append(Detections(boxes[:n_true], np.ones(n_true), true_labels))
        predictions.append(Detections(boxes[kept], scores[kept], labels[kept]))
    return truths, predictions


def test_the_interval_of_a_class_with_many_cells_holds_95_percent() -> None:
    calibration = fit_intervals(*simulated(200, 1), THRESHOLDS, CLASSES)
    measured = measure_coverage(*simulated(800, 2), calibration)
    assert measured["RBC"].coverage == pytest.approx(0.95, abs=0.025)
    assert measured["RBC"].width < 5


def test_counts_that_are_nearly_always_right_are_covered_at_least_that_often() -> None:
    calibration = fit_intervals(*simulated(200, 1), THRESHOLDS, CLASSES)
    wbc = measure_coverage(*simulated(300, 3), calibration)["WBC"]
    assert wbc.coverage >= max(wbc.exact, 0.93)


def test_coverage_is_the_mean_over_the_halves_and_repeats_with_the_seed() -> None:
    data = simulated(40, 4)
    measured = cross_validated_coverage(*data, THRESHOLDS, CLASSES, repeats=3)
    assert measured == cross_validated_coverage(*data, THRESHOLDS, CLASSES, repeats=3)
    rbc = measured["RBC"]
    assert 0 < rbc.least <= rbc.coverage <= rbc.most <= 1
    assert rbc.exact <= rbc.coverage, "an interval holds the count itself"


def test_a_class_never_detected_is_all_misses() -> None:
    truths, predictions = simulated(30, 5)
    blind = [found[found.labels == 2] for found in predictions]
    measured = measure_coverage(truths, blind, fit_intervals(truths, blind, THRESHOLDS, CLASSES))
    assert measured["WBC"].coverage > 0.8


def test_one_image_is_too_few_to_promise_anything() -> None:
    assert fit_intervals(*simulated(1, 6), THRESHOLDS, CLASSES) is None
    with pytest.raises(DataError, match="halved"):
        cross_validated_coverage(*simulated(3, 6), THRESHOLDS, CLASSES)
