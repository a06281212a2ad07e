"""What every network offers the training loop, and what is recorded of every architecture.

A new architecture is one module in this room that makes an :class:`Architecture`, and one entry in
:data:`smearcount.training.networks.architectures.ARCHITECTURES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NotRequired, Protocol, TypedDict

from torch import Tensor, nn

TYPICAL_RBC_PX: Final = 48.0
"""A diameter of the red cell, in network pixels, at which all cells are easy to see."""

State = dict[str, Tensor]
"""A state dict: tensors by the name of the entry."""


class Target(TypedDict):
    """The ground truth of one image.

    ``boxes``: (n, 4) float32, xyxy px; ``labels``: (n,) int64, 1-based; ``size``: height and width
    of the image itself, where it was padded to the size of the largest in its batch.
    """

    boxes: Tensor
    labels: Tensor
    size: NotRequired[tuple[int, int]]


class Prediction(TypedDict):
    """The cells predicted in one image; as :class:`Target`, with ``scores`` (n,) in [0, 1]."""

    boxes: Tensor
    labels: Tensor
    scores: Tensor


class TrainableDetector(Protocol):
    """An ``nn.Module`` that the training loop can fit and measure."""

    def losses(self, images: Tensor, targets: list[Target]) -> dict[str, Tensor]:
        """Return named scalar losses of a batch; the loop minimizes their sum.

        Args:
            images: (B, 3, H, W), uint8 RGB, all of one size.
            targets: one per image.
        """
        ...

    def predict(self, images: Tensor) -> list[Prediction]:
        """Return the cells of each image with scores from 0.01 up, however many they are."""
        ...


@dataclass(frozen=True)
class Architecture:
    """What training, export and the model card must know of a network.

    Attributes:
        name: as ``build_network`` and the command line take it.
        build: makes the network with random weights, given the number of classes without
            background; the result is a :class:`TrainableDetector`.
        recipe: the name of the recipe that is tuned for it.
        rbc_px: the diameter of a red cell that it wants to see, in pixels; None for a network
            that takes images at whatever size they come.
        stride: input sides must be multiples of this.
        receptive_px: how far from a cell, in network pixels, the network looks.
        iou_threshold: overlap above which the weaker of two boxes is dropped.
        published_weights: returns published weights under the names of its own entries, given
            ``coco`` or ``backbone``, and raises ``DownloadError``; None where nobody publishes any.
        frozen: parameters whose names start so keep their published values in training.
        onnx_graph: wraps a network in evaluation mode into a module with the inputs and outputs of
            the ONNX file (see :mod:`smearcount.training.export.onnx_export`); None where the
            architecture allows no such file.
        why_no_onnx: the reason then, as a clause.
        quantizable: its ONNX file holds float16 weights, and 8-bit integers where they lose next to
            nothing.
    """

    name: str
    build: Callable[[int], nn.Module]
    recipe: str
    rbc_px: float | None = None
    stride: int = 1
    receptive_px: int = 0
    iou_threshold: float = 0.5
    published_weights: Callable[[str], State] | None = None
    frozen: tuple[str, ...] = ()
    onnx_graph: Callable[[nn.Module], nn.Module] | None = None
    why_no_onnx: str = ""
    quantizable: bool = False
