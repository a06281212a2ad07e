"""Which anchor points learn which cell: task-aligned assignment (Feng et al. 2021, TOOD)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from smearcount.training.networks.protocol import Target


class PaddedTargets(NamedTuple):
    """The cells of a batch, padded to the image with most cells.

    Attributes:
        boxes: (B, M, 4) xyxy in pixels.
        labels: (B, M), 0-based.
        is_cell: (B, M), False where the row is padding.
    """

    boxes: Tensor
    labels: Tensor
    is_cell: Tensor


class Assignment(NamedTuple):
    """What each anchor point is to predict.

    Attributes:
        scores: (B, N, K) in [0, 1]: the target score of each class, 0 for background.
        boxes: (B, N, 4) xyxy: the target box; meaningless for background.
        positive: (B, N), True where the anchor point learns a cell.
    """

    scores: Tensor
    boxes: Tensor
    positive: Tensor


def pad_targets(targets: list[Target], device: torch.device) -> PaddedTargets:
    """Stack the targets of a batch, padding each image to the same number of cells."""
    most = max([1, *(len(target["labels"]) for target in targets)])
    boxes = torch.zeros(len(targets), most, 4, device=device)
    labels = torch.zeros(len(targets), most, dtype=torch.int64, device=device)
    is_cell = torch.zeros(len(targets), most, dtype=torch.bool, device=device)
    for row, target in enumerate(targets):
        n = len(target["labels"])
        boxes[row, :n] = target["boxes"].to(device)
        labels[row, :n] = target["labels"].to(device) - 1
        is_cell[row, :n] = True
    return PaddedTargets(boxes, labels, is_cell)


def pairwise_iou(first: Tensor, second: Tensor) -> Tensor:
    """Return IoU of (B, M, 4) against (B, N, 4) as (B, M, N)."""
    low = torch.maximum(first[:, :, None, :2], second[:, None, :, :2])
    high = torch.minimum(first[:, :, None, 2:], second[:, None, :, 2:])
    intersection = (high - low).clamp(min=0).prod(dim=3)
    first_area = (first[..., 2:] - first[..., :2]).clamp(min=0).prod(dim=2)
    second_area = (second[..., 2:] - second[..., :2]).clamp(min=0).prod(dim=2)
    union = first_area[:, :, None] + second_area[:, None, :] - intersection
    return intersection / union.clamp(min=1e-9)


@torch.no_grad()
def assign(
    scores: Tensor, boxes: Tensor, anchor_points: Tensor, targets: PaddedTargets, topk: int = 10
) -> Assignment:
    """Give each cell those anchor points inside it that already predict it best.

    The alignment of an anchor point with a cell is score^0.5 · IoU^6. Each cell takes its ``topk``
    best aligned anchor points; one that several cells take goes to the cell that its box overlaps
    most. The target score is the alignment, scaled per cell so that its best anchor point has a
    target of 1. TOOD scales to the cell's best IoU instead; but a score that depends on the cell
    alone is learned sooner, and small cells, whose boxes are never tight, do not learn low scores.

    Args:
        scores: (B, N, K) predicted class scores in [0, 1].
        boxes: (B, N, 4) predicted boxes, xyxy px.
        anchor_points: (N, 2) in pixels.
        targets: the cells.
        topk: how many anchor points one cell may take.
    """
    batch, n_points, n_classes = scores.shape
    to_left_top = anchor_points[None, None] - targets.boxes[:, :, None, :2]
    to_right_bottom = targets.boxes[:, :, None, 2:] - anchor_points[None, None]
    inside = torch.cat([to_left_top, to_right_bottom], dim=3).amin(dim=3) > 0
    candidate = inside & targets.is_cell[:, :, None]  # B M N
    overlap = pairwise_iou(targets.boxes, boxes) * candidate
    cell_class = targets.labels[:, :, None].expand(-1, -1, n_points)
    class_score = scores.transpose(1, 2).gather(1, cell_class)
    alignment = class_score.clamp(min=1e-9).sqrt() * overlap.pow(6)

    best = alignment.topk(min(topk, n_points), dim=2).indices
    taken = torch.zeros_like(candidate).scatter_(2, best, True) & candidate  # B M N
    contested = taken.sum(dim=1, keepdim=True) > 1
    closest = torch.zeros_like(taken)
    closest.scatter_(1, (overlap * taken).argmax(dim=1, keepdim=True), True)
    taken = torch.where(contested, taken & closest, taken)

    positive = taken.any(dim=1)
    cell_index = taken.to(torch.uint8).argmax(dim=1)  # B N
    rows = torch.arange(batch, device=scores.device)[:, None]
    alignment = alignment * taken
    tiny = torch.finfo(alignment.dtype).tiny
    scaled = alignment / alignment.amax(dim=2, keepdim=True).clamp(min=tiny)
    point_scores = scaled.amax(dim=1) * positive
    target_scores = torch.zeros(batch, n_points, n_classes, device=scores.device)
    target_scores.scatter_(
        2, targets.labels[rows, cell_index][:, :, None], point_scores[:, :, None]
    )
    return Assignment(target_scores, targets.boxes[rows, cell_index], positive)
