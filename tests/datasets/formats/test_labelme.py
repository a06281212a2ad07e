"""labelme files are read, and what has no box is counted in the notes."""

import json

import numpy as np
import pytest

from doubles.pictures import save_blank
from smearcount.datasets.read import read_dataset, split_names
from smearcount.datasets.write import write_dataset
from smearcount.errors import DataError, UsageError


def shape(kind, *points, label="RBC"):
    return {"label": label, "points": points, "shape_type": kind, "flags": {}, "group_id": None}


def labelme(folder, *shapes, name="a", **changes):
    save_blank(folder, f"{name}.png")
    content = {
        "version": "5.4.1",
        "flags": {},
        "shapes": shapes,
        "imagePath": f"{name}.png",
        "imageData": None,
        "imageHeight": 30,
        "imageWidth": 40,
    }
    (folder / f"{name}.json").write_text(json.dumps(content | changes))
    return folder


def test_shapes_become_boxes_and_lines_are_left_out(tmp_path):
    folder = labelme(
        tmp_path,
        shape("rectangle", [9, 8], [1, 2], label="wbc"),
        shape("polygon", [1, 1], [5, 1], [3, 7]),
        shape("circle", [10, 10], [13, 14]),
        shape("line", [1, 1], [5, 1]),
    )
    dataset = read_dataset(folder)
    assert dataset.classes == ("WBC", "RBC")
    np.testing.assert_array_equal(
        dataset.images[0].boxes_xyxy_px, [[1, 2, 9, 8], [1, 1, 5, 7], [5, 5, 15, 15]]
    )
    assert dataset.images[0].labels.tolist() == [1, 2, 2]
    around, left_out = dataset.notes
    assert around.endswith(": 2 shapes were read as the boxes around them.")
    assert left_out.endswith(": 1 shapes mark no area (line); left out.")


def test_each_split_may_have_a_folder(tmp_path):
    labelme(tmp_path / "train", shape("rectangle", [1, 2], [9, 8]))
    labelme(tmp_path / "valid", shape("rectangle", [1, 2], [9, 8], label="wbc"), name="b")
    assert split_names(tmp_path) == ("train", "valid")
    assert read_dataset(tmp_path, "val").classes == ("WBC", "RBC")
    assert len(read_dataset(tmp_path)) == 2
    with pytest.raises(DataError, match="no split 'test'; the splits here are: train, valid"):
        read_dataset(tmp_path, "test")


def test_the_picture_that_the_file_holds_does_not_hide_its_kind(tmp_path):
    folder = labelme(tmp_path, imageData="A" * (1 << 17))
    assert len(read_dataset(folder)) == 1


@pytest.mark.parametrize(
    ("shapes", "changes", "sentence"),
    [
        ([shape("rectangle", [1, 2])], {}, "a rectangle of class 'RBC' has only 1 points"),
        (
            [shape("rectangle", [1, "x"], [2, 3])],
            {},
            r"not as labelme writes it \(shapes\.0\.points",
        ),
        ([shape("polygon", [1, 2], [2, 3])], {}, "a polygon of class 'RBC' has only 2 points"),
        ([], {"imageWidth": 99}, "it says that a.png has 99×30 pixels"),
        ([], {"imagePath": "b.png"}, r"b\.png: this image is missing"),
        ([], {"shapes": None}, "not as labelme writes it"),
    ],
)
def test_a_broken_file_is_named(tmp_path, shapes, changes, sentence):
    with pytest.raises(DataError, match=sentence):
        read_dataset(labelme(tmp_path, *shapes, **changes))


def test_it_is_not_written(tmp_path):
    dataset = read_dataset(labelme(tmp_path / "in"))
    with pytest.raises(UsageError, match="format must be one of coco, voc, yolo, not 'labelme'"):
        write_dataset(dataset, tmp_path / "out", "labelme")
    assert not (tmp_path / "out").exists()
