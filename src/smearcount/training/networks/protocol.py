"""The seam between a network and the training loop."""

from __future__ import annotations

from typing import NotRequired, Protocol, TypedDict

from torch import Tensor


class Target(TypedDict):
    """The truth of one image.

    ``boxes``: (n, 4) float32, xyxy px; ``labels``: (n,) int64, 1-based; ``size``: height and width
    of the image itself, where it was padded to the size of the largest in its batch.
    """

    boxes: Tensor
    labels: Tensor
    size: NotRequired[tuple[int, int]]


class Prediction(TypedDict):
    """What a network says of one image; as :class:`Target`, with ``scores`` (n,) in [0, 1]."""

    boxes: Tensor
    labels: Tensor
    scores: Tensor


class TrainableDetector(Protocol):
    """An ``nn.Module`` that the one training loop can fit and measure."""

    def losses(self, images: Tensor, targets: list[Target]) -> dict[str, Tensor]:
        """Return named scalar losses of a batch; the loop minimises their sum.

        Args:
            images: (B, 3, H, W), uint8 RGB, all of one size.
            targets: one per image.
        """
        ...

    def predict(self, images: Tensor) -> list[Prediction]:
        """Return the cells of each image, scores from 0.01 up; there is no limit."""
        ...
