"""Everything measured adds up, at the model's thresholds and at the exercise's."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smearcount.datasets.dataset import Dataset
from smearcount.detections.detections import Detections
from smearcount.evaluation.evaluation import (
    ALL_CLASSES,
    EvaluatedImage,
    Evaluation,
    evaluate_detections,
)
from smearcount.evaluation.matching import GroundTruth
from smearcount.evaluation.report.figures import (
    bland_altman_figure,
    confusion_figure,
    error_figure,
    noise_figure,
    precision_recall_figure,
    scatter_figure,
)
from smearcount.evaluation.report.files import write_results
from smearcount.evaluation.report.html import page
from smearcount.evaluation.report.sections import evaluation_sections
from smearcount.evaluation.report.sentences import class_sentences
from smearcount.evaluation.report.worst_images import worst_images


@pytest.fixture(scope="module")
def evaluation(known: tuple[object, Dataset]) -> Evaluation:
    """Measure the known answers, without going through a detector."""
    detector, dataset = known
    fields = []
    for image in dataset.images:
        pixels = np.asarray(Image.open(image.path)).tobytes()
        truth = GroundTruth(image.boxes_xyxy_px.astype(np.float32), image.labels)
        found = detector.answers[pixels]  # type: ignore[attr-defined]
        fields.append(EvaluatedImage(image.path, image.path.parent.name, truth, found, 0.02))
    card = detector.card  # type: ignore[attr-defined]
    return evaluate_detections(card, dataset.source, dataset.classes, fields)


def test_counts_differ_between_the_two_ways_of_counting(evaluation: Evaluation) -> None:
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


def test_fields_are_summed_into_slides_by_folder(evaluation: Evaluation) -> None:
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


def test_files_for_programs_hold_every_figure(evaluation: Evaluation, tmp_path: Path) -> None:
    write_results(evaluation, tmp_path)
    found = json.loads((tmp_path / "evaluation.json").read_text(encoding="utf-8"))
    assert found["data"]["images"] == 6
    assert {"map", "map_50", "map_75", "map_small", "mar_1", "mar_100", "mar_large"} <= set(
        found["average_precision"]
    )
    ours = found["counts"]["model_thresholds"]
    assert ours["agreement"]["RBC"]["mae"]["value"] == pytest.approx(
        evaluation.at_model_thresholds.agreement["RBC"].mae.value
    )
    assert sum(ours["errors"]["missed"].values()) == 1
    with (tmp_path / "fields.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6 * 3
    assert sum(int(row["true"]) for row in rows) == evaluation.at_model_thresholds.true.sum()
    assert (
        sum(int(row["threshold_0.5"]) for row in rows)
        == evaluation.at_fixed_threshold.counted.sum()
    )
    for name in ("agreement.csv", "slides.csv"):
        assert "nan" not in (tmp_path / name).read_text(encoding="utf-8").lower()


def test_worst_images_come_first_and_perfect_ones_never(evaluation: Evaluation) -> None:
    worst = worst_images(evaluation)
    assert [each.field.path.name for each in worst] == ["1.png", "2.png"]
    assert [(each.missed, each.extra) for each in worst] == [(1, 0), (0, 1)]
    assert worst[0].picture.width > 2 * 400


@pytest.mark.parametrize(
    "draw",
    [
        scatter_figure,
        bland_altman_figure,
        precision_recall_figure,
        confusion_figure,
        error_figure,
        noise_figure,
    ],
)
def test_figures_are_drawn_even_from_almost_nothing(evaluation: Evaluation, draw: object) -> None:
    empty = GroundTruth(np.zeros((0, 4), np.float32), np.zeros(0, np.int64))
    field = EvaluatedImage(Path("x.png"), "x", empty, Detections.empty(), 0)
    nothing = evaluate_detections(evaluation.card, "x", evaluation.classes, [field])
    for each in (evaluation, nothing):
        draw(each).canvas.draw()  # type: ignore[operator]


def test_the_page_stands_alone_and_escapes_names(evaluation: Evaluation) -> None:
    text = page("A <b> & c", evaluation_sections(evaluation, worst_images(evaluation)))
    assert "A &lt;b&gt; &amp; c" in text
    assert "http://" not in text
    assert "https://" not in text
    assert text.count("data:image/") == 8
    assert "Errors by type: 1 missed and 1 background" in text
    assert "nan" not in text.replace("base64", "").split("<style>")[0].lower()


def test_sentences_tell_what_matters(evaluation: Evaluation) -> None:
    text = " ".join(
        class_sentences("Platelets", evaluation.at_model_thresholds.agreement["Platelets"])
    )
    assert "13 were counted instead of 12: 8.3 % too many" in text
    assert "Always guessing the mean" in text or "constant guess" in text
