"""What a training leaves behind: thresholds, model cards and model files."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

from smearcount.detections.detections import Detections
from smearcount.detector.card import ModelCard
from smearcount.training.architectures import Architecture
from smearcount.training.dataset import CellSamples, collate
from smearcount.training.export_torchvision import export_torchvision, why_no_onnx
from smearcount.training.fit import as_detections
from smearcount.training.run import ONNX, STATE
from smearcount.training.smearnet import Smearnet


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


def predict_all(
    network: nn.Module, samples: CellSamples
) -> tuple[list[Detections], list[Detections]]:
    """Return truth and prediction of every sample, in the pixels that the network saw.

    Args:
        network: a :class:`smearcount.training.network.TrainableDetector`.
        samples: without augmentation.
    """
    detector: Any = network
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network.to(device).eval()
    truths, found = [], []
    for images, targets in DataLoader(samples, batch_size=1, collate_fn=collate):
        (target,), (prediction,) = targets, detector.predict(images.to(device))
        truths.append(as_detections(target, torch.ones(len(target["labels"]))))
        found.append(as_detections(prediction, prediction["scores"]))
    network.cpu()
    return truths, found


def write_model(
    network: nn.Module,
    of: Architecture,
    run: Path,
    *,
    classes: Sequence[str],
    thresholds: Sequence[float],
    source_rbc_px: float | None,
    training: dict[str, Any],
    metrics: dict[str, Any],
    calibration: dict[str, Any] | None = None,
    scene: dict[str, Any] | None = None,
) -> Outcome:
    """Write a trained network as state dict and, where possible, as ONNX, each with its card.

    Args:
        network: trained.
        of: its architecture.
        run: the folder to write to; its name becomes the model's.
        classes: names in label order.
        thresholds: one per class.
        source_rbc_px: see :class:`smearcount.detector.card.ModelCard`.
        training: free-form facts for the card.
        metrics: free-form facts for the card.
        calibration: for the card.
        scene: for the card.
    """
    network = network.cpu().eval()

    def card_of(file: Path) -> ModelCard:
        card = ModelCard(
            name=run.resolve().name,
            architecture=of.name,
            sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
            classes=tuple(classes),
            thresholds=tuple(round(each, 4) for each in thresholds),
            iou_threshold=of.iou_threshold,
            rbc_px=of.rbc_px,
            source_rbc_px=source_rbc_px,
            stride=of.stride,
            receptive_px=of.receptive_px,
            training=training,
            metrics=metrics,
            calibration=calibration or {},
            scene=scene or {},
        )
        card.write(file.with_suffix(".json"))
        return card

    state = run / STATE
    torch.save(network.state_dict(), state)
    card = card_of(state)
    reason = why_no_onnx(of.name)
    if reason:
        return Outcome(state, None, reason, card)
    onnx = run / ONNX
    if isinstance(network, Smearnet):
        # Imported late: onnx and onnxruntime take a second.
        from smearcount.training.export import export_smearnet

        export_smearnet(network, onnx)
    else:
        export_torchvision(network, onnx)
    return Outcome(state, onnx, "", card_of(onnx))
