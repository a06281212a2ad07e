"""Which anchor points learn which cell."""

import torch

from smearcount.training.networks.assigner import assign, pad_targets, pairwise_iou
from smearcount.training.networks.protocol import Target

ANCHOR_POINTS = torch.tensor([[4.0, 4], [12, 4], [20, 4], [28, 4]])


def target(*boxes: list[float], labels: list[int] | None = None) -> Target:
    return {
        "boxes": torch.tensor(boxes).reshape(-1, 4),
        "labels": torch.tensor(labels or [1] * len(boxes), dtype=torch.int64),
    }


def test_only_anchor_points_inside_a_cell_learn_it() -> None:
    boxes = torch.tensor([[[0.0, 0, 16, 8]] * 4])
    assigned = assign(
        torch.full((1, 4, 3), 0.5),
        boxes,
        ANCHOR_POINTS,
        pad_targets([target([0.0, 0, 16, 8], labels=[2])], torch.device("cpu")),
    )
    assert assigned.positive[0].tolist() == [True, True, False, False]
    assert assigned.scores[0, :2].argmax(dim=1).tolist() == [1, 1]
    assert assigned.scores[0, 2:].sum() == 0


def test_the_best_anchor_point_has_a_target_score_of_one_even_if_its_box_is_not_tight() -> None:
    boxes = torch.tensor([[[0.0, 0, 16, 5], [0, 0, 8, 5], [0, 0, 1, 1], [0, 0, 1, 1]]])
    cells = pad_targets([target([0.0, 0, 16, 8])], torch.device("cpu"))
    assigned = assign(torch.full((1, 4, 1), 0.5), boxes, ANCHOR_POINTS, cells)
    assert assigned.scores[0, 0, 0] == 1.0
    assert assigned.scores[0, 1, 0] < 0.1


def test_an_anchor_point_in_two_cells_learns_the_one_its_box_overlaps_more() -> None:
    boxes = torch.tensor([[[0.0, 0, 24, 8]] * 4])
    cells = pad_targets([target([0.0, 0, 24, 8], [8.0, 0, 32, 8])], torch.device("cpu"))
    assigned = assign(torch.full((1, 4, 1), 0.5), boxes, ANCHOR_POINTS, cells)
    assert assigned.boxes[0, 1].tolist() == [0, 0, 24, 8]


def test_an_anchor_point_goes_to_a_cell_that_takes_it_not_to_one_that_only_overlaps_it() -> None:
    boxes = torch.tensor([[[2.0, 0, 14, 8], [8, 0, 16, 8], [0, 0, 1, 1], [0, 0, 1, 1]]])
    # The first two take point 0 alone; the third overlaps its box most, but takes point 1.
    cells = [[0.0, 0, 10, 8], [0.0, 0, 9, 8], [2.0, 0, 16, 8]]
    scores = torch.full((1, 4, 2), 0.5)
    scores[0, 0, 1], scores[0, 1, 1] = 1e-9, 1.0
    padded = pad_targets([target(*cells, labels=[1, 1, 2])], torch.device("cpu"))
    assigned = assign(scores, boxes, ANCHOR_POINTS, padded, topk=1)
    assert assigned.positive[0].tolist() == [True, True, False, False]
    assert assigned.boxes[0, 0].tolist() == cells[0]
    assert assigned.scores[0, 0].tolist() == [1.0, 0.0]


def test_a_small_cell_has_a_target_score_of_one_from_the_first_step_on() -> None:
    boxes = torch.tensor([[[-60.0, -60, 60, 60]] * 4])  # as wide as untrained networks predict
    cells = pad_targets([target([1.0, 1, 9, 7])], torch.device("cpu"))
    assigned = assign(torch.full((1, 4, 1), 0.01), boxes, ANCHOR_POINTS, cells)
    assert assigned.scores[0, 0, 0] == 1.0


def test_overlap_of_every_pair_in_a_batch() -> None:
    first = torch.tensor([[[0.0, 0, 2, 2]]])
    second = torch.tensor([[[1.0, 0, 3, 2], [0, 0, 2, 2], [5, 5, 6, 6]]])
    assert torch.allclose(pairwise_iou(first, second)[0, 0], torch.tensor([1 / 3, 1, 0]))
