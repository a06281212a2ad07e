"""``smearcount calibrate`` on drawn data, whole: what it prints, writes and refuses."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

pytest.importorskip("sklearn")
pytest.importorskip("faster_coco_eval")

from doubles.drawn_dataset import drawn_dataset
from smearcount.cli import main
from smearcount.datasets.write import write_dataset
from smearcount.detector.load import SHIPPED_FILE, load_detector
from smearcount.detector.model_card import ModelCard


def test_a_model_is_copied_with_a_card_fitted_to_the_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["smearcount", "calibrate", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0), *capsys.readouterr()

    data = tmp_path / "data"
    write_dataset(drawn_dataset(tmp_path / "drawn", 20), data, "coco", "val")
    write_dataset(drawn_dataset(tmp_path / "more", 4, first_seed=50), data, "coco", "few")

    out = tmp_path / "out"
    code, text, error = run("shipped", data, "-o", out)
    assert code == 0, error
    assert "cells per image on 20 images" in text
    assert "Border odds ratio of red cells: 0.35 → " in text
    assert "blur 3 px" in text
    written = load_detector(out / SHIPPED_FILE.name).card
    shipped = ModelCard.read(SHIPPED_FILE.with_suffix(".json"))
    assert written.sha256 == shipped.sha256
    assert written.calibration != shipped.calibration
    assert f"0.43 → {written.thresholds[1]:.2f}" in text

    code, _, error = run("shipped", data, "--split", "few")
    assert (code, "needs 20 images or more" in error) == (1, True)
    code, _, error = run("shipped", data, "--in-place")
    assert (code, "the shipped model stays as it is" in error) == (2, True)
    code, _, error = run(out / SHIPPED_FILE.name, data, "-o", out)
    assert (code, "this is the model itself" in error) == (2, True)
    code, _, error = run("shipped", data, "-o", out, "--in-place")
    assert (code, "exclude each other" in error) == (2, True)


def test_in_place_replaces_the_card_alone_and_by_default_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model.onnx"
    shutil.copy(SHIPPED_FILE, model)
    shutil.copy(SHIPPED_FILE.with_suffix(".json"), model.with_suffix(".json"))
    data = tmp_path / "data"
    write_dataset(drawn_dataset(tmp_path / "drawn", 20), data, "coco")
    before = model.with_suffix(".json").read_bytes()
    for options in ([], ["--in-place"]):
        assert model.with_suffix(".json").read_bytes() == before
        words = ["smearcount", "calibrate", str(model), str(data / "all.bbox.json"), *options]
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as end:
            main()
        assert not end.value.code
        assert ("Nothing was written" in capsys.readouterr().err) is (not options)
    assert model.with_suffix(".json").read_bytes() != before
    assert load_detector(model).card.name == "smearcount-s"
