"""A model is calibrated as a count sees the images, on images that it was not trained on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("scipy")

from doubles.drawn_dataset import drawn_dataset
from smearcount.calibration import CalibrationResult, calibrate
from smearcount.calibration.calibration import max_detector_runs, was_trained_on
from smearcount.datasets.dataset import Dataset, labels_digest
from smearcount.detector.detect import detect
from smearcount.detector.detector import Detector
from smearcount.detector.load import load_detector
from smearcount.detector.onnx_detector import OnnxDetector
from smearcount.errors import DataError
from smearcount.image.read import open_image


@pytest.fixture(scope="module")
def detector() -> Detector:
    """The shipped detector with thresholds and a border odds ratio that are plainly wrong."""
    shipped = load_detector()
    assert isinstance(shipped, OnnxDetector)
    wrong = {"thresholds": (0.95, 0.95, 0.95), "border_odds_ratio": 1.0, "calibration": None}
    shipped.card = shipped.card.model_copy(update=wrong)
    return shipped


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return drawn_dataset(tmp_path_factory.mktemp("val"), 20)


@pytest.fixture(scope="module")
def steps() -> list[None]:
    return []


@pytest.fixture(scope="module")
def result(detector: Detector, images: Dataset, steps: list[None]) -> CalibrationResult:
    return calibrate(detector, images, on_image=lambda: steps.append(None))


def test_counts_are_closer_to_the_truth_with_the_new_card(result: CalibrationResult) -> None:
    assert result.before["RBC"].mae > 3, "hardly anything reaches a score of 0.95"
    assert result.after["RBC"].mae < 1
    assert abs(result.after["RBC"].bias) < abs(result.before["RBC"].bias)
    for threshold, error in zip(result.card.thresholds, result.after.values(), strict=True):
        assert 0.2 <= threshold == error.threshold <= 0.8


def test_the_detector_is_left_as_it_was_and_runs_as_in_a_count(
    detector: Detector, images: Dataset, result: CalibrationResult, steps: list[None]
) -> None:
    assert detector.card.thresholds == (0.95, 0.95, 0.95)
    assert len(steps) == max_detector_runs(detector, images)
    again = load_detector()
    assert isinstance(again, OnnxDetector)
    again.card = detector.card.model_copy(
        update={"border_odds_ratio": result.card.border_odds_ratio}
    )
    counted = detect(open_image(images.images[0].path), again).detections
    assert np.array_equal(counted.scores, result.predictions[0].scores)


def test_the_card_holds_intervals_whose_coverage_was_measured(result: CalibrationResult) -> None:
    intervals = result.card.calibration
    assert intervals is not None
    assert intervals.about["images"] == len(result.truths) == 20
    assert intervals.about["data"] == "drawn smears"
    assert set(result.coverage) == {"WBC", "RBC", "Platelets"}
    assert result.coverage["RBC"].coverage > 0.7
    assert [each.threshold for each in intervals.classes] == list(result.card.thresholds)


def test_reference_statistics_are_kept_without_training_images_and_fitted_with_them(
    detector: Detector, images: Dataset, result: CalibrationResult, tmp_path: Path
) -> None:
    before, kept = detector.card.reference_statistics, result.card.reference_statistics
    assert before is not None
    assert kept is not None
    assert kept.cluster_centers == before.cluster_centers
    training_images = drawn_dataset(tmp_path, 20, first_seed=100)
    fitted = calibrate(detector, images, training_images=training_images)
    assert fitted.card.thresholds == result.card.thresholds
    statistics = fitted.card.reference_statistics
    assert statistics is not None
    assert statistics.cluster_centers != before.cluster_centers
    clean, *corrupted = fitted.flag_sensitivity
    assert clean.flagged <= 0.1, "images like those of the training raise few false alarms"
    assert max(row.flagged for row in corrupted) > 0.9


def test_images_that_cannot_calibrate_are_refused(detector: Detector, images: Dataset) -> None:
    few = replace(images, images=images.images[:5])
    with pytest.raises(DataError, match="needs 20 images or more that the model never saw, and"):
        calibrate(detector, few)
    with pytest.raises(DataError, match="needs 20 images or more"):
        calibrate(detector, images, training_images=few)
    with pytest.raises(DataError, match="Platelets is not annotated there"):
        calibrate(detector, replace(images, classes=("WBC", "RBC", "Other")))


def test_images_that_the_card_names_as_trained_on_are_refused(
    detector: Detector, images: Dataset
) -> None:
    named = {"training": {"train": {"digest": labels_digest(images.images)}}}
    trained = detector.card.model_copy(update=named)
    assert was_trained_on(trained, images)
    assert was_trained_on(detector.card, images) is False
    assert was_trained_on(detector.card.model_copy(update={"training": {}}), images) is None
    other = load_detector()
    assert isinstance(other, OnnxDetector)
    other.card = trained
    with pytest.raises(DataError, match="was trained on these images"):
        calibrate(other, images)


def test_a_class_without_cells_keeps_its_threshold(detector: Detector, images: Dataset) -> None:
    without = replace(images, images=tuple(image[image.labels != 3] for image in images.images))
    few = replace(without, images=without.images[:4])
    result = calibrate(detector, few, min_images=4)
    assert result.card.thresholds[2] == 0.95
    assert result.card.thresholds[1] != 0.95
