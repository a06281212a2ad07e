"""A detector is evaluated as a user counts; its counts, slides and scores add up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from smearcount.counts.grouping import grouping
from smearcount.datasets.dataset import Dataset
from smearcount.detections.detections import Detections
from smearcount.detector.detector import Detector
from smearcount.errors import DataError, UsageError
from smearcount.evaluation.evaluation import (
    ALL_CLASSES,
    EvaluatedImage,
    Evaluation,
    evaluate,
    evaluate_detections,
)
from smearcount.evaluation.matching import GroundTruth

Known = tuple[Detector, Dataset]


def test_an_evaluation_finds_the_errors_that_were_made(known: Known) -> None:
    done: list[None] = []
    evaluation = evaluate(*known, on_image=lambda: done.append(None))
    assert len(done) == len(evaluation.images) == 6
    errors = evaluation.at_model_thresholds.counted - evaluation.at_model_thresholds.true
    assert np.abs(errors).sum(axis=1).tolist() == [0, 1, 1, 0, 0, 0]
    assert [Path(field.slide).name for field in evaluation.images] == ["one"] * 3 + ["two"] * 3
    assert evaluation.scores.overall["map_50"] > 0.95


def test_classes_are_matched_by_name_whatever_their_order(known: Known) -> None:
    detector, dataset = known
    turned = replace(
        dataset,
        classes=("Platelets", "WBC", "RBC"),
        images=tuple(
            replace(image, labels=np.array([0, 2, 3, 1])[image.labels]) for image in dataset.images
        ),
    )
    ours, theirs = evaluate(detector, dataset), evaluate(detector, turned)
    assert theirs.classes == ours.classes
    assert (theirs.at_model_thresholds.true == ours.at_model_thresholds.true).all()


def test_data_that_cannot_be_meant_are_refused(known: Known) -> None:
    detector, dataset = known
    with pytest.raises(DataError, match="no image to evaluate"):
        evaluate(detector, replace(dataset, images=()))
    with pytest.raises(DataError, match="none of the model's"):
        evaluate(detector, replace(dataset, classes=("a", "b", "c")))
    first = replace(dataset.images[0], width=120, height=160)
    with pytest.raises(DataError, match="160×120 pixels, but its annotation is for 120×160"):
        evaluate(detector, replace(dataset, images=(first,)))


def test_slides_can_be_grouped_otherwise(known: Known) -> None:
    detector, dataset = known
    evaluation = evaluate(detector, dataset, slide_of=grouping(r"[012](?=\.png)"))
    slides = evaluation.at_model_thresholds.slides["RBC"]
    assert [(slide.name, slide.images) for slide in slides] == [("0", 1), ("1", 1), ("2", 1)]
    with pytest.raises(UsageError, match="finds no slide"):
        evaluate(detector, dataset, slide_of=grouping("nowhere"))


def test_counts_differ_between_the_two_kinds_of_thresholds(evaluation: Evaluation) -> None:
    at_model_thresholds = (
        evaluation.at_model_thresholds.counted - evaluation.at_model_thresholds.true
    )
    at_fixed_threshold = evaluation.at_fixed_threshold.counted - evaluation.at_fixed_threshold.true
    assert at_model_thresholds[2].tolist() == [0, 0, 1], (
        "the extra platelet at 0.45 counts from 0.4"
    )
    assert at_fixed_threshold[2].tolist() == [0, 0, 0]
    assert at_model_thresholds[1].sum() == -1
    assert np.abs(at_model_thresholds[[0, 3, 4, 5]]).sum() == 0
    assert evaluation.at_model_thresholds.agreement["Platelets"].bias.value == pytest.approx(1 / 6)
    assert evaluation.at_model_thresholds.agreement[ALL_CLASSES].mae.value == pytest.approx(2 / 6)


def test_images_are_summed_into_slides_by_folder(evaluation: Evaluation) -> None:
    one, two = evaluation.at_model_thresholds.slides["Platelets"]
    assert (one.name, one.images, two.name, two.images) == ("one", 3, "two", 3)
    assert one.counted == one.true + 1
    assert one.within_allowed, "7 of 6 is 17 % too many, 25 % are allowed"
    assert two.within_allowed


def test_a_class_that_only_the_data_set_has_is_never_found(evaluation: Evaluation) -> None:
    truth = GroundTruth(np.array([[0, 0, 9, 9]], np.float32), np.array([4]))
    field = EvaluatedImage(Path("x.png"), "x", truth, Detections.empty(), 0)
    classes = (*evaluation.card.classes, "Parasite")
    result = evaluate_detections(evaluation.card, "x", classes, [field])
    assert result.at_model_thresholds.agreement["Parasite"].counted_total == 0
    assert result.scores.per_class["Parasite"]["map"] == 0
    assert list(result.at_model_thresholds.agreement) == [*classes, ALL_CLASSES]
