"""From raw boxes and scores at every location to cells, for single-stage networks."""

from __future__ import annotations

from torch import Tensor
from torchvision.ops import nms

from smearcount.detector.detector import SCORE_FLOOR
from smearcount.training.networks.protocol import Prediction


def cells_of(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Prediction:
    """Keep the best class of each location and the best box of each cell; without any limit.

    Args:
        boxes: (N, 4) xyxy px.
        scores: (N, K) in [0, 1].
        iou_threshold: overlap above which the weaker box goes, whatever its class.
    """
    best, labels = scores.max(dim=1)
    chosen = best >= SCORE_FLOOR
    boxes, best, labels = boxes[chosen], best[chosen], labels[chosen]
    kept = nms(boxes, best, iou_threshold)
    return {"boxes": boxes[kept], "labels": labels[kept] + 1, "scores": best[kept]}
