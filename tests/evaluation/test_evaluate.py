"""A detector is evaluated through the same door by which a user counts."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from smearcount.cli import main
from smearcount.counts.grouping import grouping
from smearcount.datasets.dataset import Dataset
from smearcount.datasets.write import write_dataset
from smearcount.detector.detector import Detector
from smearcount.errors import DataError, UsageError
from smearcount.evaluation.evaluation import evaluate

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


def test_the_command_writes_page_and_tables(
    known: Known,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    detector, dataset = known
    command = sys.modules["smearcount.cli.evaluate"]
    monkeypatch.setattr(command, "load_detector", lambda _: detector)
    data = tmp_path / "data"
    write_dataset(dataset, data, "coco", "test")

    def run(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["smearcount", "evaluate", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0), *capsys.readouterr()

    out = tmp_path / "out"
    code, text, _ = run(
        "shipped", tmp_path / "data", "--split", "test", "-o", out, "--allowed", "RBC=0.1"
    )
    assert code == 0
    assert "Platelets: 1 of 1 slide counted within ±25 %" in text
    assert "RBC: 0 of 1 slide counted within ±0.1 %" in text
    assert "mar_100" in text
    assert {path.name for path in out.iterdir()} == {
        "evaluation.html",
        "evaluation.json",
        "agreement.csv",
        "fields.csv",
        "slides.csv",
    }
    assert json.loads((out / "evaluation.json").read_text(encoding="utf-8"))["data"]["images"] == 6

    code, _, text = run("shipped")
    assert (code, "--synthetic" in text) == (2, True)
    code, _, text = run("shipped", data, "--allowed", "RBC")
    assert (code, "CLASS=PERCENT" in text) == (2, True)
    code, _, text = run("shipped", data, "--without-duplicates-of", f"{data}:test")
    assert (code, "no image to evaluate" in text) == (1, True)
