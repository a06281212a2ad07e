"""The folder of a run: its settings decide what it is, and old ones still load."""

import json
from pathlib import Path

import pytest
import torch

from doubles.tiny_training import RECIPE
from smearcount.errors import ModelError, UsageError
from smearcount.training import Augmentation, DataSource, train
from smearcount.training.data import read_training_data
from smearcount.training.run_folder import claim, make_settings, read_settings


def test_a_folder_is_not_taken_for_another_run(finished, data):
    trained, _ = finished
    with pytest.raises(UsageError, match="another seed"):
        train(data, trained.folder, recipe=RECIPE, seed=1)


def test_a_failed_start_leaves_the_folder_free_for_other_settings(data, tmp_path):
    source, out = data, tmp_path / "run"
    with pytest.raises(ModelError, match="no-such"):
        train(source, out, recipe=RECIPE, weights=str(tmp_path / "no-such.pth"))
    assert train(source, out, recipe=RECIPE, epochs=1).fit.epoch == 1


def test_a_checkpoint_that_would_run_code_or_is_damaged_is_refused(data, tmp_path):
    source, marker = data, tmp_path / "executed"
    run = train(source, tmp_path / "run", recipe=RECIPE, epochs=1).folder
    (run / "fitted.json").unlink()  # as if it had been killed

    class Malice:
        def __reduce__(self):
            return (Path.touch, (marker,))

    torch.save({"state_dict": Malice()}, run / "last.ckpt")
    for _ in range(2):
        with pytest.raises(ModelError, match=r"last\.ckpt: not a checkpoint.* Delete it"):
            train(source, run, recipe=RECIPE, epochs=1)
        (run / "last.ckpt").write_bytes(b"PK cut off")
    assert not marker.exists()


def test_a_crop_size_that_the_network_cannot_take_is_refused_before_the_training(data, tmp_path):
    recipe = RECIPE.model_copy(update={"augmentation": Augmentation(crop_px=100)})
    with pytest.raises(UsageError, match="multiple of 16"):
        train(data, tmp_path / "run", recipe=recipe)


def test_a_run_finds_its_data_again_from_another_folder(data, tmp_path, monkeypatch):
    monkeypatch.chdir(data.parent)
    source = DataSource(data.name, f"{data.name}/valid.bbox.json")
    images = read_training_data(source)
    resolved = make_settings(source, images, "smearnet", RECIPE, "none", 0).data
    monkeypatch.chdir(tmp_path)
    assert len(read_training_data(resolved).train.images) == len(images.train.images)


def test_settings_written_before_load_and_are_those_of_the_same_run(tmp_path):
    settings = {
        "architecture": "smearnet",
        "recipe": {
            "epochs": 2,
            "learning_rate": 0.002,
            "augmentation": {"crop_px": 64, "mosaic": 0.5, "looks": [1.0, 1.0]},
            "plain_epochs": 1,
        },
        "weights": "none",
        "seed": 0,
        "classes": ["RBC"],
        "data": {"data": "bccd", "val": None, "split": None, "val_split": None},
        "train": "0123456789abcdef",
        "val": None,
    }
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    (tmp_path / "last.ckpt").touch()
    read = read_settings(tmp_path)
    assert read.recipe.close_mosaic_epochs == 1
    claim(tmp_path, read)  # refuses other settings
    with pytest.raises(UsageError, match="another seed"):
        claim(tmp_path, read.model_copy(update={"seed": 1}))
