"""Curves of every loss and metric of a training, as CSV and as a picture."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from smearcount.atomic_write import write_csv
from smearcount.training.run_folder import CURVES_STATE


class Curves(Callback):
    """Keeps one row per epoch, in the checkpoint too, so a resumed run lacks or repeats no row.

    Args:
        out: the folder for ``curves.csv`` and ``curves.png``, rewritten after every epoch.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
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
        plot_curves(self.rows, self.out / "curves.png")

    def _record(self, trainer: pl.Trainer) -> None:
        epoch = trainer.current_epoch + 1
        if not self.rows or self.rows[-1]["epoch"] != epoch:
            self.rows.append({"epoch": epoch})
        row = self.rows[-1]
        validated = epoch % (trainer.check_val_every_n_epoch or 1) == 0
        for name, value in trainer.callback_metrics.items():
            if name.startswith("loss") or validated:
                row[name] = round(float(value), 6)


def plot_curves(rows: list[dict[str, float]], path: Path) -> None:
    """Draw losses on the left and validation metrics on the right, against the epoch."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    names = dict.fromkeys(name for row in rows for name in row if name != "epoch")
    for name in names:
        axes = left if name.startswith("loss") else right
        if axes is right and not name.startswith(("map", "map_50")):
            continue
        points = [(row["epoch"], row[name]) for row in rows if name in row]
        axes.plot(*zip(*points, strict=True), marker=".", label=name.removeprefix("loss_"))
    for axes, title in ((left, "training loss"), (right, "validation average precision")):
        axes.set(xlabel="epoch", title=title)
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend(fontsize=8)
    right.set_ylim(0, 1)
    figure.savefig(path, dpi=120)
