"""The training loop keeps the best epoch and averages weights."""

from pathlib import Path

import pytest
import torch

from doubles.tiny_training import RECIPE
from smearcount.errors import UsageError
from smearcount.training import train
from smearcount.training.data import as_source, read_training_data
from smearcount.training.loop import fit, growing_average
from smearcount.training.networks.architectures import ARCHITECTURES
from smearcount.training.run_folder import FitResult
from smearcount.training.samples import CellSamples


def test_a_run_that_was_moved_keeps_its_best_epoch(data, tmp_path, monkeypatch):
    measured = iter([0.9, 0.5, 0.4, 0.3])
    monkeypatch.setattr(
        "smearcount.training.loop.mean_average_precision",
        lambda *_: {"map": next(measured), "map_50": 0.5},
    )
    images = read_training_data(as_source(data))
    architecture = ARCHITECTURES["smearnet"]
    sizes = architecture.rbc_px, architecture.stride
    train, val = CellSamples(images.train, *sizes), CellSamples(images.val, *sizes)

    def go_on(folder: Path, epochs: int) -> FitResult:
        torch.manual_seed(0)
        network = architecture.build(2)
        changes = {"epochs": epochs, "augmentation": "none", "validate_every": 1}
        recipe = RECIPE.model_copy(update=changes)
        return fit(network, train, val, images.train.classes, recipe, folder, quiet=True)

    assert go_on(tmp_path / "run", 2).epoch == 1
    (tmp_path / "run").rename(tmp_path / "moved")
    assert go_on(tmp_path / "moved", 4).epoch == 1


def test_one_image_at_a_time_is_refused_by_networks_that_cannot_learn_from_it(data, tmp_path):
    recipe = RECIPE.model_copy(update={"batch": 1, "epochs": 1})
    arch = "ssdlite320_mobilenet_v3_large"
    with pytest.raises(UsageError, match="two images a step"):
        train(data, tmp_path / "run", arch=arch, recipe=recipe)


def test_an_average_of_weights_forgets_the_first_ones_fast():
    average = torch.zeros(())
    for n in range(1, 200):
        growing_average(0.998)([average], [torch.ones(())], torch.tensor(n))
    assert average > 0.999  # a plain average of that decay would stand at 0.33
    growing_average(0.998)([average], [torch.zeros(())], torch.tensor(10**6))
    assert float(average) == pytest.approx(0.998, abs=0.001)
