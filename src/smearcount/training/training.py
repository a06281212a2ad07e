"""Train a detector, from annotated images to model files; retrain the best on all of them."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from smearcount.atomic_write import write_text
from smearcount.calibration.reference_statistics import fit_reference_statistics
from smearcount.classes import RBC
from smearcount.datasets.dataset import Dataset, labels_digest
from smearcount.detector.model_card import ModelCard
from smearcount.errors import UsageError
from smearcount.training.artifacts import Outcome, as_before, finish, measure, write_cards
from smearcount.training.augment import Augmentation
from smearcount.training.data import (
    DataChoice,
    joined,
    read_training_data,
)
from smearcount.training.loop import fit
from smearcount.training.networks.architectures import Architecture, build
from smearcount.training.networks.pretrained import BACKBONE, COCO, apply_weights
from smearcount.training.networks.torchvision_detectors import freeze_early
from smearcount.training.recipes.recipe import Recipe, with_epochs
from smearcount.training.run_folder import (
    BEST,
    FITTED,
    LAST,
    STATE,
    Fitted,
    RunSettings,
    architecture_of,
    claim,
    read_checkpoint,
    read_settings,
    resolved,
    settings_of,
)
from smearcount.training.samples import CellSamples, rbc_diameters
from smearcount.training.torch_detector import UNCHOSEN_THRESHOLD

SCENE_IMAGES = 20
"""Fewer pictures do not say what usual pictures look like."""

UNHASHED = "0" * 64
"""Stands in a card whose file is not written yet."""

Say = Callable[[str], None]
"""Takes one line for the person at the screen."""


def silent(line: str) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class TrainedRun:
    """A finished training.

    Attributes:
        folder: where everything lies.
        settings: what it was.
        fitted: the weights kept, their epoch and what validation measured in it.
        outcome: the model files.
        seconds: wall time of the epochs, those before an interruption included.
    """

    folder: Path
    settings: RunSettings
    fitted: Fitted
    outcome: Outcome
    seconds: float


def train_detector(
    choice: DataChoice,
    out: str | Path,
    *,
    arch: str = "smearnet",
    recipe: str | Recipe | None = None,
    weights: str = "none",
    seed: int = 0,
    epochs: int | None = None,
    quiet: bool = True,
    say: Say = silent,
) -> TrainedRun:
    """Train a detector and write its model files; go on where an interrupted run stopped.

    Args:
        choice: the data.
        out: the run's folder; it is made, or taken up again if it holds this very run.
        arch: a name of :data:`smearcount.training.networks.architectures.ARCHITECTURES`.
        recipe: a recipe, or the name or path of one; None for the architecture's own.
        weights: ``none``, ``coco``, ``backbone`` or a file.
        seed: decides random weights, order and augmentation.
        epochs: instead of the recipe's.
        quiet: no progress bar.
        say: told what a person should know.

    Raises:
        UsageError: an option makes no sense, or ``out`` holds a run with other settings.
        DataError: the images or labels cannot be used.
        ModelError: weights do not fit, or the exported file does not answer as the network does.
        DownloadError: published weights could not be downloaded.
    """
    chosen = resolved(arch, recipe, epochs)
    data = read_training_data(choice)
    if data.dropped:
        say(f"{data.dropped} validation images nearly duplicate a training image and are left out.")
    settings = settings_of(choice, data, arch, chosen, weights, seed)
    folder = Path(out)
    claim(folder, settings)
    return _run(folder, settings, data.train, data.val, None, quiet, say)


def retrain_detector(
    run: str | Path, out: str | Path, *, quiet: bool = True, say: Say = silent
) -> TrainedRun:
    """Train the same network again on training and validation images together.

    It starts from the same weights with the same recipe, for as many epochs as were best in the
    run. The thresholds are the run's, since no image is left to choose new ones on.

    Args:
        run: the folder of a finished training.
        out: the folder of the new one.
        quiet: no progress bar.
        say: told what a person should know.

    Raises:
        UsageError: ``run`` is not a finished training, or its images have changed.
    """
    first = Path(run)
    settings = read_settings(first)
    if not (first / STATE).exists():
        raise UsageError(f"{first}: this training is not finished; run its command again first.")
    data = read_training_data(settings.data)
    if (labels_digest(data.train.images), labels_digest(data.val.images)) != (
        settings.train,
        settings.val,
    ):
        raise UsageError(f"{first}: its images or labels have changed since; train it anew.")
    best = _best_epoch(first)
    everything = joined(data)
    whole = settings.model_copy(
        update={
            "recipe": with_epochs(settings.recipe, best).model_copy(update={"patience": 0}),
            "train": labels_digest(everything.images),
            "val": None,
        }
    )
    folder = Path(out)
    claim(folder, whole)
    say(f"{best} epochs on {len(everything.images)} images, training and validation together.")
    card = ModelCard.read((first / STATE).with_suffix(".json"))
    return _run(folder, whole, everything, None, card, quiet, say)


def _best_epoch(run: Path) -> int:
    try:
        return int(json.loads((run / FITTED).read_text(encoding="utf-8"))["epoch"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(
            f"{run / FITTED}: missing or damaged; delete it and run the training's command again."
        ) from None


def _run(
    folder: Path,
    settings: RunSettings,
    train: Dataset,
    val: Dataset | None,
    earlier: ModelCard | None,
    quiet: bool,
    say: Say,
) -> TrainedRun:
    of = architecture_of(settings)
    torch.manual_seed(settings.seed)
    network = build(of.name, len(settings.classes))
    left = apply_weights(network, of.name, settings.weights)
    if settings.weights in (COCO, BACKBONE):
        freeze_early(network, of.name)
    if left:
        say(f"{len(left)} entries of the weights do not fit and start at random: {left[0]} ...")
    unchanged = None
    if val is not None:
        unchanged = CellSamples(val, of.rbc_px, of.stride)
    fitted = _fit(network, folder, settings, train, unchanged, of, quiet, say)
    seconds = read_checkpoint(folder / LAST).seconds
    facts = {"epoch": fitted.epoch, "seconds": seconds, "metrics": fitted.metrics}
    write_text(folder / FITTED, json.dumps(facts, indent=2) + "\n")
    network.load_state_dict(fitted.weights)
    card = _empty_card(folder, settings, train, of)
    precision = earlier.training.get("precision") if earlier else None
    finished = finish(network, card, of, folder, train, unchanged, precision)
    if unchanged:
        measured = measure(finished.detector, unchanged, settings.classes)
    else:
        measured = as_before(earlier)
    known = _facts(settings, train, val, fitted, seconds) | {"precision": finished.precision}
    whole = card.model_copy(
        update={
            "thresholds": tuple(round(each, 4) for each in measured.thresholds),
            "border_odds_ratio": measured.cut_odds,
            "training": known,
            "metrics": measured.metrics,
            "calibration": measured.calibration,
        }
    )
    outcome = write_cards(finished, whole, folder)
    if outcome.why_no_onnx:
        say(outcome.why_no_onnx)
    return TrainedRun(folder, settings, fitted, outcome, seconds)


def _fit(
    network: torch.nn.Module,
    folder: Path,
    settings: RunSettings,
    train: Dataset,
    unchanged: CellSamples | None,
    of: Architecture,
    quiet: bool,
    say: Say,
) -> Fitted:
    """Train, go on with a training, or read what a finished one kept."""
    recipe = settings.recipe
    if (folder / FITTED).exists():
        say(f"{folder}: the training is finished; its model files are written again.")
        best = unchanged is not None and (folder / BEST).exists()
        return read_checkpoint(folder / (BEST if best else LAST))
    if (folder / LAST).exists():
        say(f"{folder}: going on after the last whole epoch.")
    bold = recipe.augmentation if isinstance(recipe.augmentation, Augmentation) else None
    samples = CellSamples(train, of.rbc_px, of.stride, bold, settings.seed)
    return fit(
        network,
        samples,
        unchanged,
        settings.classes,
        recipe,
        folder,
        seed=settings.seed,
        quiet=quiet,
    )


def _empty_card(folder: Path, settings: RunSettings, train: Dataset, of: Architecture) -> ModelCard:
    """Return what is known of a model before it is measured."""
    has_rbc = RBC in settings.classes
    sized = of.rbc_px or has_rbc
    return ModelCard(
        name=folder.resolve().name,
        architecture=of.name,
        sha256=UNHASHED,
        classes=settings.classes,
        thresholds=(UNCHOSEN_THRESHOLD,) * len(settings.classes),
        iou_threshold=of.iou_threshold,
        rbc_px=of.rbc_px,
        source_rbc_px=round(statistics.median(rbc_diameters(train)), 1) if sized else None,
        stride=of.stride,
        receptive_px=of.receptive_px,
        reference_statistics=fit_reference_statistics(train)
        if has_rbc and len(train.images) >= SCENE_IMAGES
        else None,
    )


def _facts(
    settings: RunSettings, train: Dataset, val: Dataset | None, fitted: Fitted, seconds: float
) -> dict[str, Any]:
    return {
        "train": {"images": len(train.images), "digest": settings.train},
        "val": {"images": len(val.images), "digest": settings.val} if val else None,
        "data": Path(settings.data.data).name,
        "recipe": settings.recipe.model_dump(mode="json"),
        "weights": settings.weights
        if settings.weights in ("none", "coco", "backbone")
        else Path(settings.weights).name,
        "seed": settings.seed,
        "epoch": fitted.epoch,
        "seconds": round(seconds),
        "smearcount": version("smearcount"),
        "torch": torch.__version__,
    }
