"""The commands that train run to their end, on a data set that takes seconds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from doubles.tiny_training import RECIPE, RECIPE_WRITTEN_BEFORE, write_tiny_data
from smearcount.cli import app
from smearcount.cli.train import ARCH_NAMES, RECIPE_NAMES
from smearcount.detector.load import load_detector
from smearcount.errors import UsageError
from smearcount.training import ARCHITECTURES, magnification, read_recipe
from smearcount.training.recipes.recipe import recipe_as_toml, shipped_recipes


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_data(tmp_path_factory.mktemp("training") / "data")


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "short.toml"
    path.write_text(recipe_as_toml(RECIPE.model_copy(update={"epochs": 1})))
    return path


def run(*arguments: object) -> Result:
    """Run a command in this process; errors come out as they were raised."""
    words = [str(argument) for argument in arguments]
    return CliRunner().invoke(app, words, catch_exceptions=False)


def test_train_then_retrain(data: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "old.toml"
    recipe.write_text(RECIPE_WRITTEN_BEFORE)
    first = run("train", data, "-o", tmp_path / "run", "--recipe", recipe, "--seed", 3, "-q")
    assert "nearly duplicate a training image" in first.output
    assert "Kept epoch" in first.output
    assert f"Model: {tmp_path / 'run' / 'model.onnx'}" in first.output
    card = load_detector(tmp_path / "run" / "model.onnx").card
    assert card.training["seed"] == 3
    assert card.training["recipe"]["close_mosaic_epochs"] == 1
    again = run("retrain", tmp_path / "run", "-o", tmp_path / "final", "-q")
    assert "on 6 images, training and validation together" in again.output
    assert (tmp_path / "final" / "model.onnx").exists()


def test_tune_writes_the_best_recipe(data: Path, recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "tuned"
    words = ("tune", data, "-o", out, "--recipe", recipe, "--trials", 2, "--epochs", 1, "-q")
    assert "Best of 2" in run(*words).output
    assert read_recipe(out / "best.toml").epochs == 1


def test_compare_takes_epochs_for_each_network(data: Path, recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "compared"
    words = ("compare", data, "-o", out, "--seeds", 1, "--recipe", recipe, "-q", "--arch")
    assert "Here: **smearnet**" in run(*words, "smearnet:2").output
    settings = json.loads((out / "smearnet-seed0" / "settings.json").read_text())
    assert settings["recipe"]["epochs"] == 2
    with pytest.raises(UsageError, match="number of epochs"):
        run(*words, "smearnet:soon")


@pytest.mark.parametrize("command", ["train-magnification", "train-ruler"])
def test_train_magnification(
    command: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(magnification, "STEPS_PER_EPOCH", 2)
    monkeypatch.setattr(magnification, "BATCH", 4)
    file = tmp_path / "magnification.onnx"
    result = run(command, data, "-o", file, "--epochs", 1, "-q")
    assert "of the diameter" in result.output
    card = json.loads(file.with_suffix(".json").read_text())
    assert card["training"]["steps"] == 2
    assert card["metrics"]["validation"]["images"] == 2


def test_the_former_name_of_train_magnification_is_not_listed() -> None:
    listed = run("--help").output
    assert "train-magnification" in listed
    assert "train-ruler" not in listed


def test_the_help_lists_every_architecture_and_recipe() -> None:
    assert tuple(ARCH_NAMES.split(", ")) == tuple(ARCHITECTURES)
    named = set(RECIPE_NAMES.split(", ")) | set(ARCHITECTURES)
    assert set(shipped_recipes()) <= named
