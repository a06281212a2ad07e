"""The folder of a training run: its settings and the files that it ends with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import Tensor

from smearcount.atomic_write import make_folder, write_text
from smearcount.datasets.dataset import labels_digest
from smearcount.errors import ModelError, UsageError
from smearcount.training.augment import Augmentation
from smearcount.training.data import DataChoice, TrainingData
from smearcount.training.networks.architectures import Architecture, architecture
from smearcount.training.recipes.recipe import Recipe, read_recipe, with_epochs

SETTINGS: Final = "settings.json"
LAST: Final = "last.ckpt"
BEST: Final = "best.ckpt"
FITTED: Final = "fitted.json"
STATE: Final = "weights.pth"
ONNX: Final = "model.onnx"


class RunSettings(BaseModel):
    """Everything that decides how a run goes; two runs with equal settings are the same run.

    Attributes:
        architecture: a name of :data:`smearcount.training.networks.architectures.ARCHITECTURES`.
        recipe: how the network is trained, every entry resolved.
        weights: what it starts from.
        seed: decides random weights, order and augmentation.
        classes: names in label order.
        data: where the images come from.
        train: digest of the training images' names and sizes and of their labels; see
            :func:`smearcount.datasets.dataset.labels_digest`.
        val: the same of the validation images; None where all are trained on.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    architecture: str
    recipe: Recipe
    weights: str
    seed: int
    classes: tuple[str, ...]
    data: DataChoice
    train: str
    val: str | None


def resolved(arch: str, recipe: str | Recipe | None, epochs: int | None) -> Recipe:
    """Return the recipe that a training would follow; see :func:`.train.train_detector`.

    Raises:
        UsageError: there is no such architecture or recipe, its windows do not fit the network, or
            the epochs make no sense.
    """
    of = architecture(arch)
    chosen = recipe if isinstance(recipe, Recipe) else read_recipe(recipe or of.recipe)
    bold = chosen.augmentation
    if isinstance(bold, Augmentation) and bold.crop_px % of.stride:
        raise UsageError(f"crop_px = {bold.crop_px}: {arch} wants a multiple of {of.stride}.")
    return chosen if epochs is None else with_epochs(chosen, epochs)


def settings_of(
    choice: DataChoice, data: TrainingData, arch: str, recipe: Recipe, weights: str, seed: int
) -> RunSettings:
    """Return all that decides how a training goes; see :func:`.train.train_detector`."""
    return RunSettings(
        architecture=arch,
        recipe=recipe,
        weights=weights,
        seed=seed,
        classes=data.train.classes,
        data=_absolute(choice),
        train=labels_digest(data.train.images),
        val=labels_digest(data.val.images),
    )


def _absolute(choice: DataChoice) -> DataChoice:
    """Return the choice by paths that hold wherever the run is gone on with."""
    val = None if choice.val is None else str(Path(choice.val).resolve())
    return replace(choice, data=str(Path(choice.data).resolve()), val=val)


def read_settings(run: Path) -> RunSettings:
    """Read the settings of a run.

    Raises:
        UsageError: the folder is not a run.
    """
    path = run / SETTINGS
    try:
        return RunSettings.model_validate_json(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(
            f"{run}: not a training run; it has no {SETTINGS}, which `smearcount train` writes."
        ) from None
    except (OSError, UnicodeDecodeError, ValidationError):
        raise UsageError(f"{path}: damaged or of another version; use a new folder.") from None


def architecture_of(settings: RunSettings) -> Architecture:
    """Return the architecture of a run, at the magnification that its recipe asks for."""
    of = architecture(settings.architecture)
    return replace(of, rbc_px=settings.recipe.rbc_px or of.rbc_px)


def claim(run: Path, settings: RunSettings, begun_with: str = LAST) -> None:
    """Make ``run`` the folder of these settings, or check that it already is.

    Args:
        run: the folder.
        settings: what it is to be.
        begun_with: the file that work leaves behind; without it other settings may still come.

    Raises:
        UsageError: the folder holds a run with other settings.
    """
    if not (run / SETTINGS).exists() or not (run / begun_with).exists():
        make_folder(run)
        write_text(run / SETTINGS, settings.model_dump_json(indent=2) + "\n")
        return
    begun = read_settings(run)
    differing = [name for name in RunSettings.model_fields if _differ(begun, settings, name)]
    if differing:
        name = differing[0]
        raise UsageError(
            f"{run}: this run was begun with another {name} ({_told(begun, settings, name)}); "
            "give the same settings to go on, or another folder by -o."
        )


def _differ(first: RunSettings, second: RunSettings, name: str) -> bool:
    # The same images may lie elsewhere today: their digests decide, not their path.
    return name != "data" and getattr(first, name) != getattr(second, name)


def _told(first: RunSettings, second: RunSettings, name: str) -> str:
    """Say what a setting was and what it is now; of recipes, their first difference."""
    before, now = getattr(first, name), getattr(second, name)
    if isinstance(before, Recipe):
        entries = (key for key in Recipe.model_fields if getattr(before, key) != getattr(now, key))
        key = next(entries)
        return f"{key} {getattr(before, key)}, now {getattr(now, key)}"
    return f"{before}, now {now}"


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
