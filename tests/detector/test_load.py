"""Only a model that is what its card says is ever loaded."""

import json
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from doubles.tiny_model import write_tiny_model
from smearcount.detector.load import SHIPPED_FILE, load_detector
from smearcount.detector.model_card import ModelCard
from smearcount.errors import ModelError


def test_a_model_with_its_card_loads(tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "tiny.onnx")
    assert load_detector(str(model)).card.name == "tiny"


@pytest.mark.parametrize(
    ("entry", "content"),
    [
        ("tail", 0.9),
        ("probabilities", [0.1]),
        ("probabilities", [0.1, 7.0]),
        ("scores", [0.9, 0.1]),
        ("misses_per_cell", float("inf")),
        ("name", "yeast"),
    ],
)
def test_a_broken_calibration_is_found_when_the_model_loads(
    tmp_path: Path, entry: str, content: object
) -> None:
    model = write_tiny_model(tmp_path / "tiny.onnx")
    card = json.loads(model.with_suffix(".json").read_text())
    good = {
        "scores": [0.1, 0.9],
        "probabilities": [0.1, 0.9],
        "misses_per_cell": 0,
        "miss_dispersion": 1,
        "threshold": 0.5,
        "tail": 0.025,
    }
    for change, refused in (({}, False), ({entry: content}, True)):
        classes = [{"name": name} | good | change for name in card["classes"]]
        text = json.dumps(card | {"calibration": {"classes": classes}})
        model.with_suffix(".json").write_text(text)
        with (
            pytest.raises(ModelError, match="not a valid model card") if refused else nullcontext()
        ):
            load_detector(model)


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


@pytest.mark.parametrize("name", [None, "shipped", SHIPPED_FILE, str(SHIPPED_FILE)])
def test_the_shipped_model_is_loaded_by_default_and_by_its_name(name: str | Path | None) -> None:
    assert load_detector(name).card == ModelCard.read(SHIPPED_FILE.with_suffix(".json"))


def test_a_checkpoint_without_torch_names_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = tmp_path / "weights.pth"
    checkpoint.touch()
    monkeypatch.delitem(sys.modules, "smearcount.training.torch_detector", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ModelError, match=r'weights\.pth: .*pip install "smearcount\[train\]"'):
        load_detector(checkpoint)
