"""The images with the most errors are shown, worst first."""

from __future__ import annotations

import numpy as np

from smearcount.classes import class_color
from smearcount.evaluation.evaluation import Evaluation
from smearcount.evaluation.report.worst_images import worst_images


def test_worst_images_come_first_and_perfect_ones_never(evaluation: Evaluation) -> None:
    worst = worst_images(evaluation)
    assert [each.image.path.name for each in worst] == ["1.png", "2.png"]
    assert [(each.missed, each.extra) for each in worst] == [(1, 0), (0, 1)]
    assert worst[0].picture.width > 2 * 400
    assert len(worst_images(evaluation, at_most=1)) == 1


def test_a_missed_cell_has_a_thick_box_on_the_left_only(evaluation: Evaluation) -> None:
    (worst, *_) = worst_images(evaluation)
    pixels = np.asarray(worst.picture).astype(int)
    half = (pixels.shape[1] - 8) // 2
    label = int(worst.image.truth.labels[0])  # the first cell is missed
    hexadecimal = class_color(evaluation.classes[label - 1], label)
    color = np.array([int(hexadecimal[k : k + 2], 16) for k in (1, 3, 5)])
    drawn = (pixels == color).all(axis=2).sum(axis=0)
    left, top, right, bottom = worst.image.truth.boxes_xyxy_px[0] * 420 / 160
    perimeter = 2 * (right - left + bottom - top)
    assert drawn[:half].sum() - drawn[half + 8 :].sum() > 2 * perimeter
