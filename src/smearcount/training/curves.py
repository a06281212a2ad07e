"""Curves of every loss and metric of a training, as CSV and as two pictures."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from smearcount.classes import class_color
from smearcount.csv_writer import write_csv
from smearcount.training.run_folder import CURVES_STATE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Row = Mapping[str, float]
"""The columns of one epoch: ``epoch``, ``loss_…`` and the validation metrics."""

_DPI: Final = 100
_INK: Final = "#222222"
_LOSS_COLORS: Final = ("#e69f00", "#7b3294", "#00a99d", "#8c510a", "#888888", "#d95fa9")
"""None of them is the color of a cell class."""

_METRICS: Final = {
    "validation mAP": {"map": "mAP", "map_50": "IoU 0.50", "map_75": "IoU 0.75"},
    "validation mAP by size of the cells": {
        "map_small": "below 32² px",
        "map_medium": "32² to 96² px",
        "map_large": "above 96² px",
    },
    "validation recall (mAR)": {
        "mar_1": "1 box per image and class",
        "mar_10": "10 boxes",
        "mar_100": "100 boxes",
    },
}
"""The panels of all classes: their titles, and their columns with the label of each."""


class Curves(Callback):
    """Keeps one row per epoch, in the checkpoint too, so a resumed run lacks or repeats no row.

    Args:
        out: the folder for ``curves.csv``, ``curves.png`` (losses and mAP50) and ``metrics.png``
            (the other metrics), rewritten after every epoch.
        prints: whether to print a line per epoch.
    """

    def __init__(self, out: Path, prints: bool = False) -> None:
        self.out = out
        self.prints = prints
        self.rows: list[dict[str, float]] = []
        self._epoch_started = 0.0

    @property
    def state_key(self) -> str:
        """The name of this callback's state in a checkpoint."""
        return CURVES_STATE

    def state_dict(self) -> dict[str, Any]:
        """Return the rows so far."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the rows of an earlier run."""
        self.rows = list(state_dict["rows"])

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the epoch's clock."""
        self._epoch_started = time.perf_counter()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Remember this epoch's validation before the best checkpoint is written."""
        self._record(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Complete the epoch's row with its mean losses and write the files."""
        self._record(trainer)
        self.rows[-1]["seconds"] = round(time.perf_counter() - self._epoch_started, 3)
        self.out.mkdir(parents=True, exist_ok=True)
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        table = ([row.get(name, "") for name in names] for row in self.rows)
        write_csv(self.out / "curves.csv", [names, *table])
        curves_figure(self.rows).savefig(self.out / "curves.png", dpi=_DPI)
        if any("map" in row for row in self.rows):
            metrics_figure(self.rows).savefig(self.out / "metrics.png", dpi=_DPI)
        if self.prints:
            print(epoch_line(self.rows[-1], trainer.max_epochs), flush=True)

    def _record(self, trainer: pl.Trainer) -> None:
        epoch = trainer.current_epoch + 1
        if not self.rows or self.rows[-1]["epoch"] != epoch:
            self.rows.append({"epoch": epoch})
        row = self.rows[-1]
        validated = epoch % (trainer.check_val_every_n_epoch or 1) == 0
        for name, value in trainer.callback_metrics.items():
            if (name.startswith("loss") or validated) and not math.isnan(value):
                row[name] = round(float(value), 6)


def epoch_line(row: dict[str, float], epochs: int | None) -> str:
    """Return an epoch's losses and average precision as one line.

    Args:
        row: of ``curves.csv``.
        epochs: how many there are.
    """
    shown = [f"{name} {value:.4f}" for name, value in row.items() if name.startswith("loss")]
    shown += [
        f"{key} {row[key]:.3f}" for key in ("map", "map_50", "map_75", "mar_100") if key in row
    ]
    return f"epoch {row['epoch']}/{epochs}: {', '.join(shown)} ({row['seconds']:.0f} s)"


def curves_figure(rows: Sequence[Row]) -> Figure:
    """Draw the losses on the left and validation mAP50 on the right, against the epoch.

    Args:
        rows: one per epoch; see :class:`Curves`.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    losses = [name for name in _names(rows) if name.startswith("loss")]
    losses.sort(key=lambda name: name != "loss_total")
    for name, color in zip(losses, (_INK, *_LOSS_COLORS * len(losses)), strict=False):
        _line(left, rows, name, name.removeprefix("loss_"), color=color)
    _line(right, rows, "map_50", "all classes", color=_INK)
    for name, color in _class_colors(rows).items():
        _line(right, rows, f"map_50_{name}", name, color=color)
    left.set_ylim(bottom=0)
    _finish(left, "training loss, mean over the epoch")
    _finish(right, "validation mAP50", share=True)
    return figure


def metrics_figure(rows: Sequence[Row]) -> Figure:
    """Draw the further validation metrics: precision, recall, sizes of cells, and classes.

    Args:
        rows: one per epoch; see :class:`Curves`.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 7.5), layout="constrained")
    panels = figure.subplots(2, 2).flat
    for panel, (title, keys) in zip(panels, _METRICS.items(), strict=False):
        for (key, label), color in zip(keys.items(), (_INK, *_LOSS_COLORS), strict=False):
            _line(panel, rows, key, label, color=color)
        _finish(panel, title, share=True)
    for name, color in _class_colors(rows).items():
        _line(figure.axes[-1], rows, f"map_{name}", name, color=color)
    _finish(figure.axes[-1], "validation mAP by class", share=True)
    return figure


def _names(rows: Sequence[Row]) -> list[str]:
    """Return every column but the epoch's, in the order in which they first appear."""
    return list(dict.fromkeys(name for row in rows for name in row if name != "epoch"))


def _class_colors(rows: Sequence[Row]) -> dict[str, str]:
    """Return the color of each class that was validated, by name."""
    prefix = "map_75_"  # no metric of all classes begins so
    names = [n.removeprefix(prefix) for n in _names(rows) if n.startswith(prefix)]
    return {name: class_color(name, label) for label, name in enumerate(names, start=1)}


def _line(axes: Axes, rows: Sequence[Row], column: str, label: str, *, color: str) -> None:
    """Draw one column against the epoch, where it has a number."""
    points = [
        (row["epoch"], row[column]) for row in rows if math.isfinite(row.get(column, math.nan))
    ]
    if points:
        axes.plot(*zip(*points, strict=True), marker=".", label=label, color=color)


def _finish(axes: Axes, title: str, *, share: bool = False) -> None:
    """Give a panel its title, its legend and whole epochs; ``share`` shows 0 to 1."""
    from matplotlib.ticker import MaxNLocator

    axes.set(xlabel="epoch", title=title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    if share:
        axes.set_ylim(0, 1)
    if axes.lines:
        axes.legend(fontsize=8)
