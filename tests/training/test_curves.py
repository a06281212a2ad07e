"""The curves of a training show losses beside mAP50, each line in a color of its own."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("torch")
pytest.importorskip("matplotlib")

from matplotlib.axes import Axes

from smearcount.classes import class_color
from smearcount.training.curves import curves_figure, metrics_figure

CLASSES = ("RBC", "parasite")


def epochs(n: int) -> list[dict[str, float]]:
    """Return rows of a training that improves; no cell is small."""
    losses = {"loss_classification": 2.0, "loss_bbox_regression": 1.0, "loss_total": 3.0}
    metrics = {"map": 0.4, "map_50": 0.7, "map_75": 0.3, "map_large": 0.5, "mar_100": 0.6}
    by_class = {f"{key}_{name}": 0.5 for key in ("map", "map_50", "map_75") for name in CLASSES}
    return [
        {"epoch": epoch, **{name: value / epoch for name, value in losses.items()}, **metrics,
         **by_class, "map_small": math.nan}
        for epoch in range(1, n + 1)
    ]  # fmt: skip


def lines(axes: Axes) -> dict[str, str]:
    """Return the color of each line by its label."""
    return {str(line.get_label()): str(line.get_color()) for line in axes.get_lines()}


def test_losses_stand_left_and_map50_from_0_to_1_right() -> None:
    left, right = curves_figure(epochs(3)).axes
    assert set(lines(left)) == {"total", "classification", "bbox_regression"}
    assert set(lines(right)) == {"all classes", *CLASSES}
    assert right.get_ylim() == (0, 1)


def test_no_color_stands_twice_in_a_panel_and_classes_have_their_own() -> None:
    figures = curves_figure(epochs(3)), metrics_figure(epochs(3))
    panels = [lines(axes) for figure in figures for axes in figure.axes]
    assert all(len(set(panel.values())) == len(panel) for panel in panels)
    for panel in (panels[1], panels[-1]):
        assert panel["RBC"] == class_color("RBC", 1)
        assert panel["parasite"] == class_color("parasite", 2)


def test_further_metrics_stand_in_a_second_figure_without_what_cannot_be_measured() -> None:
    labels = [set(lines(axes)) for axes in metrics_figure(epochs(2)).axes]
    assert labels == [{"mAP", "IoU 0.50", "IoU 0.75"}, {"above 96² px"}, {"100 boxes"}, {*CLASSES}]


def test_a_training_without_validation_has_losses_alone() -> None:
    rows = [{"epoch": 1.0, "loss_total": 3.0}]
    left, right = curves_figure(rows).axes
    assert set(lines(left)) == {"total"}
    assert not right.get_lines()
