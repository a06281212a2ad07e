"""The ruler: a tiny network that says how wide a red cell is in a picture of any magnification.

It never looks for single cells. From the texture of the whole field it reads the diameter of a red
cell, in pixels, with a measure of its own doubt, in about a millisecond. It learns from annotated
images that are shown at every magnification, mirrored into endless fields where the picture is too
small for that.

Sources: regression with a learned Laplace scale (Kendall and Gal 2017), attention pooling
(Ilse et al. 2018).
"""

from __future__ import annotations

import hashlib
import math
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from smearcount.atomic_write import make_folder, write_text
from smearcount.datasets.dataset import Dataset
from smearcount.detector.magnification import (
    MAX_RBC_PX,
    MIN_RBC_PX,
    SIDE_MULTIPLE,
    MagnificationCard,
)
from smearcount.image.image import Pixels
from smearcount.image.read import open_image
from smearcount.image.resample import PADDING_GRAY, resample_fast
from smearcount.training.augment import Sample, change_looks, turn, uniform
from smearcount.training.data import DataChoice, read_training_data
from smearcount.training.export.onnx_export import store_as_half
from smearcount.training.export.quantize import CALIBRATION_IMAGES, quantise
from smearcount.training.loop import best_precision
from smearcount.training.networks.smearnet import SPREAD, Bottleneck, ConvNormAct
from smearcount.training.samples import labelled_rbc_diameters

WINDOW_PX = 160
"""Side of the square views that the ruler learns from."""

STEPS_PER_EPOCH = 100
BATCH = 32
LOOKS = 1.2
"""Stain and camera vary more here than for the detector: the ruler must not care."""


