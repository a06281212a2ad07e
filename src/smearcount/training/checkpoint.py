"""The checkpoints of a training: written by Lightning, read without executing anything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import Tensor

from smearcount.errors import ModelError


@dataclass(frozen=True)
class Fitted:
    """Where a training left its results.

    Attributes:
        weights: the network's state dict: the best on validation, or the last without one.
        epoch: the epoch that gave them, counted from 1.
        metrics: what validation measured there.
        seconds: wall time of the epochs until then, those before an interruption included.
    """

    weights: dict[str, Tensor]
    epoch: int
    metrics: dict[str, float]
    seconds: float


class MovableCheckpoint(ModelCheckpoint):
    """Knows its files and the best epoch also where the run's folder has been moved since."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up what was best, in the folder where the files lie today."""
        here = Path(str(self.dirpath))
        moved = dict(state_dict) | {"dirpath": self.dirpath}
        for key in ("best_model_path", "kth_best_model_path", "last_model_path"):
            moved[key] = str(here / Path(moved[key]).name) if moved[key] else ""
        best = moved["best_k_models"].items()
        moved["best_k_models"] = {str(here / Path(path).name): score for path, score in best}
        super().load_state_dict(moved)


def read_checkpoint(path: Path) -> Fitted:
    """Read the averaged weights of a checkpoint that :func:`fit` wrote; nothing is executed.

    Raises:
        ModelError: the file is damaged or something else.
    """
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        rows = checkpoint["callbacks"]["Curves"]["rows"]
    except Exception as error:  # torch raises many kinds for a damaged or foreign file
        reason = str(error).strip().split("\n")[0].rstrip(".")
        raise ModelError(f"{path}: not a checkpoint of smearcount train ({reason}).") from None
    prefix = "network."
    weights = {
        name.removeprefix(prefix): value
        for name, value in checkpoint["state_dict"].items()
        if name.startswith(prefix)
    }
    metrics = {k: v for k, v in rows[-1].items() if not k.startswith("loss")} if rows else {}
    seconds = round(float(sum(row.get("seconds", 0.0) for row in rows)), 1)
    return Fitted(weights, int(checkpoint["epoch"]) + 1, metrics, seconds)


def whole_checkpoint(path: Path) -> Path | None:
    """Return the checkpoint to go on from, or None where there is none."""
    if not path.exists():
        return None
    try:
        read_checkpoint(path)
    except ModelError as error:
        raise ModelError(f"{error} Delete it to train from the beginning.") from None
    return path
