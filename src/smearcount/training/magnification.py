"""Train the network that estimates the magnification of an image, and write its file and card.

It learns from annotated images that are shown at every magnification; where the image is too small
for that, it is mirrored on all sides until the view is full.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
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
from smearcount.image.resample import resample_fast
from smearcount.sha256 import sha256_of_file
from smearcount.training.augment import Sample, flip_and_turn, jitter_photometry, uniform
from smearcount.training.data import DataSource, as_source, read_training_data
from smearcount.training.export.onnx_export import store_as_half, to_onnx
from smearcount.training.export.quantize import CALIBRATION_IMAGES, quantize
from smearcount.training.loop import best_precision, quiet_lightning
from smearcount.training.networks.magnification_estimator import MagnificationEstimator
from smearcount.training.samples import labeled_rbc_diameters

VIEW_PX: Final = 160
"""Side of the square views that the network learns from."""

STEPS_PER_EPOCH: Final = 100
BATCH: Final = 32

PHOTOMETRIC_STRENGTH: Final = 1.2
"""Stronger than for a detector: the estimate must not depend on stain and camera."""

MAX_VIEWS: Final = 64
MAX_SIDE_STRIDES: Final = 64
"""Limits of the exported file."""


class MagnificationViews(TorchDataset[tuple[Tensor, Tensor]]):
    """Random views of annotated fields, each at a random magnification.

    Args:
        dataset: annotated images; their labels give the diameter of a red cell.
        length: how many views make an epoch.
        seed: together with epoch and index it decides every view.
        photometric_strength: of the changes of stain, focus and camera; 0 leaves views as they are.
    """

    def __init__(
        self, dataset: Dataset, length: int, seed: int, photometric_strength: float
    ) -> None:
        self.length, self.seed, self.epoch = length, seed, 0
        self.photometric_strength = photometric_strength
        self.diameters = labeled_rbc_diameters(dataset)
        self.images = [open_image(image.path).pixels() for image in dataset.images]

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(hash((self.seed, self.epoch, index)) % 2**63)
            chosen = int(torch.randint(len(self.images), ()))
            log2_px = uniform(math.log2(MIN_RBC_PX), math.log2(MAX_RBC_PX))
            view = _view(self.images[chosen], 2**log2_px / self.diameters[chosen])
            no_boxes = torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)
            view = flip_and_turn(Sample(view, *no_boxes)).image
            if self.photometric_strength:
                view = jitter_photometry(view, self.photometric_strength)
            return view, torch.tensor(log2_px)


def _view(pixels: Pixels, scale: float) -> Tensor:
    """Return a random ``VIEW_PX`` square at ``scale``; mirrored on where the image ends."""
    full_height, full_width = pixels.shape[:2]
    width, height = max(2, round(full_width * scale)), max(2, round(full_height * scale))
    if width >= VIEW_PX and height >= VIEW_PX:
        span = VIEW_PX / scale
        left = uniform(0, max(1e-3, full_width - span))
        top = uniform(0, max(1e-3, full_height - span))
        box = (left, top, min(full_width, left + span), min(full_height, top + span))
        view = resample_fast(pixels, box, (VIEW_PX, VIEW_PX))
        return torch.from_numpy(np.array(view)).permute(2, 0, 1).contiguous()
    small = resample_fast(pixels, (0, 0, full_width, full_height), (width, height))
    mirrored = np.block([[[small], [small[:, ::-1]]], [[small[::-1]], [small[::-1, ::-1]]]])
    repeats = (VIEW_PX // (2 * height) + 2, VIEW_PX // (2 * width) + 2, 1)
    field = np.tile(mirrored, repeats)
    top, left = (int(torch.randint(2 * side, ())) for side in (height, width))
    window = field[top : top + VIEW_PX, left : left + VIEW_PX]
    return torch.from_numpy(np.ascontiguousarray(window)).permute(2, 0, 1).contiguous()


class _EstimatorModule(pl.LightningModule):
    """The estimator as Lightning trains it."""

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self.estimator = MagnificationEstimator()
        self.steps = epochs * STEPS_PER_EPOCH

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        """Return the negative log-likelihood of a Laplace distribution."""
        views, truth = batch
        log2_px, expected_error = self.estimator(views)
        error = (log2_px.float() - truth).abs()
        loss: Tensor = (error / expected_error.float() + expected_error.float().log()).mean()
        self.log("error", error.mean(), prog_bar=True)
        return loss

    def configure_optimizers(self) -> Any:
        """Return AdamW and a one-cycle schedule."""
        optimizer = torch.optim.AdamW(self.parameters(), lr=2e-3, weight_decay=0.02)
        one_cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, self.steps, pct_start=0.1)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": one_cycle, "interval": "step"},
        }


class _ViewsModule(pl.LightningDataModule):
    """Gives the loop new views in every epoch."""

    def __init__(self, views: MagnificationViews) -> None:
        super().__init__()
        self.views = views

    def train_dataloader(self) -> DataLoader[tuple[Tensor, Tensor]]:
        self.views.epoch = int(self.trainer.current_epoch) if self.trainer else 0
        return DataLoader(self.views, BATCH, num_workers=2)


def fit_estimator(
    dataset: Dataset, epochs: int = 40, *, seed: int = 0, quiet: bool = False
) -> MagnificationEstimator:
    """Train a magnification estimator from random weights.

    Args:
        dataset: annotated images with red cells.
        epochs: of 100 steps of 32 views each.
        seed: decides weights and views.
        quiet: no progress bar.

    Raises:
        DataError: the data set has no whole cell.
    """
    pl.seed_everything(seed, verbose=False)
    views = MagnificationViews(dataset, STEPS_PER_EPOCH * BATCH, seed, PHOTOMETRIC_STRENGTH)
    module = _EstimatorModule(epochs)
    with quiet_lightning():
        trainer = pl.Trainer(
            accelerator="auto", devices=1, max_epochs=epochs, precision=best_precision(),
            gradient_clip_val=5.0, reload_dataloaders_every_n_epochs=1, logger=False,
            enable_checkpointing=False, enable_model_summary=False, enable_progress_bar=not quiet,
        )  # fmt: skip
        trainer.fit(module.to(memory_format=torch.channels_last), datamodule=_ViewsModule(views))
    return module.estimator.eval().cpu().to(memory_format=torch.contiguous_format)


def train_magnification(
    data: str | Path | DataSource,
    out: str | Path,
    *,
    epochs: int = 24,
    seed: int = 0,
    quiet: bool = True,
) -> MagnificationCard:
    """Train a magnification estimator and write it in 8-bit integers, with its card beside it.

    Args:
        data: a folder with the splits ``train`` and ``val``, or where the images come from;
            validation images that nearly duplicate a training image are left out.
        out: the ``.onnx`` file to write.
        epochs: of 100 steps of 32 views each.
        seed: decides weights and views.
        quiet: no progress bar.

    Returns:
        the card, with the error of the file as measured on the validation images.

    Raises:
        DataError: the data cannot be used.

    Example:
        >>> from smearcount.training import train_magnification
        >>> card = train_magnification("txl-pbc", "magnification.onnx")  # doctest: +SKIP
        >>> card.metrics["validation"]["median_error_percent"]  # doctest: +SKIP
        3.4
    """
    images, out = read_training_data(as_source(data)), Path(out)
    started = time.perf_counter()
    estimator = fit_estimator(images.train, epochs, seed=seed, quiet=quiet)
    seconds = time.perf_counter() - started
    make_folder(out.parent)
    with tempfile.TemporaryDirectory() as folder:
        unquantized = Path(folder) / "float.onnx"
        export_estimator(estimator, unquantized)
        quantize(unquantized, calibration_views(images.train), out)
    validation = {"images": len(images.val.images), **measure_error(out, images.val)}
    options = f"-o {out.name} --epochs {epochs} --seed {seed}"
    card = MagnificationCard(
        name="ruler",
        architecture="ruler",
        sha256=sha256_of_file(out),
        training={
            "data": images.train.source,
            "images": len(images.train.images),
            "epochs": epochs,
            "steps": epochs * STEPS_PER_EPOCH,
            "seed": seed,
            "minutes": round(seconds / 60, 1),
            "command": f"smearcount train-magnification DATA {options}",
        },
        metrics={"validation": validation},
    )
    write_text(out.with_suffix(".json"), card.model_dump_json(indent=2) + "\n")
    return card


def calibration_views(dataset: Dataset) -> Iterator[Pixels]:
    """Return views of training images, shape (h, w, 3), to take 8-bit ranges from."""
    views = MagnificationViews(dataset, CALIBRATION_IMAGES, seed=0, photometric_strength=0.0)
    return (views[index][0].permute(1, 2, 0).numpy() for index in range(len(views)))


def measure_error(path: Path, dataset: Dataset, n_views: int = 600) -> dict[str, float]:
    """Return the error of an estimator's file on random views, in per cent of the diameter."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    views = MagnificationViews(dataset, n_views, seed=1, photometric_strength=0.0)
    errors = []
    for index in range(n_views):
        view, truth = views[index]
        inputs = {"views": view.permute(1, 2, 0).numpy()[None]}
        (log2_px,) = session.run(["log2_px"], inputs)[0]
        errors.append(100 * abs(2 ** float(log2_px - truth) - 1))
    return {
        "views": n_views,
        "median_error_percent": round(float(np.median(errors)), 2),
        "p95_error_percent": round(float(np.percentile(errors, 95)), 1),
    }


class _OnnxGraph(nn.Module):
    """The estimator with the input and outputs of its file."""

    def __init__(self, estimator: MagnificationEstimator) -> None:
        super().__init__()
        self.estimator = estimator

    def forward(self, views: Tensor) -> tuple[Tensor, Tensor]:
        log2_px, expected_error = self.estimator(views.permute(0, 3, 1, 2))
        return log2_px, expected_error


def export_estimator(estimator: MagnificationEstimator, path: Path) -> None:
    """Write an estimator as ONNX: ``views`` (N, H, W, 3) uint8 to ``log2_px``, ``doubt`` (N,)."""
    dim = torch.export.Dim
    model = to_onnx(
        _OnnxGraph(estimator).eval(),
        torch.zeros((2, 96, 128, 3), dtype=torch.uint8),
        ["views"],
        ["log2_px", "doubt"],
        {
            0: dim("n", max=MAX_VIEWS),
            1: SIDE_MULTIPLE * dim("h16", max=MAX_SIDE_STRIDES),
            2: SIDE_MULTIPLE * dim("w16", max=MAX_SIDE_STRIDES),
        },
    )
    path.write_bytes(store_as_half(model).SerializeToString())
