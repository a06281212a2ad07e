"""Training and validation images are read, cleaned and kept apart."""

import json

import pytest

from smearcount.errors import DataError, UsageError
from smearcount.training import DataSource
from smearcount.training.data import read_training_data


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [({"annotations": []}, "no cell is labeled"), ({"images": []}, "no image to validate on")],
)
def test_nothing_to_validate_on_is_messages_before_the_training(data, tmp_path, changes, sentence):
    other = json.loads((data / "valid.bbox.json").read_text()) | {"annotations": []} | changes
    (tmp_path / "images").symlink_to(data / "images")
    (tmp_path / "none.bbox.json").write_text(json.dumps(other))
    with pytest.raises(DataError, match=sentence):
        read_training_data(DataSource(str(data), str(tmp_path / "none.bbox.json")))


def test_a_class_without_cells_may_be_missing_from_the_training_data(data, tmp_path):
    other = json.loads((data / "valid.bbox.json").read_text())
    other["categories"].append({"id": 9, "name": "yeast"})
    (tmp_path / "images").symlink_to(data / "images")
    (tmp_path / "more.bbox.json").write_text(json.dumps(other))
    source = DataSource(str(data), str(tmp_path / "more.bbox.json"))
    assert read_training_data(source).val.classes == ("RBC", "parasite")


def test_data_without_anything_to_validate_on_are_refused(data):
    with pytest.raises(UsageError, match="another data set to validate on"):
        read_training_data(DataSource(str(data / "train.bbox.json")))
