"""All architectures by name, built and given weights in one way."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import torch
from torch import nn

from smearcount.errors import ModelError, UsageError
from smearcount.training.networks.pretrained import load_matching, read_weights
from smearcount.training.networks.protocol import Architecture, State, TrainableDetector
from smearcount.training.networks.smearnet import SMEARNET
from smearcount.training.networks.torchvision_detectors import TORCHVISION_ARCHITECTURES
from smearcount.training.networks.yolox import YOLOX_ARCHITECTURES

RANDOM: Final = "none"
"""Random weights."""

COCO: Final = "coco"
"""The whole detector as it is published, trained on COCO, without its class outputs."""

BACKBONE: Final = "backbone"
"""Only the backbone as it is published, trained on ImageNet."""

ARCHITECTURES: Final = {
    architecture.name: architecture
    for architecture in (SMEARNET, *TORCHVISION_ARCHITECTURES, *YOLOX_ARCHITECTURES)
}
"""All architectures by name."""


def get_architecture(name: str) -> Architecture:
    """Return an architecture by its name.

    Raises:
        UsageError: there is no such architecture.
    """
    if name not in ARCHITECTURES:
        raise UsageError(f"{name}: no such architecture; choose one of {', '.join(ARCHITECTURES)}.")
    return ARCHITECTURES[name]


def build_network(arch: str, n_classes: int, weights: str | Path = RANDOM) -> TrainableDetector:
    """Build a network that can be trained and that predicts.

    Args:
        arch: a name of :data:`ARCHITECTURES`, such as ``smearnet`` or ``ssd300_vgg16``.
        n_classes: number of classes, without background.
        weights: ``none`` for random ones, ``coco`` or ``backbone`` for published ones, or a
            ``.pth`` or ``.safetensors`` file.

    Returns:
        the network in training mode.

    Raises:
        UsageError: there is no such architecture, or it has no such published weights.
        ModelError: the file of weights is missing, damaged or of another architecture.
        DownloadError: published weights could not be downloaded.

    Example:
        >>> import torch
        >>> from smearcount.training import build_network
        >>> network = build_network("smearnet", n_classes=3).eval()
        >>> image = torch.zeros(1, 3, 96, 128, dtype=torch.uint8)
        >>> sorted(network.predict(image)[0])
        ['boxes', 'labels', 'scores']
    """
    network = get_architecture(arch).build(n_classes)
    load_weights(network, arch, weights)
    return network


def load_weights(network: nn.Module, arch: str, weights: str | Path) -> list[str]:
    """Load weights into a network, as far as their names and shapes match.

    Args:
        network: to be changed.
        arch: the name of its architecture.
        weights: ``none``, ``coco``, ``backbone`` or a ``.pth`` or ``.safetensors`` file.

    Returns:
        the names of the entries that were left out because the shape or name differs, such as
        the class outputs for other classes; empty for ``none``.

    Raises:
        UsageError: the architecture has no such published weights.
        ModelError: the file is missing, damaged or of another architecture.
        DownloadError: the download failed or does not match its published digest.

    Example:
        >>> import torch
        >>> from smearcount.training import build_network, load_weights
        >>> seven = build_network("smearnet", n_classes=7)
        >>> torch.save(seven.state_dict(), "seven.pth")
        >>> three = build_network("smearnet", n_classes=3)
        >>> load_weights(three, "smearnet", "seven.pth")
        ['class_head.1.weight', 'class_head.1.bias']
    """
    kind = str(weights)
    if kind == RANDOM:
        return []
    if kind in (COCO, BACKBONE):
        published = get_architecture(arch).published_weights
        if published is None:
            raise UsageError(
                f"{arch} has no published {kind} weights; start from random weights or from a file."
            )
        return load_matching(network, published(kind), f"the {kind} weights of {arch}")
    return load_matching(network, read_weights(Path(weights)), kind)


def recognize(state: State) -> tuple[str, int] | None:
    """Return the architecture of a state dict and its number of classes, without background.

    Args:
        state: as torchvision, the exercise or a training saved it.

    Returns:
        None if it is of no architecture known here.
    """
    shapes = {name.removeprefix("model."): tuple(value.shape) for name, value in state.items()}
    for name, architecture in ARCHITECTURES.items():
        try:
            with torch.device("meta"):
                one, two = (_shapes(architecture.build(n)) for n in (1, 2))
        except ModelError:  # its library is not installed
            continue
        if set(one) != set(shapes):
            continue
        fixed = [entry for entry in one if one[entry] == two[entry]]
        if any(shapes[entry] != one[entry] for entry in fixed):
            continue
        heads = [entry for entry in one if one[entry] != two[entry]]
        # The first side of a head's tensor is so many entries a class, and as many for background.
        first, per_class = one[heads[0]][0], two[heads[0]][0] - one[heads[0]][0]
        n_classes = 1 + (shapes[heads[0]][0] - first) // per_class
        if n_classes >= 1 and _shapes_fit(architecture, n_classes, shapes):
            return name, n_classes
    return None


def _shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    state = network.state_dict()
    return {name.removeprefix("model."): tuple(value.shape) for name, value in state.items()}


def _shapes_fit(
    architecture: Architecture, n_classes: int, shapes: dict[str, tuple[int, ...]]
) -> bool:
    with torch.device("meta"):
        return _shapes(architecture.build(n_classes)) == shapes


def freeze_published(network: nn.Module, arch: str) -> None:
    """Keep the earliest stages of published weights as they are, as torchvision does."""
    frozen = get_architecture(arch).frozen
    for name, parameter in network.named_parameters():
        if frozen and name.startswith(frozen):
            parameter.requires_grad = False
