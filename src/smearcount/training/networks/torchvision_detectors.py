"""Torchvision's detectors, made to count: every ceiling raised, every degenerate box kept out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map
from torchvision.models import MobileNet_V3_Large_Weights, ResNet50_Weights, VGG16_Weights
from torchvision.models import detection as tv
from torchvision.models.detection.ssd import SSDClassificationHead

from smearcount.detector.detector import SCORE_FLOOR
from smearcount.training.networks.pretrained import BACKBONE, State, download
from smearcount.training.networks.protocol import Prediction, Target

CEILING: Final = 5000
"""Candidates and detections allowed per image: torchvision stops at 100 to 300 by itself."""

_SIDES: Final = {"min_size": 480, "max_size": 1333}
"""To which size torchvision's larger networks bring images: the shorter side, at most the longer.

A microscope field of 640 × 480 is shown as it is; cells are large, so the 800 px that torchvision
proposes for photographs of streets would only cost time.
"""

SMALLEST_SIDE_PX: Final = 1.0
"""Boxes with a shorter side never reach a network: some divide by it."""


class TorchvisionDetector(nn.Module):
    """One of torchvision's detectors as a :class:`.protocol.TrainableDetector`.

    Its convolutions may run in bfloat16; boxes, anchors and losses are computed in float32, since
    eight bits cannot tell one pixel from the next.

    Args:
        model: takes a list of images in [0, 1] and, in training, targets.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        heads = ("backbone", "head", "rpn.head", "roi_heads.box_predictor")
        for name, module in model.named_modules():
            if name in heads:
                module.register_forward_hook(_in_float32)

    def losses(self, images: Tensor, targets: list[Target]) -> dict[str, Tensor]:
        """Return torchvision's own losses of a batch.

        Torchvision brings each image to its size by itself, so padding is cut off first: else a
        small picture would be taught as a corner of its view, and shown whole when it counts.
        """
        views = []
        for image, target in zip(images.float() / 255, targets, strict=True):
            height, width = target.get("size", image.shape[1:])
            views.append(image[:, :height, :width])
        whole = [_without_degenerate(target) for target in targets]
        losses: dict[str, Tensor] = self.model(views, whole)
        return losses

    @torch.no_grad()
    def predict(self, images: Tensor) -> list[Prediction]:
        """Return the cells of each image, as torchvision suppresses them within each class."""
        found: list[dict[str, Tensor]] = self.model(list(images.float() / 255))
        return [_cells_alone(each) for each in found]


def _cells_alone(found: dict[str, Tensor]) -> Prediction:
    """Leave out label 0, which RetinaNet and FCOS can say although nothing teaches it."""
    cells = found["labels"] > 0
    return {
        "boxes": found["boxes"][cells],
        "labels": found["labels"][cells],
        "scores": found["scores"][cells],
    }


def _in_float32(module: nn.Module, given: Any, out: Any) -> Any:
    return tree_map(lambda v: v.float() if isinstance(v, Tensor) else v, out)


def _without_degenerate(target: Target) -> dict[str, Tensor]:
    sides = target["boxes"][:, 2:] - target["boxes"][:, :2]
    real = sides.amin(dim=1) >= SMALLEST_SIDE_PX
    return {"boxes": target["boxes"][real], "labels": target["labels"][real]}


_RAISED: Final = {
    "score_thresh": SCORE_FLOOR,
    "topk_candidates": CEILING,
    "detections_per_img": CEILING,
}

Build = Callable[..., nn.Module]
"""Takes the number of classes without background and, by name, ``backbone``: its weights."""


def _ssd300(n_classes: int, backbone: VGG16_Weights | None = None) -> nn.Module:
    model: Any = tv.ssd300_vgg16(weights=None, weights_backbone=backbone, **_RAISED)
    # As the exercise does: built for COCO's 91 classes, then given a head for the cells.
    head = model.head.classification_head
    anchors = model.anchor_generator.num_anchors_per_location()
    channels = [level.in_channels for level in head.module_list]
    model.head.classification_head = SSDClassificationHead(channels, anchors, n_classes + 1)
    made: nn.Module = model
    return made


def _as_is(make: Build, **options: Any) -> Build:
    """Return a build of one of torchvision's functions, whose head takes any number of classes."""

    def build(n_classes: int, backbone: Any = None) -> nn.Module:
        return make(weights=None, weights_backbone=backbone, num_classes=n_classes + 1, **options)

    return build


