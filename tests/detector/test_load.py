"""Only a model that is what its card says is ever loaded."""

from pathlib import Path

import pytest
from tiny_model import write_tiny_model

from smearcount.detector.load import load_detector
from smearcount.errors import ModelError


def test_a_model_with_its_card_loads(tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "tiny.onnx")
    assert load_detector(str(model)).card.name == "tiny"


def test_a_changed_model_is_refused(tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "tiny.onnx")
    model.write_bytes(model.read_bytes() + b"\0")
    with pytest.raises(ModelError, match="SHA-256"):
        load_detector(model)


def test_a_model_without_its_card_is_refused(tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "tiny.onnx")
    model.with_suffix(".json").unlink()
    with pytest.raises(ModelError, match="card is missing"):
        load_detector(model)


@pytest.mark.parametrize(
    ("name", "said"),
    [("gone.onnx", "no such model"), (".", "folder"), ("model.txt", "unknown")],
)
def test_what_is_no_model_is_named_with_what_to_give(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "model.txt").touch()
    with pytest.raises(ModelError, match=said) as caught:
        load_detector(tmp_path / name)
    assert str(tmp_path) in str(caught.value)


def test_the_shipped_card_says_how_it_was_trained_and_how_well_it_counts() -> None:
    card = load_detector().card
    assert {"data", "train", "validation", "commands", "seed", "rounds"} <= card.training.keys()
    counting = card.metrics["counting"]
    assert counting["images"] > 0
    assert 0.9 < counting["average_precision"]["map_50"] < 1
    assert card.calibration
