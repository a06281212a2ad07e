"""Smearnet: our own small single-stage, anchor-free detector.

A plain convolutional trunk goes down to stride 16 for context and comes back to stride 8, where
two small heads say, at every location, which class a cell has and where its four sides lie. A red
cell is shown at about 48 px, so it spans six locations and a platelet two or three: one level is
enough, and no anchor boxes are needed.

Sources of the parts: residual bottlenecks (He et al. 2016), anchor-free sides (Tian et al. 2019,
FCOS), sides as distributions (Li et al. 2020, Generalized Focal Loss), task-aligned assignment
(Feng et al. 2021, TOOD).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from smearcount.image.resample import PADDING_GRAY
from smearcount.training.networks.assigner import pad_targets
from smearcount.training.networks.losses import detection_losses
from smearcount.training.networks.postprocess import cells_of
from smearcount.training.networks.protocol import Prediction, Target

STRIDE = 8
"""One output location per 8 × 8 network pixels."""

SIDE_MULTIPLE = 16
"""Input sides must be multiples of this: the deepest stride."""

SPREAD = 64
"""Pixels become (pixel - PADDING_GRAY) / SPREAD: powers of two, so that 8-bit integers hold them
exactly."""

SIDE_BINS = 16
"""A side lies 0 to 15 strides from its location, as a distribution over these bins."""

RECEPTIVE_PX = 256
"""No box depends on pixels farther from its centre than this.

An output looks 183 px far, and the centre of its box lies up to 60 px away from it.
"""


@dataclass(frozen=True)
class SmearnetWidths:
    """Channels at strides 2, 4, 8 and 16, and in the heads."""

    stem: int = 24
    quarter: int = 48
    eighth: int = 96
    sixteenth: int = 160
    head: int = 64


class ConvNormAct(nn.Sequential):
    """3 × 3 convolution, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, kernel: int = 3) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class Bottleneck(nn.Module):
    """Two 3 × 3 convolutions through half the channels, added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ConvNormAct(channels, channels // 2), ConvNormAct(channels // 2, channels)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        out: Tensor = features + self.body(features)
        return out


class Smearnet(nn.Module):
    """The network, its losses and its predictions (see :mod:`.protocol`)."""

    def __init__(self, n_classes: int, widths: SmearnetWidths | None = None) -> None:
        super().__init__()
        w = widths or SmearnetWidths()
        self.n_classes = n_classes
        self.to_eighth = nn.Sequential(
            ConvNormAct(3, w.stem, stride=2),
            ConvNormAct(w.stem, w.quarter, stride=2),
            Bottleneck(w.quarter),
            ConvNormAct(w.quarter, w.eighth, stride=2),
            Bottleneck(w.eighth),
            Bottleneck(w.eighth),
        )
        self.context = nn.Sequential(
            ConvNormAct(w.eighth, w.sixteenth, stride=2),
            Bottleneck(w.sixteenth),
            Bottleneck(w.sixteenth),
            Bottleneck(w.sixteenth),
            ConvNormAct(w.sixteenth, w.eighth, kernel=1),
            nn.Upsample(scale_factor=2, mode="nearest"),
        )
        self.fuse = Bottleneck(w.eighth)
        to_classes = nn.Conv2d(w.head, n_classes, 1)
        to_sides = nn.Conv2d(w.head, 4 * SIDE_BINS, 1)
        self.class_head = nn.Sequential(ConvNormAct(w.eighth, w.head), to_classes)
        self.side_head = nn.Sequential(ConvNormAct(w.eighth, w.head), to_sides)
        self.bins: Tensor
        self.register_buffer("bins", torch.arange(SIDE_BINS, dtype=torch.float32), persistent=False)
        assert to_classes.bias is not None
        assert to_sides.bias is not None
        nn.init.constant_(to_classes.bias, -4.6)  # every class starts at a score of 0.01
        nn.init.constant_(to_sides.bias, 0.0)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return raw outputs at every location.

        Args:
            images: (B, 3, H, W) RGB, uint8 or float in 0..255, H and W multiples of 16.

        Returns:
            class logits (B, N, K) and side logits (B, N, 4, bins), N = H/8 · W/8 in row order.
        """
        features = self.to_eighth((images.float() - PADDING_GRAY) / SPREAD)
        features = self.fuse(features + self.context(features))
        class_logits = self.class_head(features).flatten(2).transpose(1, 2)
        side_logits = self.side_head(features).flatten(2).transpose(1, 2)
        return class_logits, side_logits.unflatten(2, (4, SIDE_BINS))

    def locations(self, height: int, width: int, device: torch.device) -> Tensor:
        """Return the centre (x, y) of every location in input pixels, shape (N, 2)."""
        ys = (torch.arange(height // STRIDE, device=device) + 0.5) * STRIDE
        xs = (torch.arange(width // STRIDE, device=device) + 0.5) * STRIDE
        grid_y, grid_x = torch.meshgrid(ys, xs, indexing="ij")
        return torch.stack([grid_x.flatten(), grid_y.flatten()], dim=1)

    def boxes(self, side_logits: Tensor, locations: Tensor) -> Tensor:
        """Decode sides to boxes.

        Args:
            side_logits: (B, N, 4, bins): left, top, right, bottom.
            locations: (N, 2) in pixels.

        Returns:
            (B, N, 4) xyxy in input pixels.
        """
        share = side_logits.softmax(dim=3)
        # One large product with a column: onnxruntime takes five times as long for other forms.
        mean = (share.flatten(0, 2) @ self.bins[:, None]).view(share.shape[:3])
        sides = mean * STRIDE
        return torch.cat([locations - sides[..., :2], locations + sides[..., 2:]], dim=2)

    def losses(self, images: Tensor, targets: list[Target]) -> dict[str, Tensor]:
        """Return named losses whose sum is to be minimised; see :mod:`.loss`."""
        class_logits, side_logits = self(images)
        class_logits, side_logits = class_logits.float(), side_logits.float()
        locations = self.locations(images.shape[2], images.shape[3], images.device)
        return detection_losses(
            class_logits,
            side_logits,
            self.boxes(side_logits, locations),
            locations,
            pad_targets(targets, images.device),
            STRIDE,
        )

    @torch.no_grad()
    def predict(self, images: Tensor, iou_threshold: float = 0.6) -> list[Prediction]:
        """Return the cells of each image: boxes in its pixels, scores, labels 1..K; no limit."""
        class_logits, side_logits = self(images)
        boxes = self.boxes(
            side_logits.float(), self.locations(images.shape[2], images.shape[3], images.device)
        )
        scores = class_logits.float().sigmoid()
        return [cells_of(*each, iou_threshold) for each in zip(boxes, scores, strict=True)]


def build_smearnet(n_classes: int) -> Smearnet:
    """Build smearnet from random weights.

    Args:
        n_classes: number of classes, without background.
    """
    return Smearnet(n_classes)
