"""Annotated images become samples at the magnification that the network wants."""

import json
from pathlib import Path

import numpy as np
import pytest

from doubles.tiny_training import write_drawn_smears
from smearcount.detector.magnification import estimate_magnification
from smearcount.errors import DataError
from smearcount.image.read import open_image
from smearcount.training import Augmentation, DataSource
from smearcount.training.data import read_training_data
from smearcount.training.samples import (
    drops_last,
    full_diameters,
    labeled_rbc_diameters,
    rbc_diameters,
)


def test_without_labeled_red_cells_their_size_is_estimated_from_the_image(data, tmp_path):
    other = json.loads((data / "valid.bbox.json").read_text())
    other["annotations"] = [one for one in other["annotations"] if one["category_id"] == 2]
    (tmp_path / "images").symlink_to(data / "images")
    (tmp_path / "pale.bbox.json").write_text(json.dumps(other))
    training = read_training_data(DataSource(str(data), str(tmp_path / "pale.bbox.json")))
    with pytest.raises(DataError, match="no whole red cell"):
        labeled_rbc_diameters(training.val)
    estimated = [
        estimate_magnification(open_image(image.path)).rbc_px for image in training.val.images
    ]
    assert rbc_diameters(training.val) == pytest.approx(estimated)


@pytest.mark.parametrize(
    ("images", "batch", "augmented", "dropped"),
    [(5, 4, False, True), (6, 4, False, False), (6, 4, True, True), (3, 4, True, False)],
)
def test_a_single_image_makes_no_batch(images, batch, augmented, dropped):
    assert drops_last(images, batch, Augmentation() if augmented else None) == dropped


def test_the_labels_give_the_diameter_of_a_red_cell(tmp_path: Path) -> None:
    hundred, hundred_and_thirty = rbc_diameters(write_drawn_smears(tmp_path))
    assert abs(hundred / 100 - 1) < 0.12
    assert abs(hundred_and_thirty / 130 - 1) < 0.12


def test_a_cell_cut_by_one_border_is_measured_along_it() -> None:
    boxes = np.array(
        [[0, 20, 30, 60], [50, 80, 90, 100], [0, 0, 30, 30], [0, 60, 10, 100]], np.float32
    )
    assert full_diameters(boxes, 100, 100).tolist() == [40.0]  # of the others too little is visible
