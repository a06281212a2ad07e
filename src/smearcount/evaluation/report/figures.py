"""The figures of an evaluation: counts, errors and their types, precision and recall."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from smearcount.classes import CLASS_NAMES, class_color
from smearcount.evaluation.error_types import ERROR_TYPES
from smearcount.evaluation.evaluation import Evaluation
from smearcount.evaluation.report.sentences import format_number
from smearcount.evaluation.robustness import USABLE_ERROR, Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI: Final = 110
_MARKERS: Final = "so^Dv<>p"
_INK: Final = "#222222"
_FAINT: Final = "#bbbbbb"
_JITTER: Final = 0.16
_ERROR_LIMIT: Final = 60.0


def scatter_figure(evaluation: Evaluation) -> Figure:
    """Draw counted against annotated cells, a point per image and class.

    Left at the model's thresholds, right at the exercise's. Equal points are moved apart along the
    line of equality, so that none looks like an error, and the figure says so.

    Args:
        evaluation: of a detector.

    Example:
        >>> from smearcount import load_detector
        >>> from smearcount.datasets import read_dataset
        >>> from smearcount.evaluation import evaluate, scatter_figure
        >>> figure = scatter_figure(evaluate(load_detector(), read_dataset(drawn_smears)))
        >>> len(figure.axes)
        2
    """
    figure, axes = _sheet(1, 2, (10.5, 5))
    titles = ("at the model's own thresholds", "at a score of 0.5, as in the exercise")
    for ax, counting, title in zip(
        axes, (evaluation.at_model_thresholds, evaluation.at_fixed_threshold), titles, strict=True
    ):
        ax.axline((0, 0), slope=1, color=_FAINT, linewidth=1, zorder=0, label="line of equality")
        jittered = False
        for k, name in enumerate(evaluation.classes):
            true, found = counting.true[:, k], counting.counted[:, k]
            shift = _jitter(np.stack([true, found], axis=1))
            jittered |= bool(shift.any())
            ax.scatter(
                true + shift,
                found + shift,
                s=20,
                alpha=0.6,
                linewidths=0,
                zorder=3,
                color=class_color(name, k + 1),
                marker=_MARKERS[k % len(_MARKERS)],
                label=name,
            )
        low, top = (
            -0.5,
            1.05 * max(1, counting.true.max(initial=0), counting.counted.max(initial=0)),
        )
        ax.set(xlim=(low, top), ylim=(low, top), title=title, aspect="equal")
        ax.set(xlabel=_jitter_label("annotated cells", jittered), ylabel="counted cells")
        ax.legend(frameon=False)
    return figure


def bland_altman_figure(evaluation: Evaluation) -> Figure:
    """Draw the error of each image against the mean of annotated and counted, class by class.

    Equal points are moved apart to the sides, which leaves their errors as they are, and the axis
    says so.

    Args:
        evaluation: of a detector.

    Example:
        >>> from smearcount import load_detector
        >>> from smearcount.datasets import read_dataset
        >>> from smearcount.evaluation import bland_altman_figure, evaluate
        >>> figure = bland_altman_figure(evaluate(load_detector(), read_dataset(drawn_smears)))
        >>> len(figure.axes)
        3
    """
    counting = evaluation.at_model_thresholds
    figure, axes = _sheet(1, len(evaluation.classes), (3.8 * len(evaluation.classes), 3.8))
    for k, (ax, name) in enumerate(zip(axes, evaluation.classes, strict=True)):
        true, found = counting.true[:, k], counting.counted[:, k]
        mean = (true + found) / 2
        shift = _jitter(np.stack([true, found], axis=1))
        ax.scatter(
            mean + shift,
            found - true,
            s=20,
            alpha=0.6,
            linewidths=0,
            zorder=3,
            color=class_color(name, k + 1),
        )
        agreement = counting.agreement[name]
        ax.axhline(0, color=_FAINT, linewidth=1, zorder=0, label="line of equality")
        for estimate, line in (
            (agreement.bias, "-"),
            (agreement.limit_low, "--"),
            (agreement.limit_high, "--"),
        ):
            if np.isfinite(estimate.value):
                ax.axhline(estimate.value, color=_INK, linewidth=1, linestyle=line)
                ax.axhspan(estimate.low, estimate.high, color=_INK, alpha=0.08, linewidth=0)
                ax.annotate(
                    format_number(estimate.value, sign=True),
                    (1, estimate.value),
                    xycoords=("axes fraction", "data"),
                    xytext=(-2, 2),
                    textcoords="offset points",
                    ha="right",
                    fontsize=8,
                )
        ax.set(title=name)
        ax.set_xlabel(_jitter_label("mean of annotated and counted", bool(shift.any())))
        ax.set_xlim(min(mean, default=0) - 1, max(mean, default=0) + 1)
        if not (found - true).any():
            ax.set_ylim(-1, 1)
    axes[0].set_ylabel("counted − annotated")
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def precision_recall_figure(evaluation: Evaluation) -> Figure:
    """Draw precision against recall at IoU 0.5, class by class."""
    figure, (ax,) = _sheet(1, 1, (5.2, 4.4))
    scores = evaluation.scores
    for k, name in enumerate(evaluation.classes):
        precision = scores.precision_50[k]
        if np.isfinite(precision).any():
            ap = scores.per_class[name]["map_50"]
            label = f"{name} (AP50 {ap:.3f})"
            ax.plot(scores.recall_levels, precision, color=class_color(name, k + 1), label=label)
    ax.set(
        xlabel="recall: share of the true cells found",
        ylabel="precision: share of the detections right",
        xlim=(0, 1.01),
        ylim=(0, 1.02),
    )
    if ax.lines:
        ax.legend(frameon=False, loc="lower left")
    return figure


def confusion_figure(evaluation: Evaluation) -> Figure:
    """Draw the confusion matrix: which true class was counted as which."""
    table = evaluation.at_model_thresholds.error_types.confusion
    names = list(evaluation.classes)
    side = 1.1 * len(table) + 0.8
    figure, (ax,) = _sheet(1, 1, (side + 0.6, side))
    truly = np.maximum(table.sum(axis=1), 1)
    share = table / truly[:, None]
    share[-1, :-1] = table[-1, :-1] / truly[:-1]  # extra cells, beside the true ones of the class
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (row, column), n in np.ndenumerate(table):
        last = len(table) - 1
        if (row, column) != (last, last):
            color = "white" if share[row, column] > 0.55 else _INK
            ax.text(column, row, f"{n}", ha="center", va="center", color=color)
    ax.set_xticks(range(len(table)), [*names, "not found"])
    ax.set_yticks(range(len(table)), [*names, "no cell"])
    ax.set(xlabel="counted as", ylabel="truly")
    return figure


def error_figure(evaluation: Evaluation) -> Figure:
    """Draw how many errors of each type were made, class by class."""
    errors = evaluation.at_model_thresholds.error_types.errors
    figure, (ax,) = _sheet(1, 1, (7, 3.6))
    height = 0.8 / len(evaluation.classes)
    for k, name in enumerate(evaluation.classes):
        places = np.arange(len(ERROR_TYPES)) + (k - (len(evaluation.classes) - 1) / 2) * height
        bars = ax.barh(places, errors[:, k], height, color=class_color(name, k + 1), label=name)
        ax.bar_label(bars, padding=3, fontsize=8)
    ax.set_yticks(range(len(ERROR_TYPES)), ERROR_TYPES)
    ax.invert_yaxis()
    ax.margins(x=0.1)
    ax.set_xlabel("cells, all images together")
    ax.legend(frameon=False)
    return figure


def sampling_figure(evaluation: Evaluation) -> Figure:
    """Draw the error of counting beside the sampling error of the field."""
    agreement = evaluation.at_model_thresholds.agreement
    names = evaluation.classes
    figure, (ax,) = _sheet(1, 1, (7, 3.2))
    bars: tuple[tuple[str, str, list[float]], ...] = (
        ("error of counting (RMSE)", "#444444", [agreement[n].rmse.value for n in names]),
        ("chance of sampling (√n)", "#b9b9b9", [agreement[n].sampling_error for n in names]),
    )
    for row, (label, color, values) in enumerate(bars):
        places = np.arange(len(names)) + (row - 0.5) * 0.38
        drawn = ax.barh(places, values, 0.38, color=color, label=label)
        ax.bar_label(drawn, fmt="%.2f", padding=3, fontsize=8)
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.margins(x=0.1)
    ax.set_xlabel("cells per image")
    ax.legend(frameon=False)
    return figure


def robustness_figure(curves: Sequence[Curve]) -> Figure:
    """Draw the error of the total count along each sweep, a line per class.

    The bands are 95 % intervals over the drawn smears; errors beyond ±60 % are drawn at the edge.
    """
    columns = min(3, len(curves))
    rows = -(-len(curves) // columns)
    figure, axes = _sheet(rows, columns, (3.6 * columns, 3.4 * rows))
    for ax in axes[len(curves) :]:
        ax.set_axis_off()
    for ax, curve in zip(axes, curves, strict=False):
        ax.axhspan(-100 * USABLE_ERROR, 100 * USABLE_ERROR, color="#eeeeee", linewidth=0)
        ax.axhline(0, color=_FAINT, linewidth=1)
        for k, name in enumerate(CLASS_NAMES):
            error = np.clip(100 * np.array(curve.errors(k)), -_ERROR_LIMIT, _ERROR_LIMIT)
            color = class_color(name, k + 1)
            ax.plot(curve.sweep.values, error[:, 0], color=color, marker=_MARKERS[k], label=name)
            ax.fill_between(
                curve.sweep.values, error[:, 1], error[:, 2], color=color, alpha=0.15, linewidth=0
            )
        ax.set_ylim(-1.05 * _ERROR_LIMIT, 1.05 * _ERROR_LIMIT)
        ax.set_title(curve.sweep.title)
        ax.set_xlabel("\n".join(textwrap.wrap(curve.sweep.axis, 42)), fontsize=9)
    for ax in axes[::columns]:
        ax.set_ylabel("error of the total count, %")
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def _jitter(points: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how far to move each point so that equal ones can be told apart.

    Args:
        points: shape (n, 2).

    Returns:
        shape (n,), within ±``_JITTER``; zeros where no two points are equal.
    """
    if len(np.unique(points, axis=0)) == len(points):
        return np.zeros(len(points))
    return np.random.default_rng(0).uniform(-_JITTER, _JITTER, len(points))


def _jitter_label(label: str, jittered: bool) -> str:
    """Return the label of an axis, and whether its points were moved."""
    return f"{label}\n(points jittered by up to ±{_JITTER}, errors exact)" if jittered else label


def _sheet(rows: int, columns: int, size_inch: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size_inch, dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    grid: NDArray[Any] = figure.subplots(rows, columns, squeeze=False)
    axes = list(grid.flat)
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
    return figure, axes
