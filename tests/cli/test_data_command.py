"""``smearcount data`` does in one line each what a learner needs of a data set."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from doubles.archive_server import FILES, KNOWN, Server, archive, serving
from smearcount.cli.data import data
from smearcount.datasets.formats.known_formats import FORMATS
from smearcount.datasets.public_sets import PUBLIC_SETS
from smearcount.datasets.read import read_dataset, split_names
from smearcount.datasets.write import write_dataset
from smearcount.errors import DownloadError, SmearcountError, UsageError
from smearcount.synthetic.dataset import draw_dataset


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


def test_fetch_says_how_many_files_were_verified(tmp_path, monkeypatch):
    monkeypatch.setattr("smearcount.datasets.download.known_checksums", lambda name: KNOWN)
    with serving(Server(archive(FILES))) as server:
        result = run("fetch", "bccd", "-o", tmp_path / "bccd", "--host", server.url)
    assert result.exit_code == 0, result.output
    assert result.output.endswith("bccd: 3 files verified.\n")
    assert (tmp_path / "bccd" / "BCCD" / "JPEGImages" / "a.jpg").is_file()


def test_help_lists_the_formats_and_the_public_data_sets():
    for command in ("convert", "check"):
        listed = " ".join(run(command, "--help").output.split())
        assert all(f"{form.title}: {form.layout}" in listed for form in FORMATS)
    listed = run("fetch", "--help").output
    assert all(name in listed for name in PUBLIC_SETS)


def test_an_unknown_format_or_data_set_lists_the_known(folder, tmp_path):
    wrong = run("convert", folder, "--to", "csv", "-o", tmp_path / "out").exception
    assert str(wrong) == "format must be one of coco, voc, yolo, not 'csv'."
    assert "bccd, txl-pbc" in str(run("fetch", "imagenet").exception)
    assert not (tmp_path / "out").exists()


def test_yolo_leaves_out_splits_that_join_others(folder, tmp_path):
    run("convert", folder, "--to", "coco", "-o", tmp_path / "coco")
    (tmp_path / "coco" / "trainval.bbox.json").write_bytes(
        (tmp_path / "coco" / "train.bbox.json").read_bytes()
    )
    for form, names in (("voc", {"train", "trainval", "val"}), ("yolo", {"train", "val"})):
        assert run("convert", tmp_path / "coco", "--to", form, "-o", tmp_path / form).exit_code == 0
        assert set(split_names(tmp_path / form)) == names


def test_check_with_a_model_draws_the_cells_that_labels_miss(tmp_path):
    drawn = draw_dataset(tmp_path / "drawn", 1)
    unlabeled = replace(drawn.images[0], boxes_xyxy_px=np.zeros((0, 4)), labels=np.zeros(0))
    write_dataset(replace(drawn, images=(unlabeled,)), tmp_path / "set", "coco", "train")
    result = run("check", tmp_path / "set", "--model", "shipped", "-o", tmp_path / "out")
    report = json.loads((tmp_path / "out" / "check.json").read_text(encoding="utf-8"))
    assert f"cell that the labels probably miss: {len(report['suspects'])} in 1" in result.output
    assert len(report["suspects"]) > 10
    assert (tmp_path / "out" / "suspects.png").is_file()


def test_long_lists_of_findings_are_cut_on_screen_and_whole_in_the_file(folder, tmp_path):
    lines = "".join(f"0 .5 .5 .0{n} .0\n" for n in range(1, 9))
    (folder / "labels" / "val" / "val.txt").write_text(lines)
    result = run("check", folder, "-o", tmp_path / "out")
    assert "… and 3 more; -o FOLDER writes them all" in result.output
    report = json.loads((tmp_path / "out" / "check.json").read_text(encoding="utf-8"))
    kinds = [finding["kind"] for finding in report["findings"]]
    assert kinds.count("box without area") == 8


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
