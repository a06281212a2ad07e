"""The exercise's layout is what its chapter reads, and its parts share no picture."""

import json
import shutil
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from doubles.pictures import save_blank
from smearcount.datasets.clean import clean_dataset
from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.datasets.exercise import EXERCISE_SPLITS, exercise_names, write_exercise
from smearcount.datasets.near_duplicates import find_near_duplicates
from smearcount.datasets.read import read_dataset
from smearcount.datasets.write import write_dataset
from smearcount.errors import DataError
from smearcount.synthetic.dataset import draw_dataset
from smearcount.synthetic.style import SmearStyle

DATA = Path(__file__).parents[2].parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not here")


@pytest.fixture(scope="module")
def exercise(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exercise") / "bccd"
    counts = write_exercise(DATA / "bccd", folder)
    assert counts == {"train": 50, "valid": 20, "test": 20, "trainvalid": 70}
    return folder


def test_parts_have_their_sizes_and_share_no_name():
    names = {part: set(exercise_names(part)) for part in EXERCISE_SPLITS}
    assert {part: len(of) for part, of in names.items()} == {"train": 50, "valid": 20, "test": 20}
    assert not any(names[one] & names[two] for one, two in combinations(EXERCISE_SPLITS, 2))


@needs_data
def test_parts_share_no_picture_and_every_box_is_sound(exercise):
    parts = {part: read_dataset(exercise, part) for part in EXERCISE_SPLITS}
    for one, two in combinations(EXERCISE_SPLITS, 2):
        assert find_near_duplicates(parts[one], parts[two]) == []
    for dataset in parts.values():
        assert dataset.classes == ("WBC", "RBC", "Platelets")
        for before, after in zip(dataset.images, clean_dataset(dataset).images, strict=True):
            np.testing.assert_array_equal(before.boxes_xyxy_px, after.boxes_xyxy_px)
            assert (before.labels == 2).any()


@needs_data
def test_the_files_are_coco_as_the_chapter_reads_them(exercise):
    content = json.loads((exercise / "train.bbox.json").read_text(encoding="utf-8"))
    assert [(row["id"], row["name"]) for row in content["categories"]] == [
        (1, "WBC"),
        (2, "RBC"),
        (3, "Platelets"),
    ]
    assert all((exercise / row["file_name"]).is_file() for row in content["images"])
    assert len(list((exercise / "images").iterdir())) == 90
    assert all(isinstance(side, int) for row in content["annotations"] for side in row["bbox"])


@needs_data
def test_a_zip_of_the_layout_reads_equally(exercise, tmp_path):
    archive = shutil.make_archive(str(tmp_path / "bccd"), "zip", exercise.parent, "bccd")
    for part in ("train", "valid", "trainvalid", "test"):
        folder, zipped = read_dataset(exercise, part), read_dataset(archive, part)
        assert [i.path.name for i in folder.images] == [i.path.name for i in zipped.images]
        for one, two in zip(folder.images, zipped.images, strict=True):
            np.testing.assert_array_equal(one.boxes_xyxy_px, two.boxes_xyxy_px)


def write_small_bccd(folder):
    """Write a data set with the names and layout of BCCD, each image one red cell."""
    box = np.array([[2.0, 2.0, 12.0, 12.0]])
    names = [name for split in EXERCISE_SPLITS for name in exercise_names(split)]
    paths = [save_blank(folder / "drawn", f"{name}.jpg", (20, 16)) for name in names]
    images = [AnnotatedImage(path, 20, 16, box, np.array([2])) for path in paths]
    dataset = Dataset(("WBC", "RBC", "Platelets"), tuple(images), "drawn")
    write_dataset(dataset, folder / "BCCD", "voc", "trainval")
    return folder


def test_the_exercise_is_cut_from_a_folder_of_bccd_by_name(tmp_path):
    counts = write_exercise(write_small_bccd(tmp_path / "public"), tmp_path / "out")
    assert counts == {"train": 50, "valid": 20, "test": 20, "trainvalid": 70}
    for split, n in counts.items():
        content = json.loads((tmp_path / "out" / f"{split}.bbox.json").read_text(encoding="utf-8"))
        assert len(content["images"]) == len(content["annotations"]) == n
        assert [(row["id"], row["name"]) for row in content["categories"]] == list(
            enumerate(("WBC", "RBC", "Platelets"), start=1)
        )
    assert len(list((tmp_path / "out" / "images").iterdir())) == 90


def test_coco_detection_of_torchvision_opens_every_part_with_the_folder_as_root(
    tmp_path, monkeypatch
):
    stand_in = pytest.importorskip("faster_coco_eval")
    monkeypatch.setitem(sys.modules, "pycocotools", stand_in)
    monkeypatch.setitem(sys.modules, "pycocotools.coco", stand_in)
    torchvision = pytest.importorskip("torchvision")
    root = tmp_path / "out"
    for part, n in write_exercise(write_small_bccd(tmp_path / "public"), root).items():
        images = torchvision.datasets.CocoDetection(root, root / f"{part}.bbox.json")
        assert len(images) == n
        picture, (cell,) = images[0]
        assert picture.size == (20, 16)
        assert (cell["category_id"], cell["bbox"]) == (2, [2, 2, 10, 10])


def test_a_layout_written_before_with_names_inside_images_still_reads(tmp_path):
    write_exercise(write_small_bccd(tmp_path / "public"), tmp_path / "out")
    listing = tmp_path / "out" / "test.bbox.json"
    new = read_dataset(tmp_path / "out", "test")
    listing.write_text(listing.read_text("utf-8").replace('"images/', '"'), "utf-8")
    old = read_dataset(tmp_path / "out", "test")
    assert [image.path for image in old.images] == [image.path for image in new.images]


def test_an_incomplete_bccd_is_refused_by_name(tmp_path):
    drawn = draw_dataset(tmp_path / "drawn", 1, SmearStyle(width=40, height=30, rbc_px=20))
    write_dataset(drawn, tmp_path / "BCCD", "voc", "train")
    with pytest.raises(DataError, match=r"BloodImage_\d+ is missing; fetch the whole of BCCD"):
        write_exercise(tmp_path / "BCCD", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@needs_data
def test_another_data_set_is_refused_by_name(tmp_path):
    with pytest.raises(DataError, match=r"BloodImage_\d+ is missing; fetch the whole of BCCD"):
        write_exercise(DATA / "txl-pbc", tmp_path / "bccd")
    assert not (tmp_path / "bccd").exists()
