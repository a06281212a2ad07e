"""What a training leaves behind: the model files, what validation measured, and the card."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch

from smearcount.calibration.calibration import calibrate
from smearcount.datasets.dataset import Dataset
from smearcount.detections.detections import Detections
from smearcount.detector.detector import Detector
from smearcount.detector.model_card import ModelCard
from smearcount.detector.onnx_detector import OnnxDetector
from smearcount.evaluation.average_precision import mean_average_precision
from smearcount.evaluation.matching import LabeledBoxes
from smearcount.image.image import Pixels
from smearcount.sha256 import sha256_of_file
from smearcount.training.export.onnx_export import export_onnx, why_no_onnx
from smearcount.training.networks.architectures import get_architecture
from smearcount.training.networks.protocol import TrainableDetector
from smearcount.training.run_folder import ONNX_FILE, WEIGHTS_FILE
from smearcount.training.samples import CellSamples
from smearcount.training.torch_detector import TorchDetector

INT8: Final = "int8"
FLOAT: Final = "float32"

MAX_INT8_LOSS: Final = 0.003
"""The network in 8-bit integers is taken if it loses no more mAP50 than this on validation."""


@dataclass(frozen=True)
class ModelFiles:
    """A trained network as it will count, before its card is written.

    Attributes:
        detector: reads the written ONNX file, or holds the network where there is none.
        weights: the state dict, ``.pth``.
        onnx: the file that counts without torch; None where the architecture allows none.
        why_no_onnx: the reason then, as a sentence; empty otherwise.
        precision: of the file's numbers: :data:`INT8` or :data:`FLOAT`.
    """

    detector: Detector
    weights: Path
    onnx: Path | None
    why_no_onnx: str
    precision: str


@dataclass(frozen=True)
class Artifacts:
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


def write_model_files(
    network: TrainableDetector,
    card: ModelCard,
    run: Path,
    train: Dataset,
    val: CellSamples | None,
    precision: str | None = None,
) -> ModelFiles:
    """Write a trained network as state dict and, where possible, as ONNX; cards come later.

    A quantizable network is written in 8-bit integers if that costs next to nothing on validation
    images: it takes half the time then.

    Args:
        network: trained.
        card: what is known of it so far.
        run: the folder to write to.
        train: images from which the ranges of 8-bit numbers are taken.
        val: images to measure on, without augmentation.
        precision: of the file where there are none, as chosen before.
    """
    network = network.cpu().eval()
    weights, onnx = run / WEIGHTS_FILE, run / ONNX_FILE
    torch.save(network.state_dict(), weights)
    architecture = get_architecture(card.architecture)
    reason = why_no_onnx(architecture)
    if reason:
        return ModelFiles(TorchDetector(network, card), weights, None, reason, FLOAT)
    export_onnx(network, architecture, onnx)
    if architecture.quantizable:
        # Imported late: onnxruntime's tools take a second.
        from smearcount.training.export.quantize import quantize

        quantized = run / "int8.onnx"
        quantize(onnx, calibration_images(train, card), quantized)
        if val is not None:
            loss = _map_50(onnx, card, val) - _map_50(quantized, card, val)
            precision = INT8 if loss <= MAX_INT8_LOSS else FLOAT
        if precision == INT8:
            quantized.replace(onnx)
        quantized.unlink(missing_ok=True)
    return ModelFiles(OnnxDetector(onnx, card), weights, onnx, "", precision or FLOAT)


def calibration_images(dataset: Dataset, card: ModelCard, seed: int = 0) -> list[Pixels]:
    """Return training images at the network's magnification, to take 8-bit ranges from.

    Args:
        dataset: the training split.
        card: of the network.
        seed: of the random choice.
    """
    from smearcount.training.export.quantize import CALIBRATION_IMAGES

    order = np.random.default_rng(seed).permutation(len(dataset.images))[:CALIBRATION_IMAGES]
    some = replace(dataset, images=tuple(dataset.images[int(index)] for index in order))
    samples = CellSamples(some, card.rbc_px, card.stride).samples
    return [sample.image.permute(1, 2, 0).numpy() for sample in samples]


def write_cards(files: ModelFiles, card: ModelCard) -> Artifacts:
    """Write the card of the state dict and of the ONNX file, each with its file's digest."""
    written = _write_card(card, files.weights)
    if files.onnx is not None:
        written = _write_card(card, files.onnx)
    return Artifacts(files.weights, files.onnx, files.why_no_onnx, written)


def _write_card(card: ModelCard, file: Path) -> ModelCard:
    card_of_file = card.model_copy(update={"sha256": sha256_of_file(file)})
    card_of_file.write(file.with_suffix(".json"))
    return card_of_file


def predict_samples(
    detector: Detector, samples: CellSamples
) -> tuple[list[Detections], list[Detections]]:
    """Return truth and prediction of every sample, in network pixels.

    Args:
        detector: called once for each image, without any search for the magnification.
        samples: without augmentation.
    """
    truths, predictions = [], []
    for sample in samples.samples:
        boxes, labels = sample.boxes.numpy(), sample.labels.numpy()
        truths.append(Detections(boxes, np.ones(len(labels), np.float32), labels))
        predictions.append(detector.detect(sample.image.permute(1, 2, 0).numpy()))
    return truths, predictions


def _map_50(onnx: Path, card: ModelCard, val: CellSamples) -> float:
    metrics = mean_average_precision(*predict_samples(OnnxDetector(onnx, card), val), card.classes)
    return float(metrics["map_50"])


def calibrated_card(detector: Detector, val: Dataset) -> ModelCard:
    """Return the card of a trained detector with all that the validation images tell.

    Thresholds, count intervals and metrics are those of the detector as it counts: the images are
    seen as in a count, so their magnification is estimated. The mAP can therefore differ a little
    from the one of the loop, which is told the magnification.

    Args:
        detector: with a card that holds the reference statistics of the training images.
        val: the validation images.
    """
    result = calibrate(detector, val, min_images=1)
    classes = result.card.classes
    precision = mean_average_precision(result.truths, result.predictions, classes)
    counted = [found.above(result.card.thresholds) for found in result.predictions]
    metrics = {
        "images": len(result.truths),
        **{name: round(value, 4) for name, value in precision.items() if not math.isnan(value)},
        **_count_errors(result.truths, counted, classes),
    }
    return result.card.model_copy(update={"metrics": {"validation": metrics}})


def card_after_retraining(card: ModelCard, earlier: ModelCard) -> ModelCard:
    """Return a card with what was measured before a retraining: no image is left to measure on."""
    return card.model_copy(
        update={
            "thresholds": earlier.thresholds,
            "border_odds_ratio": earlier.border_odds_ratio,
            "calibration": earlier.calibration,
            "metrics": {"before retraining": earlier.metrics},
        }
    )


def _count_errors(
    truths: Sequence[LabeledBoxes], counted: Sequence[LabeledBoxes], classes: Sequence[str]
) -> dict[str, float]:
    """Return the count errors of each class, in cells per image."""
    metrics = {}
    for label, name in enumerate(classes, start=1):
        errors = np.array(
            [
                np.count_nonzero(cells.labels == label) - np.count_nonzero(truth.labels == label)
                for truth, cells in zip(truths, counted, strict=True)
            ]
        )
        metrics[f"count_mae_{name}"] = round(float(np.abs(errors).mean()), 4)
        metrics[f"count_rmse_{name}"] = round(float(np.sqrt((errors**2).mean())), 4)
    return metrics
