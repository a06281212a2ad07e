"""ONNX files of the networks that are not ours, where their architecture allows one.

The contract is that of :mod:`.onnx_export`: input ``image``, uint8 (1, H, W, 3);
outputs ``boxes`` (n, 4) xyxy in input pixels and ``scores`` (n, K), before suppression.
"""

from __future__ import annotations

import copy
import warnings
from pathlib import Path
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.detection.image_list import ImageList

from smearcount.errors import ModelError
from smearcount.training.export.onnx_export import check_agreement
from smearcount.training.networks.torchvision_detectors import TorchvisionDetector
from smearcount.training.networks.yolox import YOLO_STRIDE, YoloDetector

_NO_ONNX: Final = {
    "fasterrcnn_resnet50_fpn_v2": "its second stage looks again at boxes that the first one chose, "
    "after suppression, which one fixed graph cannot hold",
    "retinanet_resnet50_fpn_v2": "the size at which it looks depends on each image",
    "fcos_resnet50_fpn": "the size at which it looks depends on each image",
}


def why_no_onnx(arch: str) -> str:
    """Return why an architecture cannot be exported, as a sentence; empty if it can."""
    reason = _NO_ONNX.get(arch, "")
    return f"{arch}: no ONNX file, since {reason}; the .pth file counts as well." if reason else ""


class _SsdGraph(nn.Module):
    """An SSD with the file's inputs and outputs; it stretches every image to its fixed view."""

    def __init__(self, detector: TorchvisionDetector) -> None:
        super().__init__()
        model: Any = detector.model
        self.backbone = model.backbone
        self.head = model.head
        self.coder = model.box_coder
        width, height = model.transform.fixed_size
        self.view = (height, width)
        mean, std = model.transform.image_mean, model.transform.image_std
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(std).view(1, 3, 1, 1))
        blank = torch.zeros(1, 3, height, width)
        with torch.no_grad():
            features = list(self.backbone(blank).values())
        (anchors,) = model.anchor_generator(ImageList(blank, [self.view]), features)
        self.register_buffer("anchors", anchors)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Map (1, H, W, 3) uint8 to boxes (n, 4) and scores (n, K)."""
        planes = (image.permute(0, 3, 1, 2).float() / 255 - self.mean) / self.deviation
        planes = F.interpolate(planes, self.view, mode="bilinear", align_corners=False)
        out = self.head(list(self.backbone(planes).values()))
        boxes = self.coder.decode_single(out["bbox_regression"][0], self.anchors)
        share = boxes / torch.tensor([self.view[1], self.view[0]] * 2)
        left, top, right, bottom = share.unbind(1)
        width, height = image.shape[2], image.shape[1]
        scaled = torch.stack([left * width, top * height, right * width, bottom * height], dim=1)
        return scaled, out["cls_logits"][0].softmax(dim=1)[:, 1:]


class _YoloGraph(nn.Module):
    """YOLOX with the file's inputs and outputs."""

    def __init__(self, detector: YoloDetector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Map (1, H, W, 3) uint8 to boxes (n, 4) and scores (n, K)."""
        boxes, scores = self.detector.raw(image.permute(0, 3, 1, 2))
        return boxes[0], scores[0]


def export_torchvision(network: nn.Module, path: Path) -> None:
    """Write one of the networks that are not ours as ONNX.

    Raises:
        ModelError: its architecture allows none, or the file would not answer as torch does.
    """
    kept = copy.deepcopy(network).eval().cpu().float()
    if isinstance(kept, YoloDetector):
        graph: nn.Module = _YoloGraph(kept).eval()
        multiple = YOLO_STRIDE
    elif isinstance(kept, TorchvisionDetector) and hasattr(kept.model, "anchor_generator"):
        graph, multiple = _SsdGraph(kept).eval(), 1
    else:
        raise ModelError(f"{type(network).__name__}: this network cannot be written as ONNX.")
    sides = (
        {
            1: multiple * torch.export.Dim("h", max=1024),
            2: multiple * torch.export.Dim("w", max=1024),
        }
        if multiple > 1
        else {
            1: torch.export.Dim("height", min=32, max=16384),
            2: torch.export.Dim("width", min=32, max=16384),
        }
    )
    example = torch.randint(0, 256, (1, 8 * YOLO_STRIDE, 9 * YOLO_STRIDE, 3), dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            graph,
            (example,),
            input_names=["image"],
            output_names=["boxes", "scores"],
            dynamic_shapes={"image": sides},
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    payload = program.model_proto.SerializeToString()
    check_agreement(graph, payload, sizes=((96, 160), (224, 192)))
    path.write_bytes(payload)