class Ruler(nn.Module):
    """Maps views to (log2 of the red cell's diameter in view pixels, doubt in octaves)."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            ConvNormAct(3, 16, stride=2),
            ConvNormAct(16, 32, stride=2),
            Bottleneck(32),
            ConvNormAct(32, 64, stride=2),
            Bottleneck(64),
            ConvNormAct(64, 96, stride=2),
            Bottleneck(96),
            Bottleneck(96),
            Bottleneck(96),
        )
        self.attention = nn.Conv2d(96, 1, 1)
        self.answer = nn.Sequential(nn.Linear(96, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, views: Tensor) -> tuple[Tensor, Tensor]:
        """Read the size of a red cell.

        Args:
            views: (N, 3, H, W) RGB, uint8 or float in 0..255, H and W multiples of 16.

        Returns:
            log2 of the diameter in view pixels (N,), and its expected error in octaves (N,).
        """
        features = self.trunk((views.float() - PADDING_GRAY) / SPREAD).flatten(2)
        weight = self.attention(features.unflatten(2, (-1, 1))).flatten(2).softmax(dim=2)
        log2_px, log_doubt = self.answer((features * weight).sum(dim=2)).unbind(dim=1)
        middle = (math.log2(MIN_RBC_PX) + math.log2(MAX_RBC_PX)) / 2
        return log2_px + middle, log_doubt.clamp(-4, 2).exp()


class RulerViews(TorchDataset[tuple[Tensor, Tensor]]):
    """Random views of annotated fields, each at a random magnification.

    Args:
        dataset: annotated images; their labels give the diameter of a red cell.
        length: how many views make an epoch.
        seed: together with epoch and index it decides every view.
        looks: strength of stain, focus and camera changes; 0 shows the picture as it is.
    """

    def __init__(self, dataset: Dataset, length: int, seed: int, looks: float) -> None:
        self.length, self.seed, self.looks, self.epoch = length, seed, looks, 0
        self.diameters = labelled_rbc_diameters(dataset)
        self.pictures = [open_image(i.path).pixels() for i in dataset.images]

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(hash((self.seed, self.epoch, index)) % 2**63)
            chosen = int(torch.randint(len(self.pictures), ()))
            picture, diameter = self.pictures[chosen], self.diameters[chosen]
            log2_px = uniform(math.log2(MIN_RBC_PX), math.log2(MAX_RBC_PX))
            view = _view(picture, 2**log2_px / diameter)
            view = turn(Sample(view, torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))).image
            if self.looks:
                view = change_looks(view, self.looks)
            return view, torch.tensor(log2_px)


def _view(picture: Pixels, scale: float) -> Tensor:
    """Return a random ``WINDOW_PX`` square at ``scale``; mirrored on where the picture ends."""
    tall, wide = picture.shape[:2]
    width, height = max(2, round(wide * scale)), max(2, round(tall * scale))
    if width >= WINDOW_PX and height >= WINDOW_PX:
        span = WINDOW_PX / scale
        left, top = uniform(0, max(1e-3, wide - span)), uniform(0, max(1e-3, tall - span))
        box = (left, top, min(wide, left + span), min(tall, top + span))
        part = resample_fast(picture, box, (WINDOW_PX, WINDOW_PX))
        return torch.from_numpy(np.array(part)).permute(2, 0, 1).contiguous()
    small = resample_fast(picture, (0, 0, wide, tall), (width, height))
    field = np.tile(np.block([[[small], [small[:, ::-1]]], [[small[::-1]], [small[::-1, ::-1]]]]),
                    (WINDOW_PX // (2 * height) + 2, WINDOW_PX // (2 * width) + 2, 1))  # fmt: skip
    top, left = (int(torch.randint(2 * side, ())) for side in (height, width))
    window = field[top : top + WINDOW_PX, left : left + WINDOW_PX]
    return torch.from_numpy(np.ascontiguousarray(window)).permute(2, 0, 1).contiguous()


class _Fitting(pl.LightningModule):
    def __init__(self, epochs: int) -> None:
        super().__init__()
        self.ruler = Ruler()
        self.steps = epochs * STEPS_PER_EPOCH

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        views, truth = batch
        log2_px, doubt = self.ruler(views)
        off = (log2_px.float() - truth).abs()
        loss: Tensor = (off / doubt.float() + doubt.float().log()).mean()  # Laplace likelihood
        self.log("off", off.mean(), prog_bar=True)
        return loss

    def configure_optimizers(self) -> Any:
        optimiser = torch.optim.AdamW(self.parameters(), lr=2e-3, weight_decay=0.02)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, self.steps, pct_start=0.1)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def train_ruler(dataset: Dataset, epochs: int = 40, *, seed: int = 0, quiet: bool = False) -> Ruler:
    """Train a ruler from random weights.

    Args:
        dataset: annotated images with red cells.
        epochs: of 100 steps of 32 views each.
        seed: decides weights and views.
        quiet: no progress bar.

    Raises:
        DataError: the data set has no whole cell.
    """
    pl.seed_everything(seed, verbose=False)
    views = RulerViews(dataset, STEPS_PER_EPOCH * BATCH, seed, LOOKS)

    class _Feed(pl.LightningDataModule):
        def train_dataloader(self) -> DataLoader[tuple[Tensor, Tensor]]:
            views.epoch = int(self.trainer.current_epoch) if self.trainer else 0
            return DataLoader(views, BATCH, num_workers=2)

    fitting = _Fitting(epochs)
    trainer = pl.Trainer(
        accelerator="auto", devices=1, max_epochs=epochs, precision=best_precision(),
        gradient_clip_val=5.0, reload_dataloaders_every_n_epochs=1, logger=False,
        enable_checkpointing=False, enable_model_summary=False, enable_progress_bar=not quiet,
    )  # fmt: skip
    trainer.fit(fitting.to(memory_format=torch.channels_last), datamodule=_Feed())
    return fitting.ruler.eval().cpu().to(memory_format=torch.contiguous_format)


def fit_ruler(
    choice: DataChoice, out: Path, *, epochs: int, seed: int = 0, quiet: bool = True
) -> MagnificationCard:
    """Train a ruler, write it in 8-bit integers, measure the file, and write its card beside it.

    Args:
        choice: the data; validation images that nearly duplicate a training image are left out.
        out: the ``.onnx`` file to write.
        epochs: see :func:`train_ruler`.
        seed: decides weights and views.
        quiet: no progress bar.

    Raises:
        DataError: the data cannot be used.
    """
    data = read_training_data(choice)
    started = time.perf_counter()
    ruler = train_ruler(data.train, epochs, seed=seed, quiet=quiet)
    seconds = time.perf_counter() - started
    make_folder(out.parent)
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "ruler.onnx"
        export_ruler(ruler, plain)
        quantise(plain, calibration_views(data.train), out)
    metrics = {"validation": {"images": len(data.val.images), **measure(out, data.val)}}
    card = MagnificationCard(
        name="ruler",
        architecture="ruler",
        sha256=hashlib.sha256(out.read_bytes()).hexdigest(),
        training={
            "data": data.train.source,
            "images": len(data.train.images),
            "epochs": epochs,
            "steps": epochs * STEPS_PER_EPOCH,
            "seed": seed,
            "minutes": round(seconds / 60, 1),
            "command": f"smearcount train-ruler DATA -o {out.name} --epochs {epochs} --seed {seed}",
        },
        metrics=metrics,
    )
    write_text(out.with_suffix(".json"), card.model_dump_json(indent=2) + "\n")
    return card


def calibration_views(dataset: Dataset) -> Iterator[Pixels]:
    """Return views of training images, shape (h, w, 3), from which 8-bit ranges are taken."""
    views = RulerViews(dataset, CALIBRATION_IMAGES, seed=0, looks=0.0)
    return (views[index][0].permute(1, 2, 0).numpy() for index in range(len(views)))


def measure(path: Path, dataset: Dataset, views: int = 600) -> dict[str, float]:
    """Return how far a ruler's file is off on random views, in per cent of the diameter."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    shown = RulerViews(dataset, views, seed=1, looks=0.0)
    errors = []
    for index in range(views):
        view, truth = shown[index]
        said = session.run(["log2_px"], {"views": view.permute(1, 2, 0).numpy()[None]})[0]
        errors.append(100 * abs(2 ** float(said[0] - truth) - 1))
    return {
        "views": views,
        "median_error_percent": round(float(np.median(errors)), 2),
        "p95_error_percent": round(float(np.percentile(errors, 95)), 1),
    }


class _Graph(nn.Module):
    def __init__(self, ruler: Ruler) -> None:
        super().__init__()
        self.ruler = ruler

    def forward(self, views: Tensor) -> tuple[Tensor, Tensor]:
        log2_px, doubt = self.ruler(views.permute(0, 3, 1, 2))
        return log2_px, doubt


def export_ruler(ruler: Ruler, path: Path) -> None:
    """Write a ruler as ONNX: ``views`` uint8 (N, H, W, 3) to ``log2_px`` and ``doubt`` (N,)."""
    dim = torch.export.Dim
    program = torch.onnx.export(
        _Graph(ruler).eval(),
        (torch.randint(0, 256, (2, 96, 128, 3), dtype=torch.uint8),),
        input_names=["views"],
        output_names=["log2_px", "doubt"],
        dynamic_shapes={
            "views": {
                0: dim("n", max=64),
                1: SIDE_MULTIPLE * dim("h16", max=64),
                2: SIDE_MULTIPLE * dim("w16", max=64),
            }
        },
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    model = store_as_half(program.model_proto)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
