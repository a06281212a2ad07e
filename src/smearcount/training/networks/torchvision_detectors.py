"""Torchvision's detectors, without their limits on how many cells they find.

Torchvision keeps at most 100 to 300 detections of an image; a blood smear has more cells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import MobileNet_V3_Large_Weights, ResNet50_Weights, VGG16_Weights
from torchvision.models import detection as tv
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.ssd import SSDClassificationHead

from smearcount.detector.inference import SCORE_FLOOR
from smearcount.training.networks.postprocess import best_class, output_in_float32
from smearcount.training.networks.pretrained import download
from smearcount.training.networks.protocol import (
    Architecture,
    Prediction,
    State,
    Target,
    TrainableDetector,
)

MAX_DETECTIONS: Final = 5000
"""Candidates and detections allowed per image."""

MAX_SECOND_STAGE_BOXES: Final = 2000
"""Boxes of an image that Faster R-CNN's second stage looks at."""

MIN_BOX_SIDE_PX: Final = 1.0
"""Boxes with a shorter side never reach a network: some divide by it."""

_RESIZE: Final = {"min_size": 480, "max_size": 1333}
"""To which size torchvision's larger networks bring images: the shorter side, at most the longer.

A microscope field of 640 × 480 is shown as it is; cells are large, so the 800 px that torchvision
proposes for photographs of streets would only cost time.
"""

_LIMITS: Final = {
    "score_thresh": SCORE_FLOOR,
    "topk_candidates": MAX_DETECTIONS,
    "detections_per_img": MAX_DETECTIONS,
}

_OUTPUTS: Final = ("backbone", "head", "rpn.head", "roi_heads.box_predictor")
"""Modules whose output is taken in float32."""


class TorchvisionDetector(TrainableDetector):
    """One of torchvision's detectors as a :class:`.protocol.TrainableDetector`.

    Its state dict has torchvision's own keys, and called it is torchvision's own detector, with its
    suppression within each class. :meth:`predict` gives each cell one class instead. Convolutions
    may run in bfloat16; boxes, anchors and losses are computed in float32.

    Args:
        model: takes a list of images in [0, 1] and, in training, targets.
        iou_threshold: overlap above which :meth:`predict` drops the weaker of two boxes.
    """

    stride = 1

    def __init__(self, model: nn.Module, iou_threshold: float = 0.5) -> None:
        super().__init__()
        self.model = model
        self.iou_threshold = iou_threshold
        self.register_state_dict_post_hook(_with_torchvision_keys)  # type: ignore[no-untyped-call]
        self.register_load_state_dict_pre_hook(_with_own_keys)  # type: ignore[no-untyped-call]
        for name, module in model.named_modules():
            if name in _OUTPUTS:
                output_in_float32(module)

    def forward(self, images: Sequence[Tensor], targets: Sequence[Any] | None = None) -> Any:
        """Return what torchvision's detector returns; see :class:`.protocol.TrainableDetector`."""
        return self.model(list(images), None if targets is None else list(targets))

    def losses(self, images: Tensor, targets: list[Target]) -> dict[str, Tensor]:
        """Return torchvision's own losses of a batch.

        Torchvision resizes each image by itself, so padding is cut off first: else a small picture
        would be resized together with its padding here, and without it when it is counted.
        """
        unpadded = []
        for image, target in zip(images.float() / 255, targets, strict=True):
            height, width = target.get("size", image.shape[1:])
            unpadded.append(image[:, :height, :width])
        losses: dict[str, Tensor] = self.model(unpadded, [_without_degenerate(t) for t in targets])
        return losses

    @torch.no_grad()
    def candidates(self, images: Tensor) -> list[Prediction]:
        """Return the cells of each image, as torchvision suppresses them within each class."""
        predictions: list[dict[str, Tensor]] = self.model(list(images.float() / 255))
        return [_without_background(prediction) for prediction in predictions]


_INNER: Final = "model."
"""What the names of parameters begin with; files written before have it in their keys."""


def _with_torchvision_keys(
    module: nn.Module, state: dict[str, Any], prefix: str, metadata: dict[str, Any]
) -> None:
    """Name the entries of a state dict as torchvision names them, in place."""
    own = [name for name in state if name.startswith(prefix + _INNER)]
    for name in own:
        state[prefix + name.removeprefix(prefix + _INNER)] = state.pop(name)


