"""Which locations answer for which cell: task-aligned assignment (Feng et al. 2021, TOOD)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from smearcount.training.networks.protocol import Target


class PaddedTargets(NamedTuple):
    """The cells of a batch, padded to the fullest image.

    Attributes:
        boxes: (B, M, 4) xyxy in pixels.
        labels: (B, M), 0-based.
        real: (B, M), False where the row is padding.
    """

    boxes: Tensor
    labels: Tensor
    real: Tensor


class Assignment(NamedTuple):
    """What each location should say.

    Attributes:
        scores: (B, N, K) in [0, 1]: the wanted class score, 0 for background.
        boxes: (B, N, 4) xyxy: the wanted box; meaningless for background.
        positive: (B, N), True where the location answers for a cell.
    """

    scores: Tensor
    boxes: Tensor
    positive: Tensor


def pad_targets(targets: list[Target], device: torch.device) -> PaddedTargets:
    """Stack the targets of a batch, padding each image to the same number of cells."""
    most = max([1, *(len(target["labels"]) for target in targets)])
    boxes = torch.zeros(len(targets), most, 4, device=device)
    labels = torch.zeros(len(targets), most, dtype=torch.int64, device=device)
    real = torch.zeros(len(targets), most, dtype=torch.bool, device=device)
    for row, target in enumerate(targets):
        n = len(target["labels"])
        boxes[row, :n] = target["boxes"].to(device)
        labels[row, :n] = target["labels"].to(device) - 1
        real[row, :n] = True
    return PaddedTargets(boxes, labels, real)


def pairwise_iou(first: Tensor, second: Tensor) -> Tensor:
    """Return IoU of (B, M, 4) against (B, N, 4) as (B, M, N)."""
    low = torch.maximum(first[:, :, None, :2], second[:, None, :, :2])
    high = torch.minimum(first[:, :, None, 2:], second[:, None, :, 2:])
    inner = (high - low).clamp(min=0).prod(dim=3)
    first_area = (first[..., 2:] - first[..., :2]).clamp(min=0).prod(dim=2)
    second_area = (second[..., 2:] - second[..., :2]).clamp(min=0).prod(dim=2)
    return inner / (first_area[:, :, None] + second_area[:, None, :] - inner).clamp(min=1e-9)


@torch.no_grad()
def assign(
    scores: Tensor, boxes: Tensor, locations: Tensor, targets: PaddedTargets, per_cell: int = 10
) -> Assignment:
    """Give each cell the locations inside it that already do best for it.

    The alignment of a location with a cell is score^0.5 · IoU^6. Each cell takes its best
    ``per_cell`` locations; a location wanted by several goes to the one it overlaps most. The
    wanted score is the alignment, scaled per cell so that its best location wants 1. (TOOD wants
    the cell's best IoU there; but a score that speaks of the cell alone is learned sooner, and
    small cells, whose boxes are never tight, are not taught to be doubted.)

    Args:
        scores: (B, N, K) predicted class scores in [0, 1].
        boxes: (B, N, 4) predicted boxes, xyxy px.
        locations: (N, 2) in pixels.
        targets: the cells.
        per_cell: how many locations one cell may take.
    """
    batch, n_locations, n_classes = scores.shape
    low = locations[None, None] - targets.boxes[:, :, None, :2]
    high = targets.boxes[:, :, None, 2:] - locations[None, None]
    inside = (torch.cat([low, high], dim=3).amin(dim=3) > 0) & targets.real[:, :, None]  # B M N
    overlap = pairwise_iou(targets.boxes, boxes) * inside
    of_class = targets.labels[:, :, None].expand(-1, -1, n_locations)
    score = scores.transpose(1, 2).gather(1, of_class)
    alignment = score.clamp(min=1e-9).sqrt() * overlap.pow(6)

    best = alignment.topk(min(per_cell, n_locations), dim=2).indices
    taken = torch.zeros_like(inside).scatter_(2, best, True) & inside  # B M N
    contested = taken.sum(dim=1, keepdim=True) > 1
    closest = torch.zeros_like(taken)
    closest.scatter_(1, (overlap * taken).argmax(dim=1, keepdim=True), True)
    taken = torch.where(contested, taken & closest, taken)

    positive = taken.any(dim=1)
    owner = taken.to(torch.uint8).argmax(dim=1)  # B N
    rows = torch.arange(batch, device=scores.device)[:, None]
    alignment = alignment * taken
    least = torch.finfo(alignment.dtype).tiny
    wanted = alignment / alignment.amax(dim=2, keepdim=True).clamp(min=least)
    wanted = wanted.amax(dim=1) * positive
    target_scores = torch.zeros(batch, n_locations, n_classes, device=scores.device)
    target_scores.scatter_(2, targets.labels[rows, owner][:, :, None], wanted[:, :, None])
    return Assignment(target_scores, targets.boxes[rows, owner], positive)
