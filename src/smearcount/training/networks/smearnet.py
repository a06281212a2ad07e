"""Smearnet: our own small single-stage, anchor-free detector.

A plain convolutional backbone goes down to stride 16 for context and comes back to stride 8, where
two small heads predict, at every anchor point, the class of a cell and the distances to the four
sides of its box. A red cell is shown at about 48 px, so it spans six anchor points and a platelet
two or three: one level is enough, and no anchor boxes are needed.

Sources of the parts: residual bottlenecks (He et al. 2016), distances to left, top, right and
bottom (LTRB) from anchor points (Tian et al. 2019, FCOS), those as distributions (Li et al. 2020,
Generalized Focal Loss), task-aligned assignment (Feng et al. 2021, TOOD).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from smearcount.detections.nms import DEFAULT_IOU_THRESHOLD
from smearcount.image.resample import PADDING_GRAY
from smearcount.training.networks.assigner import pad_targets
from smearcount.training.networks.losses import detection_losses
from smearcount.training.networks.postprocess import best_class
from smearcount.training.networks.protocol import (
    TYPICAL_RBC_PX,
    Architecture,
    Prediction,
    Target,
    TrainableDetector,
)

STRIDE: Final = 8
"""One anchor point per 8 × 8 network pixels."""

DEEPEST_STRIDE: Final = 16
"""Input sides must be multiples of this."""

PIXEL_SCALE: Final = 64
"""Pixels become (pixel - gray) / scale: powers of two, so 8-bit integers hold them exactly."""

DISTANCE_BINS: Final = 16
"""A side of a box lies 0 to 15 strides from its anchor point, as a distribution over these bins."""

IOU_THRESHOLD: Final = DEFAULT_IOU_THRESHOLD

RECEPTIVE_PX: Final = 256
"""No box depends on pixels farther from its center than this.

An output depends on pixels up to 183 px away, and the center of its box lies up to 60 px from it.
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


class Smearnet(TrainableDetector):
    """The network, its losses and its predictions (see :mod:`.protocol`)."""

    iou_threshold = IOU_THRESHOLD
    stride = DEEPEST_STRIDE

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
        to_ltrb = nn.Conv2d(w.head, 4 * DISTANCE_BINS, 1)
        self.class_head = nn.Sequential(ConvNormAct(w.eighth, w.head), to_classes)
        # The attribute keeps this name since it is the key of saved weights.
        self.side_head = nn.Sequential(ConvNormAct(w.eighth, w.head), to_ltrb)
        self.bins: Tensor
        bins = torch.arange(DISTANCE_BINS, dtype=torch.float32)
        self.register_buffer("bins", bins, persistent=False)
        assert to_classes.bias is not None
        assert to_ltrb.bias is not None
        nn.init.constant_(to_classes.bias, -4.6)  # every class starts at a score of 0.01
        nn.init.constant_(to_ltrb.bias, 0.0)

    def logits(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the raw outputs at every anchor point.

        Args:
            images: (B, 3, H, W) RGB, uint8 or float in 0..255, H and W multiples of 16.

        Returns:
            class logits (B, N, K) and distance logits (B, N, 4, bins), N = H/8 · W/8 in row order.
        """
        features = self.to_eighth((images.float() - PADDING_GRAY) / PIXEL_SCALE)
        features = self.fuse(features + self.context(features))
        class_logits = self.class_head(features).flatten(2).transpose(1, 2)
        ltrb_logits = self.side_head(features).flatten(2).transpose(1, 2)
        return class_logits, ltrb_logits.unflatten(2, (4, DISTANCE_BINS))

    def anchor_points(self, height: int, width: int, device: torch.device) -> Tensor:
        """Return the center (x, y) of every anchor point in input pixels, shape (N, 2)."""
        ys = (torch.arange(height // STRIDE, device=device) + 0.5) * STRIDE
        xs = (torch.arange(width // STRIDE, device=device) + 0.5) * STRIDE
        grid_y, grid_x = torch.meshgrid(ys, xs, indexing="ij")
        return torch.stack([grid_x.flatten(), grid_y.flatten()], dim=1)

    def boxes(self, ltrb_logits: Tensor, anchor_points: Tensor) -> Tensor:
        """Decode distances to boxes.

        Args:
            ltrb_logits: (B, N, 4, bins): left, top, right, bottom.
            anchor_points: (N, 2) in pixels.

        Returns:
            (B, N, 4) xyxy in input pixels.
        """
        share = ltrb_logits.softmax(dim=3)
        # One large product with a column: onnxruntime takes five times as long for other forms.
        mean = (share.flatten(0, 2) @ self.bins[:, None]).view(share.shape[:3])
        ltrb = mean * STRIDE
        return torch.cat([anchor_points - ltrb[..., :2], anchor_points + ltrb[..., 2:]], dim=2)

    def losses(self, images: Tensor, targets: list[Target]) -> dict[str, Tensor]:
        """Return named losses whose sum is to be minimized; see :mod:`.losses`."""
        class_logits, ltrb_logits = self.logits(images)
        class_logits, ltrb_logits = class_logits.float(), ltrb_logits.float()
        anchor_points = self.anchor_points(images.shape[2], images.shape[3], images.device)
        return detection_losses(
            class_logits,
            ltrb_logits,
            self.boxes(ltrb_logits, anchor_points),
            anchor_points,
            pad_targets(targets, images.device),
            STRIDE,
        )

    @torch.no_grad()
    def candidates(self, images: Tensor) -> list[Prediction]:
        """Return the box of every anchor point with its best class, before NMS."""
        class_logits, ltrb_logits = self.logits(images)
        anchor_points = self.anchor_points(images.shape[2], images.shape[3], images.device)
        boxes = self.boxes(ltrb_logits.float(), anchor_points)
        scores = class_logits.float().sigmoid()
        return [best_class(b, s) for b, s in zip(boxes, scores, strict=True)]


class _OnnxGraph(nn.Module):
    """Smearnet with the inputs and outputs of the ONNX file."""

    def __init__(self, network: Smearnet) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Map (1, H, W, 3) uint8 to boxes (n, 4) and scores (n, K)."""
        class_logits, ltrb_logits = self.network.logits(image.permute(0, 3, 1, 2))
        anchor_points = self.network.anchor_points(image.shape[1], image.shape[2], image.device)
        return self.network.boxes(ltrb_logits, anchor_points)[0], class_logits[0].sigmoid()


def _onnx_graph(network: Any) -> nn.Module:
    """Return the graph of the file; each batch norm becomes part of its convolution, in place."""
    for module in network.modules():
        if isinstance(module, ConvNormAct):
            convolution, norm = module[0], module[1]
            assert isinstance(convolution, nn.Conv2d)
            assert isinstance(norm, nn.BatchNorm2d)
            module[0] = fuse_conv_bn_eval(convolution, norm)
            module[1] = nn.Identity()
    return _OnnxGraph(network)


SMEARNET: Final = Architecture(
    name="smearnet",
    build=Smearnet,
    recipe="smearnet",
    rbc_px=TYPICAL_RBC_PX,
    stride=DEEPEST_STRIDE,
    receptive_px=RECEPTIVE_PX,
    iou_threshold=IOU_THRESHOLD,
    onnx_graph=_onnx_graph,
    quantizable=True,
)
