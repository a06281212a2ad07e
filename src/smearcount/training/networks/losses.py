"""What smearnet minimizes: a class loss and two box losses."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import complete_box_iou_loss

from smearcount.training.networks.assigner import PaddedTargets, assign

CLASS_WEIGHT, IOU_WEIGHT, DFL_WEIGHT = 0.5, 7.5, 1.5


def detection_losses(
    class_logits: Tensor,
    ltrb_logits: Tensor,
    boxes: Tensor,
    anchor_points: Tensor,
    targets: PaddedTargets,
    stride: int,
) -> dict[str, Tensor]:
    """Return the weighted losses of a batch.

    Args:
        class_logits: (B, N, K).
        ltrb_logits: (B, N, 4, bins), distributions of the distances to left, top, right and bottom,
            in strides.
        boxes: (B, N, 4) decoded from ``ltrb_logits``, xyxy px.
        anchor_points: (N, 2) px.
        targets: the cells.
        stride: pixels per bin.

    Returns:
        ``class``: binary cross-entropy against the target scores; ``box``: complete IoU loss
        (Zheng et al. 2020); ``sides``: distribution focal loss (Li et al. 2020). All are divided
        by the sum of the target scores. The names are columns of ``curves.csv``.
    """
    assigned = assign(class_logits.detach().sigmoid(), boxes.detach(), anchor_points, targets)
    total = assigned.scores.sum().clamp(min=1)
    class_loss = F.binary_cross_entropy_with_logits(class_logits, assigned.scores, reduction="sum")
    weight = assigned.scores.sum(dim=2)[assigned.positive]
    true_boxes = assigned.boxes[assigned.positive]
    iou_loss = complete_box_iou_loss(boxes[assigned.positive], true_boxes) * weight
    points = anchor_points.expand(len(boxes), -1, -1)[assigned.positive]
    ltrb = torch.cat([points - true_boxes[:, :2], true_boxes[:, 2:] - points], dim=1) / stride
    dfl = distribution_focal_loss(ltrb_logits[assigned.positive], ltrb) * weight
    return {
        "class": CLASS_WEIGHT * class_loss / total,
        "box": IOU_WEIGHT * iou_loss.sum() / total,
        "sides": DFL_WEIGHT * dfl.sum() / total,
    }


def distribution_focal_loss(logits: Tensor, distances: Tensor) -> Tensor:
    """Return the cross-entropy of distance distributions with the two bins around the truth.

    Args:
        logits: (n, 4, bins).
        distances: (n, 4) true distances in bins.

    Returns:
        (n,), the mean over the four distances.
    """
    distances = distances.clamp(0, logits.shape[2] - 1.01)
    lower = distances.floor().long()
    upper_share = distances - lower
    log_share = logits.log_softmax(dim=2)
    at_lower = log_share.gather(2, lower[..., None])[..., 0]
    at_upper = log_share.gather(2, lower[..., None] + 1)[..., 0]
    return -(at_lower * (1 - upper_share) + at_upper * upper_share).mean(dim=1)
