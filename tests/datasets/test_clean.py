"""Cleaning clips boxes, and drops repeats and empty ones, but never an image."""

from pathlib import Path

import numpy as np
import pytest

from smearcount.datasets.clean import clean_dataset, duplicate_boxes
from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.datasets.read import read_dataset

DATA = Path(__file__).parents[2].parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not here")


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


def test_clean_clips_drops_and_keeps_emptied_images(tmp_path):
    boxes = [[-5, -5, 10, 10], [0, 0, 10, 10], [3, 3, 3, 9], [50, 5, 60, 9], [0, 0, 10, 10]]
    image = AnnotatedImage(tmp_path / "a.png", 40, 30, np.array(boxes), np.array([1, 1, 1, 1, 2]))
    gone = AnnotatedImage(tmp_path / "b.png", 40, 30, np.array([[4, 4, 4, 4]]), np.array([1]))
    tidy = clean_dataset(Dataset(("WBC", "RBC"), (image, gone), "made"))
    np.testing.assert_array_equal(tidy.images[0].boxes_xyxy_px, [[0, 0, 10, 10], [0, 0, 10, 10]])
    np.testing.assert_array_equal(tidy.images[0].labels, [1, 2])
    assert len(tidy.images[1]) == 0
