"""What every network offers the training loop, and what is recorded of every architecture.

A new architecture is one module in this room that makes an :class:`Architecture`, and one entry in
:data:`smearcount.training.networks.architectures.ARCHITECTURES`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NotRequired, TypedDict

import torch
from torch import Tensor, nn
from torchvision.ops import clip_boxes_to_image, nms

from smearcount.image.resample import PADDING_GRAY

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


class TrainableDetector(nn.Module):
    """A network that the training loop can fit and measure.

    It is called as torchvision's detectors are: in training mode with images and targets it returns
    its losses, in evaluation mode the cells of each image.

    Attributes:
        iou_threshold: overlap above which :meth:`predict` drops the weaker of two boxes.
        stride: input sides must be multiples of this.

    Example:
        >>> import torch
        >>> from smearcount.training import build_network
        >>> network = build_network("smearnet", n_classes=3)
        >>> cell = {"boxes": torch.tensor([[20.0, 30, 68, 78]]), "labels": torch.tensor([2])}
        >>> losses = network([torch.rand(3, 96, 128)], [cell])
        >>> sorted(losses)
        ['box', 'class', 'sides']
        >>> (found,) = network.eval()([torch.rand(3, 96, 128)])
        >>> sorted(found)
        ['boxes', 'labels', 'scores']
    """

    iou_threshold: float
    stride: int

    def losses(self, images: Tensor, targets: list[Target]) -> dict[str, Tensor]:
        """Return named scalar losses of a batch; the loop minimizes their sum.

        Args:
            images: (B, 3, H, W), uint8 RGB, all of one size.
            targets: one per image.
        """
        raise NotImplementedError

    def candidates(self, images: Tensor) -> list[Prediction]:
        """Return boxes of one class each, with scores from 0.01 up, before NMS over all classes.

        Args:
            images: as in :meth:`losses`.
        """
        raise NotImplementedError

    @torch.no_grad()
    def predict(self, images: Tensor) -> list[Prediction]:
        """Return the cells of each image with scores from 0.01 up, however many they are.

        Args:
            images: as in :meth:`losses`.
        """
        return [suppress(found, self.iou_threshold) for found in self.candidates(images)]

    def forward(self, images: Sequence[Tensor], targets: Sequence[Any] | None = None) -> Any:
        """Return the losses in training mode, else the cells of each image.

        Args:
            images: (3, H, W) each, float RGB in [0, 1], of any sizes.
            targets: ``boxes`` and ``labels`` of each image; needed in training mode only.
        """
        sizes = [(int(image.shape[1]), int(image.shape[2])) for image in images]
        height, width = (
            -(-max(size[side] for size in sizes) // self.stride) * self.stride for side in (0, 1)
        )
        batch = images[0].new_full((len(images), 3, height, width), float(PADDING_GRAY))
        for row, image in zip(batch, images, strict=True):
            row[:, : image.shape[1], : image.shape[2]] = image * 255
        if self.training:
            if targets is None:
                raise ValueError("In training mode a network needs targets; see eval().")
            sized: list[Any] = [
                {**target, "size": size} for target, size in zip(targets, sizes, strict=True)
            ]
            return self.losses(batch, sized)
        found = self.predict(batch)
        for prediction, size in zip(found, sizes, strict=True):
            prediction["boxes"] = clip_boxes_to_image(prediction["boxes"], size)
        return found


def suppress(found: Prediction, iou_threshold: float) -> Prediction:
    """Drop the weaker of two overlapping boxes, whatever their classes: a cell has one class.

    Args:
        found: the candidates of one image.
        iou_threshold: overlap above which the weaker box goes.
    """
    kept = nms(found["boxes"], found["scores"], iou_threshold)
    return {
        "boxes": found["boxes"][kept],
        "labels": found["labels"][kept],
        "scores": found["scores"][kept],
    }


@dataclass(frozen=True)
class Architecture:
    """What training, export and the model card must know of a network.

    Attributes:
        name: as ``build_network`` and the command line take it.
        build: makes the network with random weights, given the number of classes without
            background.
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
    build: Callable[[int], TrainableDetector]
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