_MODELS: Final[dict[str, Build]] = {
    "ssd300_vgg16": _ssd300,
    "ssdlite320_mobilenet_v3_large": _as_is(tv.ssdlite320_mobilenet_v3_large, **_RAISED),
    "fasterrcnn_resnet50_fpn_v2": _as_is(
        tv.fasterrcnn_resnet50_fpn_v2,
        rpn_pre_nms_top_n_test=CEILING,
        rpn_post_nms_top_n_test=2000,
        box_score_thresh=SCORE_FLOOR,
        box_detections_per_img=CEILING,
        **_SIDES,
    ),
    "retinanet_resnet50_fpn_v2": _as_is(tv.retinanet_resnet50_fpn_v2, **_RAISED, **_SIDES),
    "fcos_resnet50_fpn": _as_is(tv.fcos_resnet50_fpn, **_RAISED, **_SIDES),
}

_COCO: Final = {
    "ssd300_vgg16": tv.SSD300_VGG16_Weights.COCO_V1,
    "ssdlite320_mobilenet_v3_large": tv.SSDLite320_MobileNet_V3_Large_Weights.COCO_V1,
    "fasterrcnn_resnet50_fpn_v2": tv.FasterRCNN_ResNet50_FPN_V2_Weights.COCO_V1,
    "retinanet_resnet50_fpn_v2": tv.RetinaNet_ResNet50_FPN_V2_Weights.COCO_V1,
    "fcos_resnet50_fpn": tv.FCOS_ResNet50_FPN_Weights.COCO_V1,
}

_BACKBONE: Final = {
    "ssd300_vgg16": VGG16_Weights.IMAGENET1K_FEATURES,
    "ssdlite320_mobilenet_v3_large": MobileNet_V3_Large_Weights.IMAGENET1K_V1,
    "fasterrcnn_resnet50_fpn_v2": ResNet50_Weights.IMAGENET1K_V1,
    "retinanet_resnet50_fpn_v2": ResNet50_Weights.IMAGENET1K_V1,
    "fcos_resnet50_fpn": ResNet50_Weights.IMAGENET1K_V1,
}

_EARLY_RESNET: Final = ("backbone.body.conv1.", "backbone.body.bn1.", "backbone.body.layer1.")

_FROZEN: Final[dict[str, tuple[str, ...]]] = {
    "ssd300_vgg16": ("backbone.features.0.", "backbone.features.2."),
    "ssdlite320_mobilenet_v3_large": (),
    "fasterrcnn_resnet50_fpn_v2": _EARLY_RESNET,
    "retinanet_resnet50_fpn_v2": _EARLY_RESNET,
    "fcos_resnet50_fpn": _EARLY_RESNET,
}


def _builder(name: str) -> Callable[[int], TorchvisionDetector]:
    def build(n_classes: int) -> TorchvisionDetector:
        return TorchvisionDetector(_MODELS[name](n_classes))

    return build


TORCHVISION_BUILDERS: Final = {name: _builder(name) for name in _MODELS}
"""The builders of all of them, from random weights, by name."""


def published(arch: str, kind: str) -> State | None:
    """Return torchvision's published weights of an architecture, named as in our module.

    Args:
        arch: a name of :data:`TORCHVISION_BUILDERS`.
        kind: ``coco`` or ``backbone``.

    Returns:
        None for an architecture that is not torchvision's.

    Raises:
        DownloadError: the download failed or does not match its published digest.
    """
    if arch not in _MODELS:
        return None
    if kind == BACKBONE:
        download(_BACKBONE[arch].url)
        # torchvision knows where the entries of a classifier lie in its detector.
        donor = _MODELS[arch](1, backbone=_BACKBONE[arch]).get_submodule("backbone")
        return {f"model.backbone.{name}": value for name, value in donor.state_dict().items()}
    return {f"model.{name}": value for name, value in download(_COCO[arch].url).items()}


def freeze_early(network: nn.Module, arch: str) -> None:
    """Keep the earliest stages of published weights as they are, as torchvision does."""
    for name, parameter in network.named_parameters():
        if name.removeprefix("model.").startswith(_FROZEN.get(arch, ())):
            parameter.requires_grad = False
