"""Intervals fitted on one set of images hold the truth on another."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from smearcount.calibration.coverage import coverage, repeated_coverage
from smearcount.calibration.intervals import calibrate
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
        seen = rng.random(len(true_labels)) > 0.02
        clarity = rng.normal(np.where(true_labels == 1, 5, 2.5) * rng.beta(8, 2), 1.2)
        logits = np.concatenate([clarity, rng.normal(-2, 1.2, len(invented))])
        labels = np.concatenate([true_labels, invented])
        left = np.arange(len(labels)) * 10.0
        boxes = np.stack([left, left * 0, left + 10, left * 0 + 10], axis=1)
        kept = np.concatenate([seen, np.ones(len(invented), bool)])
        scores = 1 / (1 + np.exp(-logits))
        n_true = len(true_labels)
        truths.append(Detections(boxes[:n_true], np.ones(n_true), true_labels))
        predictions.append(Detections(boxes[kept], scores[kept], labels[kept]))
    return truths, predictions


def test_the_interval_of_a_class_with_many_cells_holds_95_percent() -> None:
    calibration = calibrate(*simulated(200, 1), THRESHOLDS, CLASSES)
    measured = coverage(*simulated(800, 2), calibration)
    assert measured["RBC"].share == pytest.approx(0.95, abs=0.025)
    assert measured["RBC"].width < 5


def test_counts_that_are_nearly_always_right_are_covered_at_least_that_often() -> None:
    calibration = calibrate(*simulated(200, 1), THRESHOLDS, CLASSES)
    wbc = coverage(*simulated(300, 3), calibration)["WBC"]
    assert wbc.share >= max(wbc.exact, 0.93)


def test_halves_are_measured_as_often_as_asked() -> None:
    measured = repeated_coverage(*simulated(40, 4), THRESHOLDS, CLASSES, repeats=2)
    assert [one.images for one in measured["RBC"]] == [20, 20]


def test_a_class_never_detected_is_all_misses() -> None:
    truths, predictions = simulated(30, 5)
    blind = [found[found.labels == 2] for found in predictions]
    measured = coverage(truths, blind, calibrate(truths, blind, THRESHOLDS, CLASSES))
    assert measured["WBC"].share > 0.8


def test_one_image_is_too_few_to_promise_anything() -> None:
    assert calibrate(*simulated(1, 6), THRESHOLDS, CLASSES) is None
    with pytest.raises(DataError, match="halved"):
        repeated_coverage(*simulated(3, 6), THRESHOLDS, CLASSES)
