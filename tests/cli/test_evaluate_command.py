"""``smearcount evaluate``, whole: what it prints, writes and refuses."""

from __future__ import annotations

import csv
import json
import re
import sys
from pathlib import Path

import pytest

pytest.importorskip("faster_coco_eval")
pytest.importorskip("matplotlib")

from doubles.drawn_dataset import drawn_dataset
from smearcount.cli import main
from smearcount.datasets.write import write_dataset
from smearcount.evaluation import robustness


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str | Path
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["smearcount", "evaluate", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0), *capsys.readouterr()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_dataset(drawn_dataset(folder / "drawn", 4), folder / "coco", "coco", "test")
    return folder / "coco"


def test_the_shipped_model_is_evaluated_into_page_and_tables(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = ("--split", "test", "-o", tmp_path, "--allowed", "RBC=0.1")
    code, text, _ = run(monkeypatch, capsys, "shipped", data, *options)
    assert code == 0
    assert "counted 4 images" in text
    assert re.search(r"RBC: [01] of 1 slide counted within ±0.1 %", text)
    assert "mar_100" in text
    assert {path.name for path in tmp_path.iterdir()} == {
        "evaluation.html",
        "evaluation.json",
        "agreement.csv",
        "fields.csv",
        "slides.csv",
    }
    found = json.loads((tmp_path / "evaluation.json").read_text(encoding="utf-8"))
    assert found["data"]["images"] == 4
    assert found["average_precision"]["map_50"] > 0.5, "drawn smears are easy"
    with (tmp_path / "slides.csv").open(encoding="utf-8", newline="") as file:
        assert next(csv.reader(file)) == [
            *("counted_at", "class", "slide", "fields", "true", "found", "within", "error"),
            "allowed_error",
        ]


def test_drawn_smears_can_be_counted_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blur = robustness.Sweep("blur_px", "Blur", "px", (0.5, 8.0))
    monkeypatch.setattr(robustness.measure_robustness, "__defaults__", ([blur], 1, lambda: None))
    code, text, _ = run(monkeypatch, capsys, "shipped", "--synthetic", "-o", tmp_path)
    assert code == 0
    assert "Blur: WBC at" in text
    assert {path.name for path in tmp_path.iterdir()} == {"evaluation.html", "stress.csv"}


def test_what_makes_no_sense_is_refused(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, error = run(monkeypatch, capsys, "shipped")
    assert (code, "--synthetic" in error) == (2, True)
    code, _, error = run(monkeypatch, capsys, "shipped", data, "--allowed", "RBC")
    assert (code, "CLASS=PERCENT" in error) == (2, True)
    duplicates = ("--without-duplicates-of", f"{data}:test")
    code, _, error = run(monkeypatch, capsys, "shipped", data, *duplicates)
    assert (code, "no image to evaluate" in error) == (1, True)
