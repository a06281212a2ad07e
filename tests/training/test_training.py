"""A training can be killed and taken up again, and ends in files that count."""

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from doubles.tiny_training import RECIPE
from smearcount.detector.load import load_detector
from smearcount.errors import ModelError, UsageError
from smearcount.training import Recipe, retrain, train
from smearcount.training.data import as_source, read_training_data
from smearcount.training.loop import fit
from smearcount.training.networks.architectures import ARCHITECTURES
from smearcount.training.run_folder import FitResult
from smearcount.training.samples import CellSamples

EPOCHS_OF_THE_KILLED = 4
KILLED = 9

TRAIN_UNTIL_KILLED = """
import os, sys
from smearcount.training import Recipe, train
from smearcount.training.loop import DetectorModule

def on_train_batch_start(self, batch, batch_index):
    if self.current_epoch == 2 and batch_index == 1:
        os._exit(9)  # as abruptly as a killed process ends

DetectorModule.on_train_batch_start = on_train_batch_start
train(sys.argv[1], sys.argv[2], recipe=Recipe.model_validate_json(sys.argv[3]))
"""


def test_a_training_ends_in_files_that_count(finished):
    trained, messages = finished
    assert messages[0] == "1 validation images nearly duplicate a training image and are left out."
    assert messages[1].startswith("4 images are few to learn from random weights")
    assert len(messages) == 2
    card = trained.card
    assert card.classes == ("RBC", "parasite")
    assert card.training["seed"] == 0
    assert card.metrics["validation"]["images"] == 2
    for name in ("model.onnx", "weights.pth", "best.ckpt", "last.ckpt"):
        detector = load_detector(trained.folder / name)
        assert detector.card.classes == card.classes
        detector.detect(np.full((70, 50, 3), 200, dtype=np.uint8))
    weights = (trained.folder / "weights.pth").stat().st_size
    for name in ("best.ckpt", "last.ckpt"):  # no optimizer's state is left in them
        assert (trained.folder / name).stat().st_size < 1.2 * weights
    with (trained.folder / "curves.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2"]


def test_the_checkpoint_counts_as_the_exported_file_does(finished):
    trained, _ = finished
    pixels = np.random.default_rng(1).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    one = load_detector(trained.folder / "model.onnx").detect(pixels)
    other = load_detector(trained.folder / "weights.pth").detect(pixels)
    assert abs(len(one) - len(other)) <= 1
    np.testing.assert_allclose(one.scores[:5], other.scores[:5], atol=0.01)


def test_weights_beside_another_card_are_refused(finished, tmp_path):
    trained, _ = finished
    (tmp_path / "weights.pth").write_bytes((trained.folder / "weights.pth").read_bytes() + b" ")
    card = (trained.folder / "weights.json").read_text()
    (tmp_path / "weights.json").write_text(card)
    with pytest.raises(ModelError, match="SHA-256"):
        load_detector(tmp_path / "weights.pth")


def test_a_recipe_may_show_the_cells_larger(data, tmp_path):
    recipe = RECIPE.model_copy(update={"epochs": 1, "rbc_px": 64.0})
    trained = train(data, tmp_path / "run", recipe=recipe)
    for name in ("model.onnx", "weights.pth", "last.ckpt"):
        assert load_detector(tmp_path / "run" / name).card.rbc_px == 64
    assert trained.card.rbc_px == 64


def test_retraining_learns_from_all_images_and_keeps_the_thresholds(finished, tmp_path):
    trained, _ = finished
    again = retrain(trained.folder, tmp_path / "all")
    assert again.card.thresholds == trained.card.thresholds
    assert again.card.training["train"]["images"] == 6
    assert again.settings.recipe.epochs == trained.fit.epoch


def test_a_run_without_its_facts_is_not_retrained(finished, tmp_path):
    trained, _ = finished
    copy = tmp_path / "copy"
    shutil.copytree(trained.folder, copy)
    (copy / "fitted.json").write_text("{")
    with pytest.raises(UsageError, match=r"fitted\.json: missing or damaged"):
        retrain(copy, tmp_path / "all")


def rows_of(run: Path) -> list[dict[str, str]]:
    """Return the curves without the clock."""
    with (run / "curves.csv").open() as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def test_a_killed_training_ends_as_if_it_had_not_been_killed(data, tmp_path):
    recipe = RECIPE.model_copy(update={"epochs": EPOCHS_OF_THE_KILLED})
    run = tmp_path / "killed"
    command = [sys.executable, "-c", TRAIN_UNTIL_KILLED, data, run, recipe.model_dump_json()]
    assert subprocess.run(command, capture_output=True, check=False).returncode == KILLED
    assert len(rows_of(run)) == 2

    resumed = train(data, run, recipe=recipe)
    uninterrupted = fit_without_a_stop(data, recipe, tmp_path / "uninterrupted")
    assert rows_of(run) == rows_of(tmp_path / "uninterrupted")
    assert resumed.fit.epoch == uninterrupted.epoch
    for name, weights in uninterrupted.weights.items():
        assert torch.equal(resumed.fit.weights[name], weights), name


def fit_without_a_stop(data: Path, recipe: Recipe, out: Path) -> FitResult:
    """Fit as train does, without writing model files."""
    images = read_training_data(as_source(data))
    architecture = ARCHITECTURES["smearnet"]
    sizes = architecture.rbc_px, architecture.stride
    torch.manual_seed(0)
    return fit(
        architecture.build(2),
        CellSamples(images.train, *sizes, recipe.augmentation, 0),
        CellSamples(images.val, *sizes),
        images.train.classes,
        recipe,
        out,
        quiet=True,
    )
