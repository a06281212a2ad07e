"""From the raw outputs of a network to candidates."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.utils._pytree import tree_map

from smearcount.detector.inference import SCORE_FLOOR
from smearcount.training.networks.protocol import Prediction


def best_class(boxes: Tensor, scores: Tensor) -> Prediction:
    """Give each box the class of its best score; boxes whose best score is hopeless are left out.

    Args:
        boxes: (N, 4) xyxy px.
        scores: (N, K) in [0, 1].
    """
    best_scores, labels = scores.max(dim=1)
    plausible = best_scores >= SCORE_FLOOR
    return {
        "boxes": boxes[plausible],
        "labels": labels[plausible] + 1,
        "scores": best_scores[plausible],
    }


def output_in_float32(module: nn.Module) -> None:
    """Let a module hand on its output in float32, whatever precision it computes in.

    Eight bits of bfloat16 cannot tell one pixel from the next, so boxes and losses need more.
    """
    module.register_forward_hook(_as_float32)


def _as_float32(module: nn.Module, inputs: Any, output: Any) -> Any:
    return tree_map(lambda value: value.float() if isinstance(value, Tensor) else value, output)
