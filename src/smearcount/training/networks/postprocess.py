"""From the raw outputs of a network to predicted cells."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.utils._pytree import tree_map
from torchvision.ops import nms

from smearcount.detector.inference import SCORE_FLOOR
from smearcount.training.networks.protocol import Prediction


def suppress(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Prediction:
    """Take the best class of each anchor point, then suppress overlapping boxes of all classes.

    The number of cells has no limit.

    Args:
        boxes: (N, 4) xyxy px.
        scores: (N, K) in [0, 1].
        iou_threshold: overlap above which the weaker box goes, whatever its class.
    """
    best_scores, labels = scores.max(dim=1)
    plausible = best_scores >= SCORE_FLOOR
    boxes, best_scores, labels = boxes[plausible], best_scores[plausible], labels[plausible]
    kept = nms(boxes, best_scores, iou_threshold)
    return {"boxes": boxes[kept], "labels": labels[kept] + 1, "scores": best_scores[kept]}


def output_in_float32(module: nn.Module) -> None:
    """Let a module hand on its output in float32, whatever precision it computes in.

    Eight bits of bfloat16 cannot tell one pixel from the next, so boxes and losses need more.
    """
    module.register_forward_hook(_as_float32)


def _as_float32(module: nn.Module, inputs: Any, output: Any) -> Any:
    return tree_map(lambda value: value.float() if isinstance(value, Tensor) else value, output)
