"""A data set is a frozen value: its arrays fit together and cannot be changed."""

from pathlib import Path

import numpy as np
import pytest

from smearcount.datasets.dataset import AnnotatedImage, Dataset, order_classes
from smearcount.errors import DataError

PATH = Path("a.png")
BOXES = np.array([[0.0, 0.0, 5.0, 5.0], [5.0, 5.0, 9.0, 9.0]])


def test_arrays_are_private_and_read_only():
    boxes = BOXES.copy()
    image = AnnotatedImage(PATH, 40, 30, boxes, np.array([1, 2]))
    boxes[:] = 7
    np.testing.assert_array_equal(image.boxes_xyxy_px, BOXES)
    with pytest.raises(ValueError, match="read-only"):
        image.boxes_xyxy_px[0] = 1


@pytest.mark.parametrize("column", ["labels", "scores", "box_ids"])
def test_a_column_of_another_length_is_refused(column):
    columns = {"labels": np.array([1, 2])} | {column: np.array([1])}
    with pytest.raises(DataError, match=rf"a\.png: expected 2 {column}, one per box"):
        AnnotatedImage(PATH, 40, 30, BOXES, **columns)


def test_choosing_boxes_keeps_their_columns():
    scores, box_ids = np.array([0.5, 0.9]), np.array([11, 12])
    image = AnnotatedImage(PATH, 40, 30, BOXES, np.array([1, 2]), scores, 3, box_ids)
    chosen = image[image.labels == 2]
    assert (chosen.scores.tolist(), chosen.box_ids.tolist(), chosen.image_id) == ([0.9], [12], 3)


def test_an_image_without_boxes_has_no_scores():
    image = AnnotatedImage(PATH, 40, 30, np.zeros((0, 4)), np.zeros(0), np.zeros(0))
    assert len(image) == 0
    assert image.scores is None


def test_cells_are_counted_per_class_also_where_there_are_none():
    image = AnnotatedImage(PATH, 40, 30, BOXES, np.array([2, 2]))
    assert Dataset(("WBC", "RBC"), (image,), "made").cells_per_class() == {"WBC": 0, "RBC": 2}
    assert Dataset(("RBC",), (), "made").cells_per_class() == {"RBC": 0}


def test_the_three_classes_come_first_under_their_own_names():
    assert order_classes(["parasite", "platelet", "rbcs", "RBC"]) == (
        "RBC",
        "Platelets",
        "parasite",
    )
