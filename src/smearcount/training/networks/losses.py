"""What smearnet minimises: a class loss and two box losses."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import complete_box_iou_loss

from smearcount.training.networks.assigner import PaddedTargets, assign

CLASS_WEIGHT, BOX_WEIGHT, SIDE_WEIGHT = 0.5, 7.5, 1.5


def detection_losses(
    class_logits: Tensor,
    side_logits: Tensor,
    boxes: Tensor,
    locations: Tensor,
    targets: PaddedTargets,
    stride: int,
) -> dict[str, Tensor]:
    """Return the weighted losses of a batch.

    Args:
        class_logits: (B, N, K).
        side_logits: (B, N, 4, bins), distances to left, top, right, bottom in strides.
        boxes: (B, N, 4) decoded from ``side_logits``, xyxy px.
        locations: (N, 2) px.
        targets: the cells.
        stride: pixels per bin.

    Returns:
        ``class``: binary cross-entropy against the aligned scores; ``box``: complete IoU loss
        (Zheng et al. 2020); ``sides``: distribution focal loss (Li et al. 2020). All are divided
        by the sum of the wanted scores.
    """
    wanted = assign(class_logits.detach().sigmoid(), boxes.detach(), locations, targets)
    total = wanted.scores.sum().clamp(min=1)
    class_loss = F.binary_cross_entropy_with_logits(class_logits, wanted.scores, reduction="sum")
    weight = wanted.scores.sum(dim=2)[wanted.positive]
    truth = wanted.boxes[wanted.positive]
    box_loss = complete_box_iou_loss(boxes[wanted.positive], truth) * weight
    where = locations.expand(len(boxes), -1, -1)[wanted.positive]
    sides = torch.cat([where - truth[:, :2], truth[:, 2:] - where], dim=1) / stride
    side_loss = side_distribution_loss(side_logits[wanted.positive], sides) * weight
    return {
        "class": CLASS_WEIGHT * class_loss / total,
        "box": BOX_WEIGHT * box_loss.sum() / total,
        "sides": SIDE_WEIGHT * side_loss.sum() / total,
    }


def side_distribution_loss(logits: Tensor, sides: Tensor) -> Tensor:
    """Return the cross-entropy of each location's sides with the two bins around the truth.

    Args:
        logits: (n, 4, bins).
        sides: (n, 4) true distances in bins.

    Returns:
        (n,), the mean over the four sides.
    """
    sides = sides.clamp(0, logits.shape[2] - 1.01)
    lower = sides.floor().long()
    upper_share = sides - lower
    log_share = logits.log_softmax(dim=2)
    at_lower = log_share.gather(2, lower[..., None])[..., 0]
    at_upper = log_share.gather(2, lower[..., None] + 1)[..., 0]
    return -(at_lower * (1 - upper_share) + at_upper * upper_share).mean(dim=1)
