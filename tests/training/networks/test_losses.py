"""The losses are finite without any cell, and lowest where the prediction is right."""

import torch

from smearcount.training.networks.assigner import pad_targets
from smearcount.training.networks.losses import detection_losses, distribution_focal_loss
from smearcount.training.networks.protocol import Target

ANCHOR_POINTS = torch.tensor([[4.0, 4], [12, 4], [20, 4], [28, 4]])


def test_an_image_without_cells_has_a_finite_loss() -> None:
    ltrb_logits = torch.zeros(1, 4, 4, 16, requires_grad=True)
    class_logits = torch.zeros(1, 4, 3, requires_grad=True)
    no_cells: Target = {
        "boxes": torch.zeros(0, 4),
        "labels": torch.zeros(0, dtype=torch.int64),
    }
    boxes = torch.cat([ANCHOR_POINTS - 4, ANCHOR_POINTS + 4], dim=1)[None]
    cells = pad_targets([no_cells], torch.device("cpu"))
    losses = detection_losses(class_logits, ltrb_logits, boxes, ANCHOR_POINTS, cells, 8)
    total = torch.stack(list(losses.values())).sum()
    total.backward()  # type: ignore[no-untyped-call]
    assert total.isfinite()
    assert class_logits.grad is not None
    assert class_logits.grad.isfinite().all()


def test_a_distance_between_two_bins_is_learned_best_as_a_mixture_of_both() -> None:
    distances = torch.tensor([[2.25, 2.25, 2.25, 2.25]])
    mixture = torch.full((1, 4, 16), -20.0)
    mixture[..., 2], mixture[..., 3] = torch.log(torch.tensor(0.75)), torch.log(torch.tensor(0.25))
    wrong = torch.full((1, 4, 16), -20.0)
    wrong[..., 2], wrong[..., 3] = torch.log(torch.tensor(0.25)), torch.log(torch.tensor(0.75))
    assert distribution_focal_loss(mixture, distances) < distribution_focal_loss(wrong, distances)
