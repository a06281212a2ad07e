"""``smearcount data`` does in one line each what a learner needs of a data set."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from smearcount.cli.data import data
from smearcount.datasets.read import read_dataset
from smearcount.errors import DownloadError, SmearcountError, UsageError


def run(*arguments):
    return CliRunner().invoke(data, [str(argument) for argument in arguments])


@pytest.fixture
def folder(tmp_path):
    for split, seed in (("train", 1), ("val", 2)):
        (tmp_path / "own" / "images" / split).mkdir(parents=True)
        (tmp_path / "own" / "labels" / split).mkdir(parents=True)
        noise = np.random.default_rng(seed).integers(0, 256, (24, 32, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / "own" / "images" / split / f"{split}.png")
        (tmp_path / "own" / "labels" / split / f"{split}.txt").write_text("0 0.5 0.5 0.25 0.25\n")
    (tmp_path / "own" / "data.yaml").write_text("names: [RBC]\n")
    return tmp_path / "own"


def test_convert_writes_every_split(folder, tmp_path):
    for form in ("coco", "voc", "yolo"):
        result = run("convert", folder, "--to", form, "-o", tmp_path / form)
        assert result.exit_code == 0, result.output
        for split in ("train", "val"):
            boxes = read_dataset(tmp_path / form, split).images[0].boxes_xyxy_px
            np.testing.assert_array_equal(boxes, [[12, 9, 20, 15]])


def test_check_exits_with_0_on_sound_data_and_1_on_errors(folder, tmp_path):
    assert run("check", folder).exit_code == 0
    (folder / "labels" / "val" / "val.txt").write_text("0 .5 .5 .2 .2\n0 .5 .5 .2 .2\n")
    result = run("check", folder, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "error: duplicate box: 1 in 1 images" in result.output
    report = json.loads((tmp_path / "out" / "check.json").read_text(encoding="utf-8"))
    assert report["findings"][0]["image"] == "val.png"


@pytest.mark.parametrize("arguments", [("check",), ("convert", "--to", "coco")])
def test_a_file_where_a_folder_should_be_made_is_a_sentence(folder, tmp_path, arguments):
    (tmp_path / "taken").write_text("mine")
    result = run(arguments[0], folder, *arguments[1:], "-o", tmp_path / "taken")
    assert isinstance(result.exception, SmearcountError)
    assert "taken" in str(result.exception)


def test_the_exercise_is_not_written_into_the_data_set_that_it_is_cut_from(tmp_path):
    result = run("exercise", tmp_path, "-o", tmp_path)
    assert isinstance(result.exception, UsageError)
    assert list(tmp_path.iterdir()) == []


def test_suspects_need_a_folder_for_their_sheet(folder):
    assert isinstance(run("check", folder, "--model", "shipped").exception, UsageError)


def test_fetch_without_network_is_a_sentence(tmp_path):
    result = run("fetch", "bccd", "-o", tmp_path / "bccd", "--host", "http://127.0.0.1:9")
    assert isinstance(result.exception, DownloadError)
    assert "no connection" in str(result.exception)


DATA = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not here")
def test_exercise_is_cut_from_a_bccd_folder(tmp_path):
    result = run("exercise", DATA / "bccd", "-o", tmp_path / "bccd")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in (tmp_path / "bccd").iterdir()) == [
        "images",
        "test.bbox.json",
        "train.bbox.json",
        "trainvalid.bbox.json",
        "valid.bbox.json",
    ]
