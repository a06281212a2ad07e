"""Real data sets read as their authors count them, and broken ones say where."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smearcount.datasets.clean import clean_dataset, duplicate_boxes
from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.datasets.read import read_dataset, split_names
from smearcount.errors import DataError

DATA = Path(__file__).parents[2].parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not here")


def counts(dataset):
    return np.bincount(np.concatenate([i.labels for i in dataset.images]), minlength=4)[1:].tolist()


@needs_data
@pytest.mark.parametrize(
    ("folder", "split", "n", "cells"),
    [
        ("bccd/BCCD", "train", 205, [214, 2382, 209]),
        ("bccd/BCCD", "val", 87, [87, 968, 83]),
        ("bccd", "valid", 87, [87, 968, 83]),
        ("txl-pbc", "train", 958, [1001, 15876, 546]),
        ("txl-pbc", "val", 265, [282, 4348, 157]),
    ],
)
def test_public_sets_have_their_published_counts(folder, split, n, cells):
    dataset = read_dataset(DATA / folder, split)
    assert dataset.classes == ("WBC", "RBC", "Platelets")
    assert len(dataset) == n
    assert counts(dataset) == cells


@needs_data
def test_cleaning_drops_what_the_data_notes_list():
    bccd = read_dataset(DATA / "bccd")
    tidy = clean_dataset(bccd)
    changed = {
        before.path.stem.removeprefix("BloodImage_")
        for before, after in zip(bccd.images, tidy.images, strict=True)
        if len(before) != len(after)
    }
    assert {"00338", "00343"} <= changed  # boxes without area
    assert len(tidy) == 292
    assert sum(duplicate_boxes(image).any() for image in bccd.images) == 7


def picture(folder, name="a.png", size=(40, 30)):
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(folder / name)
    return folder / name


def test_clean_clips_drops_and_keeps_emptied_images(tmp_path):
    boxes = [[-5, -5, 10, 10], [0, 0, 10, 10], [3, 3, 3, 9], [50, 5, 60, 9], [0, 0, 10, 10]]
    image = AnnotatedImage(tmp_path / "a.png", 40, 30, np.array(boxes), np.array([1, 1, 1, 1, 2]))
    gone = AnnotatedImage(tmp_path / "b.png", 40, 30, np.array([[4, 4, 4, 4]]), np.array([1]))
    tidy = clean_dataset(Dataset(("WBC", "RBC"), (image, gone), "made"))
    np.testing.assert_array_equal(tidy.images[0].boxes_xyxy_px, [[0, 0, 10, 10], [0, 0, 10, 10]])
    np.testing.assert_array_equal(tidy.images[0].labels, [1, 2])
    assert len(tidy.images[1]) == 0


def test_a_folder_without_data_says_what_is_needed(tmp_path):
    with pytest.raises(DataError, match=r"no data set found; .*or SPLIT\.bbox\.json"):
        read_dataset(tmp_path)
    with pytest.raises(DataError, match="check the path"):
        read_dataset(tmp_path / "nowhere")


def coco(folder, **changes):
    picture(folder / "images")
    content = {
        "images": [{"id": 7, "file_name": "a.png", "width": 40, "height": 30}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4]}],
        "categories": [{"id": 3, "name": "rbcs"}, {"id": 1, "name": "trypanosome"}],
    }
    path = folder / "train.bbox.json"
    path.write_text(json.dumps(content | changes, indent=1))
    return path


def test_coco_keeps_its_numbers_and_foreign_classes_follow_ours(tmp_path):
    dataset = read_dataset(coco(tmp_path))
    assert dataset.classes == ("RBC", "trypanosome")
    assert dataset.category_ids == (3, 1)
    assert dataset.images[0].image_id == 7
    np.testing.assert_array_equal(dataset.images[0].boxes_xyxy_px, [[1, 2, 4, 6]])
    assert split_names(tmp_path) == ("train",)
    assert len(read_dataset(tmp_path)) == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"annotations": [{"image_id": 9, "category_id": 3}]},
            r"line \d+, annotations\[0\]: no image has the id 9",
        ),
        ({"annotations": [{"image_id": 7, "category_id": 5}]}, "category id 5 is unknown"),
        (
            {"annotations": [{"image_id": 7, "category_id": 3, "bbox": [1, 2, 3]}]},
            "bbox must be four numbers",
        ),
        ({"annotations": [{"image_id": "7"}]}, "image_id must be a whole number, not '7'"),
        ({"images": [{"id": 7, "file_name": "b.png"}]}, "b.png is neither beside this file"),
        (
            {"images": [{"id": 7, "file_name": "a.png", "width": 80, "height": 60}]},
            r"it says that a\.png has 80×60 pixels, but the image has 40×30",
        ),
        (
            {"images": [{"id": 7, "file_name": "a.png", "width": "40", "height": "30"}]},
            "width must be a whole number, not '40'",
        ),
        (
            {"categories": [{"id": 3, "name": "rbcs"}, {"id": 3, "name": "trypanosome"}]},
            "category id 3 stands twice",
        ),
        ({"images": None}, "needs a list 'images'"),
    ],
)
def test_broken_coco_names_file_line_and_fix(tmp_path, changes, sentence):
    with pytest.raises(DataError, match=sentence) as error:
        read_dataset(coco(tmp_path, **changes))
    assert "train.bbox.json" in str(error.value)


def test_coco_lines_are_those_of_the_file(tmp_path):
    good = {"id": 1, "image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4]}
    path = coco(tmp_path, annotations=[good, good | {"category_id": 8}])
    lines = path.read_text().splitlines()
    at = next(n for n, line in enumerate(lines, 1) if '"category_id": 8' in line)
    with pytest.raises(DataError, match=rf"line {at - 3}, annotations\[1\]: category id 8"):
        read_dataset(path)


def test_coco_of_another_machine_and_with_points_in_its_numbers_is_read(tmp_path):
    path = coco(
        tmp_path,
        images=[{"id": 7.0, "file_name": "/home/lab/photos/a.png", "width": 40.0, "height": 30}],
    )
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    (image,) = read_dataset(tmp_path).images
    assert (image.image_id, image.path.name, image.width) == (7, "a.png", 40)


def test_a_coco_file_has_no_splits_to_choose_from(tmp_path):
    with pytest.raises(DataError, match="a COCO file has no splits; leave out 'val'"):
        read_dataset(coco(tmp_path), "val")


def test_json_cut_short_names_its_line(tmp_path):
    path = coco(tmp_path)
    path.write_text(path.read_text()[:60])
    with pytest.raises(DataError, match=r"train\.bbox\.json line \d+: not valid JSON"):
        read_dataset(path)


def voc(folder, body):
    picture(folder / "JPEGImages")
    (folder / "Annotations").mkdir()
    (folder / "Annotations" / "a.xml").write_text(f"<annotation>\n{body}\n</annotation>")
    return folder


BOX = "<bndbox><xmin>1</xmin>\n<ymin>2</ymin><xmax>{}</xmax><ymax>4</ymax></bndbox>"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("<object><name>RBC</name></object>", "a.xml line 2: this object has no <xmin>; add it"),
        (f"<object>{BOX.format(3)}</object>", "a.xml line 2: this object has no <name>"),
        (
            f"<object><name>RBC</name>\n{BOX.format('x')}</object>",
            "a.xml line 4: <xmax> must be a number, not 'x'",
        ),
        ("<object>", "a.xml line 3: not valid XML"),
        ("<size><width>9</width><height>9</height></size>", "a.xml: it says that a.png has 9×9"),
    ],
)
def test_broken_voc_names_file_line_and_fix(tmp_path, body, sentence):
    with pytest.raises(DataError, match=sentence):
        read_dataset(voc(tmp_path, body))


def test_a_document_type_is_refused(tmp_path):
    folder = voc(tmp_path, "")
    (folder / "Annotations" / "a.xml").write_text('<!DOCTYPE x [<!ENTITY a "b">]>\n<x>&a;</x>')
    with pytest.raises(DataError, match="document type"):
        read_dataset(folder)


def test_a_missing_split_names_those_that_are_there(tmp_path):
    folder = voc(tmp_path, "")
    (folder / "ImageSets" / "Main").mkdir(parents=True)
    (folder / "ImageSets" / "Main" / "all.txt").write_text("a\n")
    with pytest.raises(DataError, match="the splits here are: all"):
        read_dataset(folder, "test")


def yolo(folder, text, names="names: [Platelets, RBC]"):
    picture(folder / "images" / "train")
    (folder / "labels" / "train").mkdir(parents=True)
    (folder / "labels" / "train" / "a.txt").write_text(text)
    if names:
        (folder / "data.yaml").write_text(names)
    return folder


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1 .5 .5 .1 .1\n\n1 .5 .5 .1\n", "a.txt line 3: 4 numbers stand here instead of 5"),
        ("2 .5 .5 .1 .1", "a.txt line 1: class 2 is unknown, for only 2 are named"),
        ("rbc .5 .5 .1 .1", "a.txt line 1: 'rbc .5 .5 .1 .1' is not all numbers"),
        ("1 320 240 50 50", "a.txt line 1: coordinates must be fractions"),
        ("1 .5 .5 .1 .1 .9\n1 .5 .5 .1 .1", "a.txt line 2: some lines have a score"),
    ],
)
def test_broken_yolo_names_file_line_and_fix(tmp_path, text, sentence):
    with pytest.raises(DataError, match=sentence):
        read_dataset(yolo(tmp_path, text))


@pytest.mark.parametrize("name", ["labels/train/a.txt", "classes.txt"])
def test_text_that_is_not_utf_8_is_named(tmp_path, name):
    folder = yolo(tmp_path, "", names="")
    (folder / "classes.txt").write_text("RBC\n")
    (folder / name).write_bytes("Blutplättchen".encode("latin-1"))
    with pytest.raises(DataError, match=rf"{name}: byte \d+ is not UTF-8 text; save"):
        read_dataset(folder)


def test_the_mark_that_windows_puts_first_is_no_part_of_a_name(tmp_path):
    folder = yolo(tmp_path, "0 .5 .5 .1 .1", names="")
    (folder / "classes.txt").write_bytes(b"\xef\xbb\xbfRBC\r\nWBC\r\n")
    assert read_dataset(folder).classes == ("WBC", "RBC")


def test_yolo_without_names_says_to_add_them(tmp_path):
    with pytest.raises(DataError, match=r"add classes\.txt"):
        read_dataset(yolo(tmp_path, "", names=""))


@pytest.mark.parametrize(
    "names",
    [
        "nc: 2\nnames: [platelet, 'RBC']  # two",
        "names:\n- platelet # small\n- RBC\nnc: 2",
        'names:\n  0: "platelet"\n  1: RBC\n\ntrain: x',
        "names: {1: RBC, 0: platelet}",
        "names: [\n  platelet,\n  RBC\n]",
    ],
)
def test_class_names_are_read_however_yaml_writes_them(tmp_path, names):
    dataset = read_dataset(yolo(tmp_path, "0 .5 .5 .5 .5\n1 .25 .5 .5 1\n", names))
    assert dataset.classes == ("RBC", "Platelets")
    np.testing.assert_array_equal(dataset.images[0].labels, [2, 1])
    np.testing.assert_array_equal(
        dataset.images[0].boxes_xyxy_px, [[10, 7.5, 30, 22.5], [0, 0, 20, 30]]
    )


def test_images_of_one_split_may_also_lie_beside_their_labels(tmp_path):
    folder = tmp_path / "set"
    for name in ("train", "valid"):
        picture(folder / name / "images")
        (folder / name / "labels").mkdir(parents=True)
    (folder / "classes.txt").write_text("RBC\n")
    assert split_names(tmp_path) == ("train", "valid")
    assert len(read_dataset(tmp_path, "val")) == 1
    assert len(read_dataset(tmp_path)) == 2


def test_labels_without_an_image_are_named(tmp_path):
    folder = yolo(tmp_path, "")
    (folder / "labels" / "train" / "ghost.txt").write_text("")
    with pytest.raises(DataError, match=r"ghost\.txt: .*has no image ghost"):
        read_dataset(folder)
