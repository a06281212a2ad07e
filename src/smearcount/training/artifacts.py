"""What a training leaves behind: the network as a detector that counts, and its files."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import nn

from smearcount.calibration.intervals import fit_intervals
from smearcount.calibration.thresholds import choose_border_odds_ratio, choose_thresholds
from smearcount.classes import RBC
from smearcount.datasets.dataset import Dataset
from smearcount.detections.detections import Detections
from smearcount.detector.border_correction import correct_border_scores_batch
from smearcount.detector.calibration import Calibration
from smearcount.detector.detector import Detector
from smearcount.detector.model_card import ModelCard
from smearcount.detector.onnx_detector import OnnxDetector
from smearcount.evaluation.average_precision import mean_average_precision
from smearcount.training.export.third_party import export_torchvision, why_no_onnx
from smearcount.training.networks.architectures import Architecture
from smearcount.training.networks.smearnet import Smearnet
from smearcount.training.run_folder import ONNX, STATE
from smearcount.training.samples import CellSamples
from smearcount.training.torch_detector import TorchDetector

INT8: Final = "int8"
FLOAT: Final = "float32"

INT8_LOSS: Final = 0.003
"""The network in 8-bit integers is taken if it loses no more mAP50 than this on validation."""


@dataclass(frozen=True)
class Outcome:
    """The files of a finished training.

    Attributes:
        weights: the state dict, ``.pth``, with its card beside it.
        onnx: the file that counts without torch; None where the architecture allows none.
        why_no_onnx: the reason then, as a sentence; empty otherwise.
        card: the card of ``onnx``, or of ``weights`` where there is none.
    """

    weights: Path
    onnx: Path | None
    why_no_onnx: str
    card: ModelCard


@dataclass(frozen=True)
class Finished:
    """A trained network as it will count.

    Attributes:
        detector: reads the written ONNX file, or holds the network where there is none.
        onnx: that file.
        why_no_onnx: the reason for there being none, as a sentence; empty otherwise.
        precision: of the file's numbers: :data:`INT8` or :data:`FLOAT`.
    """

    detector: Detector
    onnx: Path | None
    why_no_onnx: str
    precision: str


def predict_all(
    detector: Detector, samples: CellSamples
) -> tuple[list[Detections], list[Detections]]:
    """Return truth and prediction of every sample, in the pixels that the network saw.

    Args:
        detector: asked as it is, without any search for the magnification.
        samples: without augmentation.
    """
    truths, found = [], []
    for sample in samples.samples:
        boxes, labels = sample.boxes.numpy(), sample.labels.numpy()
        truths.append(Detections(boxes, np.ones(len(labels), np.float32), labels))
        found.append(detector.detect(sample.image.permute(1, 2, 0).numpy()))
    return truths, found


def finish(
    network: nn.Module,
    card: ModelCard,
    of: Architecture,
    run: Path,
    train: Dataset,
    val: CellSamples | None,
    precision: str | None = None,
) -> Finished:
    """Write a trained network as state dict and, where possible, as ONNX; cards come later.

    Smearnet is written in 8-bit integers if that costs next to nothing on validation images: it
    takes half the time then.

    Args:
        network: trained.
        card: what is known of it so far.
        of: its architecture.
        run: the folder to write to.
        train: images to take the ranges of 8-bit numbers from.
        val: images to measure on, without augmentation.
        precision: what to write where there are none, as chosen before.
    """
    network = network.cpu().eval()
    torch.save(network.state_dict(), run / STATE)
    reason = why_no_onnx(of.name)
    if reason:
        return Finished(TorchDetector(network, card), None, reason, FLOAT)
    onnx = run / ONNX
    if not isinstance(network, Smearnet):
        export_torchvision(network, onnx)
        return Finished(OnnxDetector(onnx, card), onnx, "", FLOAT)
    # Imported late: onnx and onnxruntime's tools take a second.
    from smearcount.training.export.onnx_export import export_smearnet
    from smearcount.training.export.quantize import calibration_pictures, quantise

    export_smearnet(network, onnx)
    small = run / "int8.onnx"
    quantise(onnx, calibration_pictures(train, of), small)
    if val is not None:
        loss = _map_50(onnx, card, val) - _map_50(small, card, val)
        precision = INT8 if loss <= INT8_LOSS else FLOAT
    if precision == INT8:
        small.replace(onnx)
    small.unlink(missing_ok=True)
    return Finished(OnnxDetector(onnx, card), onnx, "", precision or FLOAT)


def write_cards(finished: Finished, card: ModelCard, run: Path) -> Outcome:
    """Write the card of the state dict and of the ONNX file, each with its file's digest."""
    state = run / STATE
    written = _write_card(card, state)
    if finished.onnx is not None:
        written = _write_card(card, finished.onnx)
    return Outcome(state, finished.onnx, finished.why_no_onnx, written)


def _write_card(card: ModelCard, file: Path) -> ModelCard:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    of_file = card.model_copy(update={"sha256": digest})
    of_file.write(file.with_suffix(".json"))
    return of_file


def _map_50(onnx: Path, card: ModelCard, val: CellSamples) -> float:
    measured: dict[str, Any] = mean_average_precision(
        *predict_all(OnnxDetector(onnx, card), val), card.classes
    )
    return float(measured["map_50"])


@dataclass(frozen=True)
class Measured:
    """The entries of a model's card that are measured; see :class:`ModelCard`."""

    thresholds: tuple[float, ...]
    cut_odds: float
    metrics: dict[str, Any]
    calibration: Calibration | None


def measure(detector: Detector, val: CellSamples, classes: tuple[str, ...]) -> Measured:
    """Choose thresholds and fit intervals on the validation images, and say how well it went."""
    truths, plain = predict_all(detector, val)
    sizes = [(sample.image.shape[2], sample.image.shape[1]) for sample in val.samples]
    doubted = partial(correct_border_scores_batch, plain, sizes, detector.card)
    cut_odds = (
        choose_border_odds_ratio(truths, doubted, classes.index(RBC) + 1) if RBC in classes else 1.0
    )
    found = doubted(cut_odds)
    figures = mean_average_precision(truths, found, classes)
    known = {k: round(v, 4) for k, v in figures.items() if not math.isnan(v)}
    thresholds = choose_thresholds(truths, found, classes)
    counts = _counts(truths, found, thresholds, classes)
    return Measured(
        thresholds,
        cut_odds,
        {
            "validation": {
                "images": len(truths),
                **known,
                **counts,
            }
        },
        fit_intervals(truths, found, thresholds, classes),
    )


def _counts(
    truths: Sequence[Detections],
    found: Sequence[Detections],
    thresholds: Sequence[float],
    classes: Sequence[str],
) -> dict[str, float]:
    """Return the count errors of each class at the thresholds, in cells per image."""
    figures = {}
    for label, name in enumerate(classes, start=1):
        errors = np.array(
            [
                np.count_nonzero(said.above(tuple(thresholds)).labels == label)
                - np.count_nonzero(truth.labels == label)
                for truth, said in zip(truths, found, strict=True)
            ]
        )
        figures[f"count_mae_{name}"] = round(float(np.abs(errors).mean()), 4)
        figures[f"count_rmse_{name}"] = round(float(np.sqrt((errors**2).mean())), 4)
    return figures


def as_before(card: ModelCard | None) -> Measured:
    """Return what the run before the retraining measured: no image is left to measure on."""
    assert card is not None, "only a retraining has no validation images"
    return Measured(
        card.thresholds,
        card.border_odds_ratio,
        {"before retraining": card.metrics},
        card.calibration,
    )
