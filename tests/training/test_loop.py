"""The training loop keeps the best epoch and averages weights."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from doubles.tiny_training import RECIPE
from smearcount.detections.detections import Detections
from smearcount.errors import UsageError
from smearcount.training import train
from smearcount.training.data import as_source, read_training_data
from smearcount.training.loop import epoch_metrics, fit, growing_average
from smearcount.training.networks.architectures import ARCHITECTURES
from smearcount.training.networks.smearnet import Smearnet
from smearcount.training.run_folder import FitResult
from smearcount.training.samples import CellSamples


def test_a_run_that_was_moved_keeps_its_best_epoch(data, tmp_path, monkeypatch):
    measured = iter([0.9, 0.5, 0.4, 0.3])
    monkeypatch.setattr(
        "smearcount.training.loop.epoch_metrics",
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


def test_the_figures_of_an_epoch_are_those_of_torchmetrics():
    torchmetrics = pytest.importorskip("torchmetrics.detection")
    random = np.random.default_rng(0)
    truths, predictions = [], []
    for cells in (6, 9, 12):
        corners = random.uniform(0, 300, (cells, 2))
        boxes = np.concatenate([corners, corners + random.uniform(10, 140, (cells, 2))], axis=1)
        labels = random.integers(1, 3, cells)
        truths.append(Detections(boxes, np.ones(cells), labels))
        shaken = boxes + random.normal(0, 4, boxes.shape)
        predictions.append(Detections(shaken, random.uniform(0.1, 1, cells), labels))
    ours = epoch_metrics(truths, predictions, ["WBC", "RBC"])

    metric = torchmetrics.MeanAveragePrecision(class_metrics=True, backend="faster_coco_eval")
    metric.update([as_tensors(found) for found in predictions], [as_tensors(t) for t in truths])
    theirs = {key: value.tolist() for key, value in metric.compute().items()}
    for key in ("map", "mar_100"):
        for name, value in zip(("WBC", "RBC"), theirs.pop(f"{key}_per_class"), strict=True):
            theirs[f"{key}_{name}"] = value
    theirs.pop("classes")
    assert set(theirs) <= set(ours)
    for key, value in theirs.items():
        assert ours[key] == pytest.approx(value, abs=1e-3), key


def as_tensors(cells: Detections) -> dict[str, torch.Tensor]:
    """Return detections as torchmetrics takes them."""
    return {
        "boxes": torch.tensor(cells.boxes_xyxy_px),
        "scores": torch.tensor(cells.scores),
        "labels": torch.tensor(cells.labels, dtype=torch.int64),
    }


def test_an_epochs_losses_are_printed_as_means_and_a_short_training_validates(
    data, tmp_path, capsys
):
    class Known(Smearnet):
        """Has losses of 1, 2, 3 and so on, one a batch."""

        batches = 0

        def losses(self, images, targets):
            self.batches += 1
            return {"known": 0 * self.fuse.body[0][0].weight.sum() + self.batches}

    images = read_training_data(as_source(data))
    sizes = ARCHITECTURES["smearnet"].rbc_px, ARCHITECTURES["smearnet"].stride
    recipe = RECIPE.model_copy(update={"augmentation": "none", "epochs": 1, "validate_every": 5})
    train, val = CellSamples(images.train, *sizes), CellSamples(images.val, *sizes)
    fit(Known(2), train, val, images.train.classes, recipe, tmp_path)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("epoch 1/1: loss_known 1.5000, loss_total 1.5000, map ")
    with (tmp_path / "curves.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["loss_known"] == "1.5"
    assert "mar_10" in row
