"""Counting from Python: one image, folders, boxes as lists."""

from __future__ import annotations

import json
import multiprocessing
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

import smearcount
from doubles.square_detector import SquareDetector, picture, some_smear
from smearcount import Settings, UsageError
from smearcount.detector.load import SHIPPED_FILE


def test_a_path_an_array_and_a_pil_image_give_the_same_count(tmp_path: Path) -> None:
    from PIL import Image

    path = some_smear(tmp_path / "a.png")
    with Image.open(path) as opened:
        pixels = np.asarray(opened)
        counts = [
            smearcount.count(image, model=SquareDetector()).counts
            for image in (path, str(path), pixels, opened)
        ]
    assert counts == [{"WBC": 1, "RBC": 3, "Platelets": 1}] * 4


@pytest.mark.parametrize(
    ("threshold", "reds", "whites"),
    [
        (None, 3, 1),
        (0.01, 4, 1),
        ((0.95, 0.01, 0.5), 4, 0),
        ({"RBC": 0.01}, 4, 1),
        ({"WBC": 0.95}, 3, 0),
    ],
)
def test_a_threshold_is_one_score_one_per_class_or_by_name(
    tmp_path: Path, threshold: object, reds: int, whites: int
) -> None:
    path = some_smear(tmp_path / "a.png")
    result = smearcount.count(path, threshold=threshold, model=SquareDetector())  # type: ignore[arg-type]
    assert (result.counts["RBC"], result.counts["WBC"]) == (reds, whites)
    batch = smearcount.count_folder(path, threshold=threshold, model=SquareDetector())  # type: ignore[arg-type]
    assert (batch.counts["RBC"], batch.counts["WBC"]) == (reds, whites)


def test_single_options_replace_values_of_the_settings(tmp_path: Path) -> None:
    path = some_smear(tmp_path / "a.png")
    settings = Settings(threshold=0.01, edge="inside", pixel_size_um=0.5)
    result = smearcount.count(path, settings, edge="two-edges", model=SquareDetector())
    assert result.settings == Settings(threshold=0.01, edge="two-edges", pixel_size_um=0.5)
    assert smearcount.count(path, settings, model=SquareDetector()).settings == settings


def test_an_unknown_class_is_named(tmp_path: Path) -> None:
    path = some_smear(tmp_path / "a.png")
    with pytest.raises(UsageError, match="Reticulocytes"):
        smearcount.count(path, threshold={"Reticulocytes": 0.5}, model=SquareDetector())


def test_boxes_labels_and_scores_come_as_plain_lists(tmp_path: Path) -> None:
    path = some_smear(tmp_path / "a.png")
    boxes, labels, scores = smearcount.predict(path, threshold=0.75, model=SquareDetector())
    assert labels == [1, 2, 2, 2]
    assert boxes[0] == [40, 60, 70, 90]
    assert scores == sorted(scores, reverse=True)
    assert json.loads(json.dumps([boxes, labels, scores])) == [boxes, labels, scores]


def test_a_model_file_is_loaded_once_until_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "model.onnx"
    shutil.copy(SHIPPED_FILE, model)
    shutil.copy(SHIPPED_FILE.with_suffix(".json"), model.with_suffix(".json"))
    loads: list[str] = []
    load = smearcount.api.load_detector

    def counted_load(path: str, **options: int) -> smearcount.Detector:
        loads.append(path)
        return load(path, **options)

    monkeypatch.setattr(smearcount.api, "load_detector", counted_load)
    image = picture()
    smearcount.count(image, model=model)
    smearcount.count(image, model=str(model))
    assert loads == [str(model)]
    card = smearcount.ModelCard.read(model.with_suffix(".json"))
    card.model_copy(update={"name": "renamed"}).write(model.with_suffix(".json"))
    assert smearcount.count(image, model=model).card.name == "renamed"
    assert len(loads) == 2


def test_a_folder_is_counted_without_writing_anything(tmp_path: Path) -> None:
    for name in ("A/1.png", "A/2.png", "B/1.png"):
        some_smear(tmp_path / name)
    found: list[str] = []
    batch = smearcount.count_folder(
        tmp_path, model=SquareDetector(), group_by="folder", on_start=found.extend
    )
    assert [outcome.name for outcome in batch.outcomes] == found
    assert batch.counts == {"WBC": 3, "RBC": 9, "Platelets": 3}
    assert [Path(slide.name).name for slide in batch.slides] == ["A", "B"]
    assert not batch.failed
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} == {".png"}


def test_slides_may_be_told_by_a_function(tmp_path: Path) -> None:
    for name in ("p1-a.png", "p1-b.png", "p2-a.png"):
        some_smear(tmp_path / name)
    batch = smearcount.count_folder(
        tmp_path, model=SquareDetector(), group_by=lambda name: Path(name).name[:2]
    )
    assert [(slide.name, slide.fields) for slide in batch.slides] == [("p1", 2), ("p2", 1)]


def test_a_rule_that_fits_no_image_fails_before_the_work(tmp_path: Path) -> None:
    some_smear(tmp_path / "a.png")
    log = tmp_path / "log"
    with pytest.raises(UsageError, match="no slide"):
        smearcount.count_folder(tmp_path, model=SquareDetector(log), group_by="slide-[0-9]+")
    assert not log.exists()


def test_a_report_needs_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="folder"):
        smearcount.count_folder(some_smear(tmp_path / "a.png"), model=SquareDetector(), report=True)


def test_results_can_be_pickled_with_their_images(tmp_path: Path) -> None:
    path = some_smear(tmp_path / "a.png")
    for image in (path, picture()):
        result = smearcount.count(image, model=SquareDetector())
        again = pickle.loads(pickle.dumps(result))
        assert again.to_dict() == result.to_dict()
        assert np.array_equal(again.image.pixels(), result.image.pixels())
        assert again.draw().size == result.draw().size
    batch = smearcount.count_folder(tmp_path, model=SquareDetector())
    assert pickle.loads(pickle.dumps(batch)).to_dict() == batch.to_dict()


def test_results_come_back_from_other_processes(tmp_path: Path) -> None:
    paths = [some_smear(tmp_path / f"{reds}.png", reds=reds) for reds in (1, 2)]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        results = pool.map(smearcount.count, paths)
    assert [result.image.name for result in results] == [str(path) for path in paths]


def test_results_come_back_from_joblib(tmp_path: Path) -> None:
    joblib = pytest.importorskip("joblib")
    path = some_smear(tmp_path / "a.png")
    work = joblib.delayed(smearcount.count)
    (result,) = joblib.Parallel(n_jobs=2)([work(str(path))])
    assert result.to_dict()["detections"] == smearcount.count(path).to_dict()["detections"]
