"""The folder of a run: its settings decide what it is, and old ones still load."""

from pathlib import Path

import pytest
import torch

from doubles.tiny_training import RECIPE
from smearcount.errors import ModelError, UsageError
from smearcount.training import Augmentation, DataSource, train
from smearcount.training.data import read_training_data
from smearcount.training.run_folder import make_settings


def test_a_folder_is_not_taken_for_another_run(finished, data):
    trained, _ = finished
    with pytest.raises(UsageError, match="another seed"):
        train(data, trained.folder, recipe=RECIPE, seed=1)


def test_a_start_that_failed_does_not_keep_the_folder(data, tmp_path):
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


def test_windows_that_the_network_cannot_take_are_messages_before_the_training(data, tmp_path):
    recipe = RECIPE.model_copy(update={"augmentation": Augmentation(crop_px=100)})
    with pytest.raises(UsageError, match="multiple of 16"):
        train(data, tmp_path / "run", recipe=recipe)


def test_a_run_finds_its_data_again_from_another_folder(data, tmp_path, monkeypatch):
    monkeypatch.chdir(data.parent)
    source = DataSource(data.name, f"{data.name}/valid.bbox.json")
    whole = read_training_data(source)
    named = make_settings(source, whole, "smearnet", RECIPE, "none", 0).data
    monkeypatch.chdir(tmp_path)
    assert len(read_training_data(named).train.images) == len(whole.train.images)
