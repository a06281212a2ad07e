"""Which location answers for which cell, and that the losses fall when it answers well."""

import torch

from smearcount.training.networks.assigner import assign, pad_targets, pairwise_iou
from smearcount.training.networks.losses import detection_losses, side_distribution_loss
from smearcount.training.networks.protocol import Target

LOCATIONS = torch.tensor([[4.0, 4], [12, 4], [20, 4], [28, 4]])


def target(*boxes: list[float], labels: list[int] | None = None) -> Target:
    return {
        "boxes": torch.tensor(boxes).reshape(-1, 4),
        "labels": torch.tensor(labels or [1] * len(boxes), dtype=torch.int64),
    }


def test_only_locations_inside_a_cell_answer_for_it() -> None:
    boxes = torch.tensor([[[0.0, 0, 16, 8]] * 4])
    given = assign(
        torch.full((1, 4, 3), 0.5),
        boxes,
        LOCATIONS,
        pad_targets([target([0.0, 0, 16, 8], labels=[2])], torch.device("cpu")),
    )
    assert given.positive[0].tolist() == [True, True, False, False]
    assert given.scores[0, :2].argmax(dim=1).tolist() == [1, 1]
    assert given.scores[0, 2:].sum() == 0


def test_the_best_location_wants_a_score_of_one_even_where_its_box_is_not_tight() -> None:
    boxes = torch.tensor([[[0.0, 0, 16, 5], [0, 0, 8, 5], [0, 0, 1, 1], [0, 0, 1, 1]]])
    cells = pad_targets([target([0.0, 0, 16, 8])], torch.device("cpu"))
    given = assign(torch.full((1, 4, 1), 0.5), boxes, LOCATIONS, cells)
    assert given.scores[0, 0, 0] == 1.0
    assert given.scores[0, 1, 0] < 0.1


def test_a_location_in_two_cells_answers_for_the_one_it_overlaps_more() -> None:
    boxes = torch.tensor([[[0.0, 0, 24, 8]] * 4])
    cells = pad_targets([target([0.0, 0, 24, 8], [8.0, 0, 32, 8])], torch.device("cpu"))
    given = assign(torch.full((1, 4, 1), 0.5), boxes, LOCATIONS, cells)
    assert given.boxes[0, 1].tolist() == [0, 0, 24, 8]


def test_a_location_goes_to_the_cell_that_wants_it_and_not_to_one_that_only_lies_there() -> None:
    boxes = torch.tensor([[[2.0, 0, 14, 8], [8, 0, 16, 8], [0, 0, 1, 1], [0, 0, 1, 1]]])
    # The first two want location 0 alone; the third overlaps its box most, but wants location 1.
    cells = [[0.0, 0, 10, 8], [0.0, 0, 9, 8], [2.0, 0, 16, 8]]
    scores = torch.full((1, 4, 2), 0.5)
    scores[0, 0, 1], scores[0, 1, 1] = 1e-9, 1.0
    padded = pad_targets([target(*cells, labels=[1, 1, 2])], torch.device("cpu"))
    given = assign(scores, boxes, LOCATIONS, padded, per_cell=1)
    assert given.positive[0].tolist() == [True, True, False, False]
    assert given.boxes[0, 0].tolist() == cells[0]
    assert given.scores[0, 0].tolist() == [1.0, 0.0]


def test_a_small_cell_wants_a_score_of_one_from_the_first_step_on() -> None:
    boxes = torch.tensor([[[-60.0, -60, 60, 60]] * 4])  # as wide as untaught networks say
    cells = pad_targets([target([1.0, 1, 9, 7])], torch.device("cpu"))
    given = assign(torch.full((1, 4, 1), 0.01), boxes, LOCATIONS, cells)
    assert given.scores[0, 0, 0] == 1.0


def test_an_image_without_cells_has_no_answers_and_a_finite_loss() -> None:
    side_logits = torch.zeros(1, 4, 4, 16, requires_grad=True)
    class_logits = torch.zeros(1, 4, 3, requires_grad=True)
    boxes = torch.cat([LOCATIONS - 4, LOCATIONS + 4], dim=1)[None]
    cells = pad_targets([target()], torch.device("cpu"))
    losses = detection_losses(class_logits, side_logits, boxes, LOCATIONS, cells, 8)
    total = torch.stack(list(losses.values())).sum()
    total.backward()  # type: ignore[no-untyped-call]
    assert total.isfinite()
    assert class_logits.grad is not None
    assert class_logits.grad.isfinite().all()


def test_a_side_between_two_bins_is_learned_best_as_a_mixture_of_both() -> None:
    sides = torch.tensor([[2.25, 2.25, 2.25, 2.25]])
    mixture = torch.full((1, 4, 16), -20.0)
    mixture[..., 2], mixture[..., 3] = torch.log(torch.tensor(0.75)), torch.log(torch.tensor(0.25))
    wrong = torch.full((1, 4, 16), -20.0)
    wrong[..., 2], wrong[..., 3] = torch.log(torch.tensor(0.25)), torch.log(torch.tensor(0.75))
    assert side_distribution_loss(mixture, sides) < side_distribution_loss(wrong, sides)


def test_overlap_of_every_pair_in_a_batch() -> None:
    first = torch.tensor([[[0.0, 0, 2, 2]]])
    second = torch.tensor([[[1.0, 0, 3, 2], [0, 0, 2, 2], [5, 5, 6, 6]]])
    assert torch.allclose(pairwise_iou(first, second)[0, 0], torch.tensor([1 / 3, 1, 0]))
