"""A COCO file comes back as it is written, and a broken one says on which line."""

import json

import numpy as np
import pytest

from doubles.pictures import save_blank
from smearcount.datasets.read import read_dataset, split_names
from smearcount.errors import DataError


def coco(folder, **changes):
    save_blank(folder / "images")
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
