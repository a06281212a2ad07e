"""COCO's numbers survive beside formats that have none, and a broken file says how to go on."""

import numpy as np
import pytest

from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.datasets.formats.ids import Ids, read_ids, write_ids
from smearcount.errors import DataError


def numbered(path, number):
    boxes, box_ids = np.zeros((2, 4)), np.array([number * 10, number * 10 + 1])
    image = AnnotatedImage(path, 40, 30, boxes, np.ones(2), image_id=number, box_ids=box_ids)
    return Dataset(("RBC",), (image,), "made", category_ids=(3,))


def write(folder, dataset, split):
    write_ids(folder, dataset, split, {image.path: image.path.stem for image in dataset.images})


def test_each_split_keeps_its_numbers(tmp_path):
    write(tmp_path, numbered(tmp_path / "a.png", 7), "train")
    write(tmp_path, numbered(tmp_path / "b.png", 8), "val")
    assert read_ids(tmp_path, "train").ids_of_image("a", 2)[0] == 7
    both = read_ids(tmp_path, None)
    assert list(both.images) == ["a", "b"]
    assert both.category_ids_of(("RBC",)) == (3,)


def test_numbers_that_no_longer_fit_are_left_out(tmp_path):
    write(tmp_path, numbered(tmp_path / "a.png", 7), None)
    ids = read_ids(tmp_path, None)
    assert ids.ids_of_image("a", 3) == (7, None)
    assert ids.ids_of_image("new", 1) == (None, None)
    assert ids.category_ids_of(("WBC", "RBC")) is None


def test_a_data_set_without_numbers_writes_no_file(tmp_path):
    image = AnnotatedImage(tmp_path / "a.png", 40, 30, np.zeros((1, 4)), np.ones(1))
    write(tmp_path, Dataset(("RBC",), (image,), "made"), "train")
    assert list(tmp_path.iterdir()) == []
    assert read_ids(tmp_path, "train") == Ids()


@pytest.mark.parametrize("content", ["{", "[]", '{"images": 3}', '{"images": {"": {"a": []}}}'])
def test_a_broken_file_may_be_deleted(tmp_path, content):
    (tmp_path / "ids.json").write_text(content)
    with pytest.raises(DataError, match=r"ids\.json: .*delete (it|this file) to number anew"):
        read_ids(tmp_path, "")
