"""YOLOX (Ge et al. 2021) from libreyolo, an MIT-licensed library, behind our training loop.

Only its network and loss are used; data, schedule, averaging and evaluation are ours. Images go in
as the published YOLOX weights want them: BGR, 0 to 255.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from smearcount.errors import ModelError
from smearcount.training.networks.postprocess import cells_of
from smearcount.training.networks.protocol import Prediction, Target

YOLO_STRIDE: Final = 32
"""Input sides must be multiples of this: the deepest level's stride."""

YOLO_RECEPTIVE_PX: Final = 320
"""Tiles overlap by this; the network's pooling looks farther, but hardly acts on what it sees."""

YOLO_IOU: Final = 0.6


class YoloDetector(nn.Module):
    """YOLOX as a :class:`smearcount.training.networks.protocol.TrainableDetector`.

    Convolutions may run in bfloat16; boxes and losses are computed in float32.

    Args:
        model: libreyolo's ``LibreYOLOXModel``.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self.model.init_weights()
        self.model.head.export = True  # in evaluation, decoded boxes instead of raw maps
        outputs = ("cls_preds", "reg_preds", "obj_preds")
        for module in (model.backbone, *(m for name in outputs for m in getattr(model.head, name))):
            module.register_forward_hook(_in_float32)

    def losses(self, images: Tensor, targets: list[Target]) -> dict[str, Tensor]:
        """Return YOLOX's losses of a batch: overlap, objectness and class."""
        head = self.model.head
        maps, x_shifts, y_shifts, strides, plain = head.forward_train_maps(
            self.model.backbone(_as_yolox_wants(images))
        )
        with torch.autocast(images.device.type, enabled=False):
            losses = head.get_losses(
                None, x_shifts, y_shifts, strides, _rows(targets, images.device), maps, plain,
                dtype=torch.float32,
            )  # fmt: skip
        return {
            "box": losses["iou_loss"],
            "object": losses["obj_loss"],
            "class": losses["cls_loss"],
        }

    def raw(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return boxes (B, N, 4) xyxy px and scores (B, N, K) at every location.

        Args:
            images: (B, 3, H, W) RGB in 0..255, H and W multiples of 32.
        """
        out = self.model(_as_yolox_wants(images))
        centre, size = out[..., :2], out[..., 2:4]
        boxes = torch.cat([centre - size / 2, centre + size / 2], dim=2)
        return boxes, out[..., 4:5] * out[..., 5:]

    @torch.no_grad()
    def predict(self, images: Tensor) -> list[Prediction]:
        """Return the cells of each image; no limit."""
        boxes, scores = self.raw(images)
        return [cells_of(b, s, YOLO_IOU) for b, s in zip(boxes, scores, strict=True)]


def _build(size: str, n_classes: int) -> YoloDetector:
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
            f"YOLOX needs libreyolo ({error}); in the folder of smearcount, install the extra: "
            "pip install '.[yolo]'."
        ) from None
    return YoloDetector(LibreYOLOXModel(size, nb_classes=n_classes))


YOLO_BUILDERS: Final[dict[str, Callable[[int], YoloDetector]]] = {
    "yolox_nano": partial(_build, "n"),
    "yolox_s": partial(_build, "s"),
}
"""By name: builders from random weights, given the number of classes without background."""


def _as_yolox_wants(images: Tensor) -> Tensor:
    return images.float().flip(1)


def _in_float32(module: nn.Module, given: Any, out: Any) -> Any:
    return tree_map(lambda v: v.float() if isinstance(v, Tensor) else v, out)


def _rows(targets: list[Target], device: torch.device) -> Tensor:
    """Return (B, M, 5): class from 0, centre x, centre y, width, height; zeros as padding."""
    most = max([1, *(len(target["labels"]) for target in targets)])
    rows = torch.zeros(len(targets), most, 5, device=device)
    for row, target in zip(rows, targets, strict=True):
        boxes = target["boxes"].to(device)
        sides = boxes[:, 2:] - boxes[:, :2]
        real = sides.amin(dim=1) > 0
        cells = torch.cat(
            [target["labels"].to(device)[:, None] - 1, (boxes[:, :2] + boxes[:, 2:]) / 2, sides],
            dim=1,
        )[real]
        row[: len(cells)] = cells
    return rows
