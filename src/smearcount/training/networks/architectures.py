"""Every architecture behind one builder: its name, how it is built, what it wants to see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from torch import nn

from smearcount.errors import UsageError
from smearcount.training.networks.pretrained import apply_weights
from smearcount.training.networks.smearnet import RECEPTIVE_PX, SIDE_MULTIPLE, build_smearnet
from smearcount.training.networks.torchvision_detectors import TORCHVISION_BUILDERS
from smearcount.training.networks.yolox import (
    YOLO_BUILDERS,
    YOLO_IOU,
    YOLO_RECEPTIVE_PX,
    YOLO_STRIDE,
)

USUAL_RBC_PX: Final = 48.0
"""The diameter of a red cell, in network pixels, at which a cell is easy to see."""


@dataclass(frozen=True)
class Architecture:
    """What the training and the model card must know of a network.

    Attributes:
        name: as ``--arch`` takes it.
        builder: makes the network from random weights, given the number of classes without
            background; the result is a :class:`.protocol.TrainableDetector`.
        recipe: the recipe that is tuned for it.
        rbc_px: the diameter of a red cell that it wants to see, in pixels; None for a network
            that takes images at whatever size they come.
        stride: input sides must be multiples of this.
        receptive_px: how far, in network pixels, an output looks.
        iou_threshold: overlap above which the weaker of two boxes is dropped.
    """

    name: str
    builder: Callable[[int], nn.Module]
    recipe: str
    rbc_px: float | None = None
    stride: int = 1
    receptive_px: int = 0
    iou_threshold: float = 0.5


ARCHITECTURES: Final = {
    each.name: each
    for each in (
        Architecture(
            "smearnet",
            build_smearnet,
            "smearnet",
            USUAL_RBC_PX,
            SIDE_MULTIPLE,
            RECEPTIVE_PX,
            iou_threshold=0.6,
        ),
        *(Architecture(name, builder, name) for name, builder in TORCHVISION_BUILDERS.items()),
        *(
            Architecture(
                name, builder, "yolox", USUAL_RBC_PX, YOLO_STRIDE, YOLO_RECEPTIVE_PX, YOLO_IOU
            )
            for name, builder in YOLO_BUILDERS.items()
        ),
    )
}
"""All architectures by name."""


def architecture(name: str) -> Architecture:
    """Return an architecture by its name.

    Raises:
        UsageError: there is no such architecture.
    """
    if name not in ARCHITECTURES:
        raise UsageError(f"{name}: no such architecture; choose one of {', '.join(ARCHITECTURES)}.")
    return ARCHITECTURES[name]


def build(arch: str, n_classes: int, weights: str | Path = "none") -> nn.Module:
    """Build a network that the training loop can fit.

    Args:
        arch: a name of :data:`ARCHITECTURES`.
        n_classes: number of classes, without background.
        weights: ``none`` for random ones, ``coco`` or ``backbone`` for published ones, or a
            ``.pth`` or ``.safetensors`` file; see :mod:`smearcount.training.networks.pretrained`.

    Returns:
        the network, a :class:`.protocol.TrainableDetector`.

    Raises:
        UsageError: there is no such architecture, or it has no such published weights.
        ModelError: the file of weights is missing, damaged or of another architecture.
        DownloadError: published weights could not be downloaded.
    """
    network = architecture(arch).builder(n_classes)
    apply_weights(network, arch, weights)
    return network
