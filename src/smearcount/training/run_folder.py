"""The folder of a training run: its settings, its checkpoints and the files that it ends with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor

from smearcount.atomic_write import make_folder, open_atomic, write_text
from smearcount.datasets.dataset import labels_digest
from smearcount.errors import ModelError, UsageError
from smearcount.training.augment import Augmentation
from smearcount.training.data import DataSource, TrainingData
from smearcount.training.networks.architectures import get_architecture
from smearcount.training.networks.protocol import Architecture
from smearcount.training.recipes.recipe import Recipe, read_recipe, with_epochs

SETTINGS_FILE: Final = "settings.json"
LAST_CHECKPOINT: Final = "last.ckpt"
BEST_CHECKPOINT: Final = "best.ckpt"
FIT_FILE: Final = "fitted.json"
WEIGHTS_FILE: Final = "weights.pth"
ONNX_FILE: Final = "model.onnx"

CURVES_STATE: Final = "Curves"
"""The key of the rows of the curves in a checkpoint."""


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
    data: DataSource
    train: str
    val: str | None


def resolve_recipe(arch: str, recipe: str | Path | Recipe | None, epochs: int | None) -> Recipe:
    """Return the recipe that a training follows; see :func:`.training.train`.

    Raises:
        UsageError: there is no such architecture or recipe, its windows do not fit the network, or
            the epochs make no sense.
    """
    architecture = get_architecture(arch)
    if not isinstance(recipe, Recipe):
        recipe = read_recipe(recipe or architecture.recipe)
    augmentation = recipe.augmentation
    if isinstance(augmentation, Augmentation) and augmentation.crop_px % architecture.stride:
        raise UsageError(
            f"crop_px = {augmentation.crop_px}: {arch} needs a multiple of {architecture.stride}."
        )
    return recipe if epochs is None else with_epochs(recipe, epochs)


def make_settings(
    source: DataSource, data: TrainingData, arch: str, recipe: Recipe, weights: str, seed: int
) -> RunSettings:
    """Return all that decides how a training goes; see :func:`.training.train`."""
    val = None if source.val is None else str(Path(source.val).resolve())
    return RunSettings(
        architecture=arch,
        recipe=recipe,
        weights=weights,
        seed=seed,
        classes=data.train.classes,
        data=replace(source, data=str(Path(source.data).resolve()), val=val),
        train=labels_digest(data.train.images),
        val=labels_digest(data.val.images),
    )


def read_settings(run: Path) -> RunSettings:
    """Read the settings of a run.

    Raises:
        UsageError: the folder is not a run.
    """
    path = run / SETTINGS_FILE
    try:
        return RunSettings.model_validate_json(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(
            f"{run}: not a training run; it has no {SETTINGS_FILE}, which every training writes."
        ) from None
    except (OSError, UnicodeDecodeError, ValidationError):
        raise UsageError(f"{path}: damaged or of another version; use a new folder.") from None


def architecture_of(settings: RunSettings) -> Architecture:
    """Return the architecture of a run, at the magnification that its recipe asks for."""
    architecture = get_architecture(settings.architecture)
    return replace(architecture, rbc_px=settings.recipe.rbc_px or architecture.rbc_px)


def claim(run: Path, settings: RunSettings, begun_file: str = LAST_CHECKPOINT) -> None:
    """Make ``run`` the folder of these settings, or check that it already is.

    Args:
        run: the folder.
        settings: of the run that it is to hold.
        begun_file: the file that work leaves behind; without it the settings may still change.

    Raises:
        UsageError: the folder holds a run with other settings.
    """
    if not (run / SETTINGS_FILE).exists() or not (run / begun_file).exists():
        make_folder(run)
        write_text(run / SETTINGS_FILE, settings.model_dump_json(indent=2) + "\n")
        return
    begun = read_settings(run)
    for name in RunSettings.model_fields:
        # The same images may lie elsewhere today: their digests decide, not their path.
        if name != "data" and getattr(begun, name) != getattr(settings, name):
            raise UsageError(
                f"{run}: this run was begun with another {name} "
                f"({_difference(begun, settings, name)}); give the same settings to go on, or "
                "another folder."
            )


def _difference(begun: RunSettings, settings: RunSettings, name: str) -> str:
    """Return what a setting was and what it is now; of recipes, their first difference."""
    before, now = getattr(begun, name), getattr(settings, name)
    if isinstance(before, Recipe):
        entries = (key for key in Recipe.model_fields if getattr(before, key) != getattr(now, key))
        key = next(entries)
        return f"{key} {getattr(before, key)}, now {getattr(now, key)}"
    return f"{before}, now {now}"


@dataclass(frozen=True)
class FitResult:
    """What a training kept.

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


def read_checkpoint(path: Path) -> FitResult:
    """Read the averaged weights of a checkpoint of :func:`.loop.fit`; nothing is executed.

    Raises:
        ModelError: the file is damaged or something else.
    """
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        rows = checkpoint["callbacks"][CURVES_STATE]["rows"]
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
    return FitResult(weights, int(checkpoint["epoch"]) + 1, metrics, seconds)


def shrink_checkpoints(run: Path) -> None:
    """Leave in the checkpoints of a finished training only what :func:`read_checkpoint` reads.

    The optimizer's state and the weights beside their average are three quarters of a file.
    """
    for path in (run / BEST_CHECKPOINT, run / LAST_CHECKPOINT):
        if not path.exists():
            continue
        full = torch.load(path, map_location="cpu", weights_only=True)
        kept = {key: full[key] for key in ("state_dict", "epoch")}
        kept["callbacks"] = {CURVES_STATE: full["callbacks"][CURVES_STATE]}
        with open_atomic(path) as stream:
            torch.save(kept, stream)


def has_ended(run: Path) -> bool:
    """Tell whether the epochs of a run are done, also where its :data:`FIT_FILE` was deleted."""
    if (run / FIT_FILE).exists():
        return True
    try:
        last = torch.load(run / LAST_CHECKPOINT, map_location="cpu", weights_only=True)
        return "optimizer_states" not in last and "state_dict" in last
    except Exception:  # missing, damaged or foreign, of which the reader of checkpoints tells
        return False


def checkpoint_to_resume(run: Path) -> Path | None:
    """Return the checkpoint to go on from, or None where there is none.

    Raises:
        ModelError: there is one, but it is damaged or something else.
    """
    path = run / LAST_CHECKPOINT
    if not path.exists():
        return None
    try:
        read_checkpoint(path)
    except ModelError as error:
        raise ModelError(f"{error} Delete it to train from the beginning.") from None
    return path


def kept_checkpoint(run: Path, validated: bool) -> Path:
    """Return the checkpoint that a training keeps: the best on validation, else the last."""
    best = run / BEST_CHECKPOINT
    return best if validated and best.exists() else run / LAST_CHECKPOINT
