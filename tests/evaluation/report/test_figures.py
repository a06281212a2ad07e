"""Every figure can be drawn, and shows the numbers of the evaluation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure

from smearcount.detections.detections import Detections
from smearcount.evaluation.error_types import ERROR_TYPES
from smearcount.evaluation.evaluation import EvaluatedImage, Evaluation, evaluate_detections
from smearcount.evaluation.matching import GroundTruth
from smearcount.evaluation.report.figures import (
    bland_altman_figure,
    confusion_figure,
    error_figure,
    precision_recall_figure,
    robustness_figure,
    sampling_figure,
    scatter_figure,
)
from smearcount.evaluation.robustness import Curve


@pytest.mark.parametrize(
    ("draw", "panels"),
    [
        (scatter_figure, 2),
        (bland_altman_figure, 3),
        (precision_recall_figure, 1),
        (confusion_figure, 1),
        (error_figure, 1),
        (sampling_figure, 1),
    ],
)
def test_figures_are_drawn_even_of_an_image_without_cells(
    evaluation: Evaluation, draw: Callable[[Evaluation], Figure], panels: int
) -> None:
    empty = GroundTruth(np.zeros((0, 4), np.float32), np.zeros(0, np.int64))
    image = EvaluatedImage(Path("x.png"), "x", empty, Detections.empty(), 0)
    nothing = evaluate_detections(evaluation.card, "x", evaluation.classes, [image])
    for each in (evaluation, nothing):
        figure = draw(each)
        figure.canvas.draw()
        assert len(figure.axes) == panels
        assert all(ax.get_xlabel() for ax in figure.axes)


def test_the_confusion_matrix_shows_every_number(evaluation: Evaluation) -> None:
    (ax,) = confusion_figure(evaluation).axes
    shown = sum(int(text.get_text()) for text in ax.texts)
    assert shown == evaluation.at_model_thresholds.error_types.confusion.sum()


def test_error_types_are_named_in_their_order(evaluation: Evaluation) -> None:
    (ax,) = error_figure(evaluation).axes
    assert tuple(label.get_text() for label in ax.get_yticklabels()) == ERROR_TYPES


def test_sweeps_fill_rows_of_three(curve: Curve) -> None:
    figure = robustness_figure([curve] * 5)
    figure.canvas.draw()
    assert [ax.get_title() for ax in figure.axes] == ["Blur"] * 5 + [""]


def exact(evaluation: Evaluation) -> Evaluation:
    """Return the evaluation of detections that are all right, two images of them equal."""
    images = [
        EvaluatedImage(
            image.path,
            image.slide,
            image.truth,
            Detections(
                image.truth.boxes_xyxy_px, np.ones(len(image.truth.labels)), image.truth.labels
            ),
            image.seconds,
        )
        for image in (*evaluation.images, evaluation.images[0])
    ]
    return evaluate_detections(evaluation.card, "exact", evaluation.classes, images)


def test_points_of_exact_counts_lie_on_the_line_of_equality_and_jitter_is_said(
    evaluation: Evaluation,
) -> None:
    for ax in scatter_figure(exact(evaluation)).axes:
        for points in ax.collections:
            moved = np.asarray(points.get_offsets())
            np.testing.assert_allclose(moved[:, 0], moved[:, 1])
        assert "jittered" in ax.get_xlabel()
        assert "line of equality" in [text.get_text() for text in ax.get_legend().get_texts()]
    for ax in bland_altman_figure(exact(evaluation)).axes:
        assert not np.asarray(ax.collections[0].get_offsets())[:, 1].any()
        assert "jittered" in ax.get_xlabel()