def _with_own_keys(module: nn.Module, state: dict[str, Any], prefix: str, *unused: object) -> None:
    """Name the entries of torchvision's state dict as the wrapped model's, in place."""
    for name in [name for name in state if name.startswith(prefix)]:
        if not name.startswith(prefix + _INNER):
            state[prefix + _INNER + name.removeprefix(prefix)] = state.pop(name)


def _without_degenerate(target: Target) -> dict[str, Tensor]:
    """Leave out boxes that some networks would divide by."""
    sizes = target["boxes"][:, 2:] - target["boxes"][:, :2]
    usable = sizes.amin(dim=1) >= MIN_BOX_SIDE_PX
    return {"boxes": target["boxes"][usable], "labels": target["labels"][usable]}


def _without_background(prediction: dict[str, Tensor]) -> Prediction:
    """Leave out label 0, which RetinaNet and FCOS can predict although nothing teaches it."""
    cells = prediction["labels"] > 0
    return {
        "boxes": prediction["boxes"][cells],
        "labels": prediction["labels"][cells],
        "scores": prediction["scores"][cells],
    }


class SsdDetector(TorchvisionDetector):
    """An SSD: it resizes images to a fixed size, so one fixed graph can hold it."""

    def raw(self, images: Tensor, anchors: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return boxes (B, N, 4) xyxy px and scores (B, N, K) at every anchor.

        Args:
            images: (B, 3, H, W) RGB in 0..255.
            anchors: (N, 4) in pixels of the fixed size; None computes them.
        """
        model: Any = self.model
        width, height = model.transform.fixed_size
        mean, std = (
            torch.tensor(values, device=images.device).view(1, 3, 1, 1)
            for values in (model.transform.image_mean, model.transform.image_std)
        )
        resized = F.interpolate(
            (images.float() / 255 - mean) / std,
            (height, width),
            mode="bilinear",
            align_corners=False,
        )
        features = list(model.backbone(resized).values())
        out = model.head(features)
        if anchors is None:
            sizes = [(height, width)] * len(images)
            anchors = model.anchor_generator(ImageList(resized, sizes), features)[0]
        assert anchors is not None
        every = anchors.repeat(len(images), 1)
        boxes = model.box_coder.decode_single(out["bbox_regression"].flatten(0, 1), every)
        left, top, right, bottom = boxes.unflatten(0, (len(images), -1)).unbind(2)
        across, down = images.shape[3] / width, images.shape[2] / height
        scaled = torch.stack([left * across, top * down, right * across, bottom * down], dim=2)
        return scaled, out["cls_logits"].softmax(dim=2)[:, :, 1:]

    @torch.no_grad()
    def candidates(self, images: Tensor) -> list[Prediction]:
        """Return the box of every anchor with its best class, before NMS."""
        boxes, scores = self.raw(images)
        return [best_class(b, s) for b, s in zip(boxes, scores, strict=True)]


class _SsdOnnxGraph(nn.Module):
    """An SSD with the inputs and outputs of the ONNX file."""

    def __init__(self, detector: Any) -> None:
        super().__init__()
        self.detector = detector
        width, height = detector.model.transform.fixed_size
        blank = torch.zeros(1, 3, height, width)
        with torch.no_grad():
            features = list(detector.model.backbone(blank).values())
        images = ImageList(blank, [(height, width)])
        self.anchors: Tensor
        self.register_buffer("anchors", detector.model.anchor_generator(images, features)[0])

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Map (1, H, W, 3) uint8 to boxes (n, 4) and scores (n, K)."""
        boxes, scores = self.detector.raw(image.permute(0, 3, 1, 2), self.anchors)
        return boxes[0], scores[0]


Build = Callable[..., nn.Module]
"""Takes the number of classes without background and, by name, ``backbone``: its weights."""


def _ssd300(n_classes: int, backbone: VGG16_Weights | None = None) -> nn.Module:
    model: Any = tv.ssd300_vgg16(weights=None, weights_backbone=backbone, **_LIMITS)
    # As the exercise does: built for COCO's 91 classes, then given a head for the cells.
    head = model.head.classification_head
    anchors = model.anchor_generator.num_anchors_per_location()
    channels = [level.in_channels for level in head.module_list]
    model.head.classification_head = SSDClassificationHead(channels, anchors, n_classes + 1)
    network: nn.Module = model
    return network


def _with_options(function: Build, **options: Any) -> Build:
    """Return a build of one of torchvision's functions, whose head takes any number of classes."""

    def build(n_classes: int, backbone: Any = None) -> nn.Module:
        return function(
            weights=None, weights_backbone=backbone, num_classes=n_classes + 1, **options
        )

    return build


@dataclass(frozen=True)
class _Model:
    """One of torchvision's detectors, its NMS threshold, and the weights published for it."""

    name: str
    build: Build
    iou_threshold: float
    coco: Any
    backbone: Any
    frozen: tuple[str, ...] = ()
    why_no_onnx: str = ""

    def architecture(self) -> Architecture:
        """Return it as one of our architectures."""
        kind = TorchvisionDetector if self.why_no_onnx else SsdDetector
        return Architecture(
            name=self.name,
            build=lambda n_classes: kind(self.build(n_classes), self.iou_threshold),
            recipe=self.name,
            iou_threshold=self.iou_threshold,
            published_weights=partial(_published_weights, self),
            frozen=tuple(f"model.{prefix}" for prefix in self.frozen),
            onnx_graph=None if self.why_no_onnx else _SsdOnnxGraph,
            why_no_onnx=self.why_no_onnx,
        )


def _published_weights(model: _Model, kind: str) -> State:
    """Return torchvision's published weights of a detector, named as in our module."""
    if kind == "coco":
        return download(model.coco.url)
    download(model.backbone.url)
    # torchvision knows where the entries of a classifier lie in its detector.
    donor = model.build(1, backbone=model.backbone).get_submodule("backbone")
    return {f"backbone.{name}": value for name, value in donor.state_dict().items()}


_RESNET_STEM: Final = ("backbone.body.conv1.", "backbone.body.bn1.", "backbone.body.layer1.")
_ANY_SIZE: Final = "the size at which it looks depends on each image"

_MODELS: Final = (
    _Model(
        "ssd300_vgg16",
        _ssd300,
        0.45,
        tv.SSD300_VGG16_Weights.COCO_V1,
        VGG16_Weights.IMAGENET1K_FEATURES,
        frozen=("backbone.features.0.", "backbone.features.2."),
    ),
    _Model(
        "ssdlite320_mobilenet_v3_large",
        _with_options(tv.ssdlite320_mobilenet_v3_large, **_LIMITS),
        0.55,
        tv.SSDLite320_MobileNet_V3_Large_Weights.COCO_V1,
        MobileNet_V3_Large_Weights.IMAGENET1K_V1,
    ),
    _Model(
        "fasterrcnn_resnet50_fpn_v2",
        _with_options(
            tv.fasterrcnn_resnet50_fpn_v2,
            rpn_pre_nms_top_n_test=MAX_DETECTIONS,
            rpn_post_nms_top_n_test=MAX_SECOND_STAGE_BOXES,
            box_score_thresh=SCORE_FLOOR,
            box_detections_per_img=MAX_DETECTIONS,
            **_RESIZE,
        ),
        0.5,
        tv.FasterRCNN_ResNet50_FPN_V2_Weights.COCO_V1,
        ResNet50_Weights.IMAGENET1K_V1,
        frozen=_RESNET_STEM,
        why_no_onnx="its second stage looks again at boxes that the first one chose, after "
        "suppression, which one fixed graph cannot hold",
    ),
    _Model(
        "retinanet_resnet50_fpn_v2",
        _with_options(tv.retinanet_resnet50_fpn_v2, **_LIMITS, **_RESIZE),
        0.5,
        tv.RetinaNet_ResNet50_FPN_V2_Weights.COCO_V1,
        ResNet50_Weights.IMAGENET1K_V1,
        frozen=_RESNET_STEM,
        why_no_onnx=_ANY_SIZE,
    ),
    _Model(
        "fcos_resnet50_fpn",
        _with_options(tv.fcos_resnet50_fpn, **_LIMITS, **_RESIZE),
        0.6,
        tv.FCOS_ResNet50_FPN_Weights.COCO_V1,
        ResNet50_Weights.IMAGENET1K_V1,
        frozen=_RESNET_STEM,
        why_no_onnx=_ANY_SIZE,
    ),
)

TORCHVISION_ARCHITECTURES: Final = tuple(model.architecture() for model in _MODELS)
