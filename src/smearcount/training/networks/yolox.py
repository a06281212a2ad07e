"""YOLOX (Ge et al. 2021) from libreyolo, an MIT-licensed library, behind our training loop.

Only its network and loss are used; data, schedule, averaging and evaluation are ours. Images go in
as the published YOLOX weights want them: BGR, 0 to 255.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import torch
from torch import Tensor, nn

from smearcount.detections.nms import DEFAULT_IOU_THRESHOLD
from smearcount.errors import ModelError
from smearcount.training.networks.postprocess import best_class, output_in_float32
from smearcount.training.networks.protocol import (
    TYPICAL_RBC_PX,
    Architecture,
    Prediction,
    Target,
    TrainableDetector,
)

DEEPEST_STRIDE: Final = 32
"""Input sides must be multiples of this."""

RECEPTIVE_PX: Final = 320
"""Tiles overlap by this; the pooling takes in more pixels, but they hardly change the output."""

IOU_THRESHOLD: Final = DEFAULT_IOU_THRESHOLD


class YoloxDetector(TrainableDetector):
    """YOLOX as a :class:`.protocol.TrainableDetector`.

    Convolutions may run in bfloat16; boxes and losses are computed in float32.

    Args:
        model: libreyolo's ``LibreYOLOXModel``.
    """

    iou_threshold = IOU_THRESHOLD
    stride = DEEPEST_STRIDE

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self.model.init_weights()
        self.model.head.export = True  # in evaluation, decoded boxes instead of raw maps
        output_in_float32(model.backbone)
        for predictions in ("cls_preds", "reg_preds", "obj_preds"):
            for module in getattr(model.head, predictions):
                output_in_float32(module)

    def losses(self, images: Tensor, targets: list[Target]) -> dict[str, Tensor]:
        """Return YOLOX's losses of a batch: overlap, objectness and class."""
        head = self.model.head
        maps, x_shifts, y_shifts, strides, raw_boxes = head.forward_train_maps(
            self.model.backbone(_to_bgr(images))
        )
        with torch.autocast(images.device.type, enabled=False):
            losses = head.get_losses(
                None, x_shifts, y_shifts, strides, _to_rows(targets, images.device), maps,
                raw_boxes, dtype=torch.float32,
            )  # fmt: skip
        return {
            "box": losses["iou_loss"],
            "object": losses["obj_loss"],
            "class": losses["cls_loss"],
        }

    def raw(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return boxes (B, N, 4) xyxy px and scores (B, N, K) at every anchor point.

        Args:
            images: (B, 3, H, W) RGB in 0..255, H and W multiples of 32.
        """
        out = self.model(_to_bgr(images))
        center, size = out[..., :2], out[..., 2:4]
        boxes = torch.cat([center - size / 2, center + size / 2], dim=2)
        return boxes, out[..., 4:5] * out[..., 5:]

    @torch.no_grad()
    def candidates(self, images: Tensor) -> list[Prediction]:
        """Return the box of every anchor point with its best class, before NMS."""
        boxes, scores = self.raw(images)
        return [best_class(b, s) for b, s in zip(boxes, scores, strict=True)]


class _OnnxGraph(nn.Module):
    """YOLOX with the inputs and outputs of the ONNX file."""

    def __init__(self, detector: Any) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Map (1, H, W, 3) uint8 to boxes (n, 4) and scores (n, K)."""
        boxes, scores = self.detector.raw(image.permute(0, 3, 1, 2))
        return boxes[0], scores[0]


def _build(size: str, n_classes: int) -> YoloxDetector:
    """Build a YOLOX from random weights.

    Args:
        size: libreyolo's letter for it.
        n_classes: number of classes, without background.

    Raises:
        ModelError: libreyolo is not installed.
    """
    try:
        # Imported late: it brings some eighty other model families with it.
        from libreyolo.models.yolox.nn import LibreYOLOXModel
    except ImportError as error:
        raise ModelError(
            f'YOLOX needs libreyolo ({error}); install the extra: pip install "smearcount[yolo]".'
        ) from None
    return YoloxDetector(LibreYOLOXModel(size, nb_classes=n_classes))


YOLOX_ARCHITECTURES: Final = tuple(
    Architecture(
        name=name,
        build=partial(_build, size),
        recipe="yolox",
        rbc_px=TYPICAL_RBC_PX,
        stride=DEEPEST_STRIDE,
        receptive_px=RECEPTIVE_PX,
        iou_threshold=IOU_THRESHOLD,
        onnx_graph=_OnnxGraph,
    )
    for name, size in {"yolox_nano": "n", "yolox_s": "s"}.items()
)


def _to_bgr(images: Tensor) -> Tensor:
    return images.float().flip(1)


def _to_rows(targets: list[Target], device: torch.device) -> Tensor:
    """Return (B, M, 5): class from 0, center x, center y, width, height; zeros as padding."""
    most = max([1, *(len(target["labels"]) for target in targets)])
    rows = torch.zeros(len(targets), most, 5, device=device)
    for row, target in zip(rows, targets, strict=True):
        boxes = target["boxes"].to(device)
        sizes = boxes[:, 2:] - boxes[:, :2]
        has_area = sizes.amin(dim=1) > 0
        labels = target["labels"].to(device)[:, None] - 1
        cells = torch.cat([labels, (boxes[:, :2] + boxes[:, 2:]) / 2, sizes], dim=1)[has_area]
        row[: len(cells)] = cells
    return rows
