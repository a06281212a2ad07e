"""A trained network, or one still in training, as a detector: for what has no ONNX file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from smearcount.classes import CLASS_NAMES
from smearcount.detections.detections import Detections
from smearcount.detections.nms import nms
from smearcount.detector.model_card import ModelCard
from smearcount.errors import ModelError
from smearcount.image.image import Pixels
from smearcount.image.resample import PADDING_GRAY
from smearcount.sha256 import sha256_of_file
from smearcount.training.loop import as_detections
from smearcount.training.networks.architectures import ARCHITECTURES, build_network, recognize
from smearcount.training.networks.pretrained import read_weights
from smearcount.training.networks.protocol import State, TrainableDetector
from smearcount.training.run_folder import (
    SETTINGS_FILE,
    WEIGHTS_FILE,
    architecture_of,
    read_checkpoint,
    read_settings,
)

UNCHOSEN_THRESHOLD = 0.5
"""From which score a cell counts while a training has not chosen thresholds yet."""


class TorchDetector:
    """Finds cells with a network in torch, and by the same steps as the ONNX file that it exports.

    See :class:`smearcount.detector.detector.DenseDetector`.

    Args:
        network: of the card's architecture.
        card: its card.
        device: on which the network runs; None takes the GPU if there is one.
    """

    def __init__(
        self, network: TrainableDetector, card: ModelCard, device: str | None = None
    ) -> None:
        self.card = card
        self._device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self._network = network.to(self._device).eval()

    def detect(self, pixels: Pixels) -> Detections:
        """Find cells in RGB pixels, shape (height, width, 3), uint8, of any size."""
        found = self.candidates(pixels)
        return found[nms(found.boxes_xyxy_px, found.scores, self.card.iou_threshold)]

    def candidates(self, pixels: Pixels) -> Detections:
        """Return the detections from ``SCORE_FLOOR`` on, before NMS."""
        height, width = pixels.shape[:2]
        stride = self.card.stride
        padding = ((0, -height % stride), (0, -width % stride), (0, 0))
        padded = np.pad(pixels, padding, constant_values=PADDING_GRAY)
        image = torch.from_numpy(padded).permute(2, 0, 1)[None].to(self._device)
        (found,) = self._network.candidates(image)
        return as_detections(found, found["scores"])


def load_torch_detector(path: Path, classes: Sequence[str] | None = None) -> TorchDetector:
    """Load the ``.pth`` or ``.safetensors`` of a training, or a run's checkpoint.

    Args:
        path: weights, with their ``.json`` card beside them or without any, as the exercise saves
            them; or ``best.ckpt`` or ``last.ckpt`` in the folder of a run. Nothing in the file is
            executed.
        classes: names in label order for weights without a card; None takes those of the exercise
            for three classes.

    Raises:
        ModelError: the file or its card is missing, damaged or does not fit.
    """
    digest = _digest(path)
    if path.suffix == ".ckpt":
        card = _card_of_checkpoint(path, digest)
        state = read_checkpoint(path).weights
    elif not path.with_suffix(".json").exists():
        state = read_weights(path)
        card = _card_of_weights(path, digest, state, classes)
    else:
        card = ModelCard.read(path.with_suffix(".json"))
        if card.sha256 != digest:
            raise ModelError(
                f"{path}: the weights do not match the SHA-256 in their card; "
                "get both again from one place."
            )
        state = read_weights(path)
    return TorchDetector(_network(card, state, path), card)


def _network(card: ModelCard, state: State, path: Path) -> TrainableDetector:
    if card.architecture not in ARCHITECTURES:
        raise ModelError(f"{path}: its card names an unknown architecture, {card.architecture}.")
    network = build_network(card.architecture, len(card.classes))
    try:
        network.load_state_dict(state)
    except RuntimeError:
        raise ModelError(
            f"{path}: these are not weights of {card.architecture} for {len(card.classes)} classes."
        ) from None
    return network


def _card_of_weights(
    path: Path, digest: str, state: State, classes: Sequence[str] | None
) -> ModelCard:
    """Return a card for weights that have none: the architecture is read off the entries."""
    known = recognize(state)
    if known is None:
        raise ModelError(
            f"{path}: it has no card ({path.with_suffix('.json').name}), and its entries are those "
            f"of no architecture known here ({', '.join(ARCHITECTURES)})."
        )
    name, n_classes = known
    names = tuple(classes or (CLASS_NAMES if n_classes == len(CLASS_NAMES) else ()))
    if len(names) != n_classes:
        raise ModelError(
            f"{path}: this {name} has {n_classes} classes, and the file does not name them; name "
            f"{n_classes} classes in label order, not {len(names)}."
        )
    architecture = ARCHITECTURES[name]
    return ModelCard(
        name=path.stem,
        architecture=name,
        sha256=digest,
        classes=names,
        thresholds=(UNCHOSEN_THRESHOLD,) * n_classes,
        iou_threshold=architecture.iou_threshold,
        rbc_px=architecture.rbc_px,
        stride=architecture.stride,
        receptive_px=architecture.receptive_px,
    )


def _card_of_checkpoint(path: Path, digest: str) -> ModelCard:
    """Return a card for a checkpoint, made from its run's settings."""
    if not (path.parent / SETTINGS_FILE).exists():
        raise ModelError(
            f"{path}: keep a checkpoint in the folder of its run, with {SETTINGS_FILE}."
        )
    settings = read_settings(path.parent)
    architecture = architecture_of(settings)
    finished = (path.parent / WEIGHTS_FILE).with_suffix(".json")
    entries = {
        "name": f"{path.resolve().parent.name}/{path.stem}",
        "architecture": architecture.name,
        "sha256": digest,
        "classes": settings.classes,
        "thresholds": (UNCHOSEN_THRESHOLD,) * len(settings.classes),
        "iou_threshold": architecture.iou_threshold,
        "rbc_px": architecture.rbc_px,
        "stride": architecture.stride,
        "receptive_px": architecture.receptive_px,
    }
    if finished.exists():
        card = ModelCard.read(finished)
        entries |= {
            "thresholds": card.thresholds,
            "border_odds_ratio": card.border_odds_ratio,
            "source_rbc_px": card.source_rbc_px,
        }
    return ModelCard.model_validate(entries)


def _digest(path: Path) -> str:
    try:
        return sha256_of_file(path)
    except OSError as error:
        raise ModelError(f"{path}: these weights cannot be read ({error.strerror}).") from None
