"""Train a detector, from annotated images to model files; retrain the best on all of them."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import torch

from smearcount.atomic_write import write_text
from smearcount.calibration.reference_statistics import MIN_IMAGES, fit_reference_statistics
from smearcount.classes import RBC
from smearcount.datasets.dataset import Dataset, labels_digest
from smearcount.detector.model_card import ModelCard
from smearcount.errors import UsageError
from smearcount.training.artifacts import (
    Artifacts,
    calibrated_card,
    card_after_retraining,
    write_cards,
    write_model_files,
)
from smearcount.training.augment import Augmentation
from smearcount.training.data import (
    DataSource,
    TrainingData,
    as_source,
    merge,
    read_training_data,
)
from smearcount.training.loop import fit
from smearcount.training.networks.architectures import (
    BACKBONE,
    COCO,
    RANDOM,
    build_network,
    freeze_published,
    load_weights,
)
from smearcount.training.networks.protocol import TrainableDetector
from smearcount.training.recipes.recipe import Recipe, with_epochs
from smearcount.training.run_folder import (
    FIT_FILE,
    LAST_CHECKPOINT,
    WEIGHTS_FILE,
    FitResult,
    RunSettings,
    architecture_of,
    claim,
    has_ended,
    kept_checkpoint,
    make_settings,
    read_checkpoint,
    read_settings,
    resolve_recipe,
    shrink_checkpoints,
)
from smearcount.training.samples import CellSamples, rbc_diameters
from smearcount.training.torch_detector import UNCHOSEN_THRESHOLD

NO_SHA256: Final = "0" * 64
"""Stands in a card whose file is not written yet."""

FEW_IMAGES: Final = 30
"""With fewer images to learn from, a training from random weights is warned of: 10 images gave a
model that found no platelet."""

OnMessage = Callable[[str], None]
"""Called with one line for the user at a time; ``print`` shows them."""


@dataclass(frozen=True)
class TrainedRun:
    """A finished training.

    Attributes:
        folder: where everything lies.
        settings: all that decided how it went.
        fit: the weights kept, their epoch and what validation measured in it.
        artifacts: the model files.
        seconds: wall time of the epochs, those before an interruption included.
    """

    folder: Path
    settings: RunSettings
    fit: FitResult
    artifacts: Artifacts
    seconds: float

    @property
    def model(self) -> Path:
        """The file to count with: the ONNX file, or the weights where there is none."""
        return self.artifacts.onnx or self.artifacts.weights

    @property
    def card(self) -> ModelCard:
        """The card of :attr:`model`."""
        return self.artifacts.card


def train(
    data: str | Path | DataSource,
    out: str | Path,
    *,
    arch: str = "smearnet",
    recipe: str | Path | Recipe | None = None,
    weights: str | Path = RANDOM,
    seed: int = 0,
    epochs: int | None = None,
    quiet: bool = True,
    on_message: OnMessage | None = None,
) -> TrainedRun:
    """Train a detector and write its model files; go on where an interrupted run stopped.

    Args:
        data: a folder with the splits ``train`` and ``val``, or where the images come from.
        out: the run's folder; it is made, or taken up again if it holds this very run.
        arch: a name of :data:`smearcount.training.ARCHITECTURES`.
        recipe: a recipe, or the name or path of one; None for the architecture's own.
        weights: ``none`` (random), ``coco``, ``backbone`` or a file.
        seed: decides random weights, order and augmentation.
        epochs: instead of the recipe's.
        quiet: no progress bar.
        on_message: called with each line that the user should know.

    Raises:
        UsageError: an argument makes no sense, or ``out`` holds a run with other settings.
        DataError: the images or labels cannot be used.
        ModelError: weights do not fit, or the exported file does not predict as the network does.
        DownloadError: published weights could not be downloaded.

    Example:
        >>> from smearcount.training import train
        >>> run = train("bccd", "runs/ssd", arch="ssd300_vgg16", weights="coco",
        ...             recipe="exercise")  # doctest: +SKIP
        >>> run.card.metrics["validation"]["map_50"]  # doctest: +SKIP
        0.623
    """
    source = as_source(data)
    chosen_recipe = resolve_recipe(arch, recipe, epochs)
    images = read_training_data(source)
    job = _Job(Path(out), quiet, on_message or _ignore)
    if images.dropped:
        job.on_message(
            f"{images.dropped} validation images nearly duplicate a training image and are left "
            "out."
        )
    for note in (*images.train.notes, *images.val.notes):
        job.on_message(note)
    n_images = len(images.train.images)
    if str(weights) == RANDOM and n_images < FEW_IMAGES:
        job.on_message(
            f"{n_images} images are few to learn from random weights: expect a model that counts "
            "far worse than the one that ships. Start from the weights of an earlier training, or "
            f"annotate {FEW_IMAGES} images or more; and compare both models on images kept aside."
        )
    settings = make_settings(source, images, arch, chosen_recipe, str(weights), seed)
    claim(job.folder, settings)
    return _run(job, settings, images.train, images.val, None)


def retrain(
    run: str | Path,
    out: str | Path,
    *,
    quiet: bool = True,
    on_message: OnMessage | None = None,
) -> TrainedRun:
    """Train the same network again on training and validation images together.

    It starts from the same weights with the same recipe, for as many epochs as were best in the
    run. The thresholds are the run's, since no image is left to choose new ones on.

    Args:
        run: the folder of a finished training.
        out: the folder of the new one.
        quiet: no progress bar.
        on_message: called with each line that the user should know.

    Raises:
        UsageError: ``run`` is not a finished training, or its images have changed.

    Example:
        >>> from smearcount.training import retrain
        >>> retrain("runs/ssd", "runs/ssd-final").model  # doctest: +SKIP
        PosixPath('runs/ssd-final/model.onnx')
    """
    first = Path(run)
    settings = read_settings(first)
    if not (first / WEIGHTS_FILE).exists():
        raise UsageError(f"{first}: this training is not finished; run it again first.")
    data = read_training_data(settings.data)
    if _fingerprints(data) != (settings.train, settings.val):
        raise UsageError(f"{first}: its images or labels have changed since; train it anew.")
    epochs = _kept_epoch(first)
    everything = merge(data)
    changes = {
        "recipe": with_epochs(settings.recipe, epochs).model_copy(update={"patience": 0}),
        "train": labels_digest(everything.images),
        "val": None,
    }
    retraining = settings.model_copy(update=changes)
    job = _Job(Path(out), quiet, on_message or _ignore)
    claim(job.folder, retraining)
    job.on_message(
        f"{epochs} epochs on {len(everything.images)} images, training and validation together."
    )
    card = ModelCard.read((first / WEIGHTS_FILE).with_suffix(".json"))
    return _run(job, retraining, everything, None, card)


@dataclass(frozen=True)
class _Job:
    """Where a training writes, and how it reports.

    Attributes:
        folder: of the run.
        quiet: no progress bar.
        on_message: called with each line that the user should know.
    """

    folder: Path
    quiet: bool
    on_message: OnMessage


def _ignore(message: str) -> None:
    """Drop a message."""


def _fingerprints(data: TrainingData) -> tuple[str, str]:
    return labels_digest(data.train.images), labels_digest(data.val.images)


def _kept_epoch(run: Path) -> int:
    try:
        return int(json.loads((run / FIT_FILE).read_text(encoding="utf-8"))["epoch"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(
            f"{run / FIT_FILE}: missing or damaged; delete it and run the training again."
        ) from None


def _run(
    job: _Job,
    settings: RunSettings,
    train_images: Dataset,
    val_images: Dataset | None,
    earlier_card: ModelCard | None,
) -> TrainedRun:
    """Train, write the model files, measure them and write their cards.

    Args:
        job: where and how.
        settings: of the run.
        train_images: to learn from.
        val_images: to validate on; None in a retraining.
        earlier_card: of the run before a retraining.
    """
    architecture = architecture_of(settings)
    val = None
    if val_images is not None:
        val = CellSamples(val_images, architecture.rbc_px, architecture.stride)
    network = _initial_network(job, settings)
    result = _fit(job, settings, network, train_images, val)
    seconds = read_checkpoint(job.folder / LAST_CHECKPOINT).seconds
    facts = {"epoch": result.epoch, "seconds": seconds, "metrics": result.metrics}
    write_text(job.folder / FIT_FILE, json.dumps(facts, indent=2) + "\n")
    network.load_state_dict(result.weights)

    card = _unmeasured_card(job.folder, settings, train_images)
    precision = earlier_card.training.get("precision") if earlier_card else None
    files = write_model_files(network, card, job.folder, train_images, val, precision)
    if val_images is not None:
        card = calibrated_card(files.detector, val_images)
    else:
        assert earlier_card is not None, "only a retraining has no validation images"
        card = card_after_retraining(card, earlier_card)
    sizes = (len(train_images.images), len(val_images.images) if val_images else None)
    training = _training_facts(settings, sizes, result, seconds) | {"precision": files.precision}
    artifacts = write_cards(files, card.model_copy(update={"training": training}))
    shrink_checkpoints(job.folder)
    if artifacts.why_no_onnx:
        job.on_message(artifacts.why_no_onnx)
    return TrainedRun(job.folder, settings, result, artifacts, seconds)


def _initial_network(job: _Job, settings: RunSettings) -> TrainableDetector:
    """Build the network with the weights that it starts from."""
    torch.manual_seed(settings.seed)
    arch = settings.architecture
    network = build_network(arch, len(settings.classes))
    left_out = load_weights(network, arch, settings.weights)
    if settings.weights in (COCO, BACKBONE):
        freeze_published(network, arch)
    if left_out:
        job.on_message(
            f"{settings.weights}: loaded, but for {len(left_out)} entries, such as {left_out[0]}, "
            f"which are for other classes; the layers for these {len(settings.classes)} classes "
            "start at random."
        )
    return network


def _fit(
    job: _Job,
    settings: RunSettings,
    network: TrainableDetector,
    train_images: Dataset,
    val: CellSamples | None,
) -> FitResult:
    """Train, go on with a training, or read what a finished one kept."""
    folder, recipe = job.folder, settings.recipe
    if has_ended(folder):
        job.on_message(f"{folder}: the training is finished; its model files are written again.")
        return read_checkpoint(kept_checkpoint(folder, validated=val is not None))
    if (folder / LAST_CHECKPOINT).exists():
        job.on_message(f"{folder}: going on after the last whole epoch.")
    architecture = architecture_of(settings)
    samples = CellSamples(
        train_images,
        architecture.rbc_px,
        architecture.stride,
        recipe.augmentation if isinstance(recipe.augmentation, Augmentation) else None,
        settings.seed,
    )
    return fit(
        network,
        samples,
        val,
        settings.classes,
        recipe,
        folder,
        seed=settings.seed,
        quiet=job.quiet,
    )


def _unmeasured_card(folder: Path, settings: RunSettings, train_images: Dataset) -> ModelCard:
    """Return what is known of a model before it is measured."""
    architecture = architecture_of(settings)
    has_rbc = RBC in settings.classes
    source_rbc_px = None
    if architecture.rbc_px or has_rbc:
        source_rbc_px = round(statistics.median(rbc_diameters(train_images)), 1)
    enough = has_rbc and len(train_images.images) >= MIN_IMAGES
    return ModelCard(
        name=folder.resolve().name,
        architecture=architecture.name,
        sha256=NO_SHA256,
        classes=settings.classes,
        thresholds=(UNCHOSEN_THRESHOLD,) * len(settings.classes),
        iou_threshold=architecture.iou_threshold,
        rbc_px=architecture.rbc_px,
        source_rbc_px=source_rbc_px,
        stride=architecture.stride,
        receptive_px=architecture.receptive_px,
        reference_statistics=fit_reference_statistics(train_images) if enough else None,
    )


def _training_facts(
    settings: RunSettings, sizes: tuple[int, int | None], result: FitResult, seconds: float
) -> dict[str, Any]:
    """Return what the card tells of the training.

    Args:
        settings: of the run.
        sizes: the numbers of training and validation images; None in a retraining.
        result: what was kept.
        seconds: wall time of the epochs.
    """
    train_size, val_size = sizes
    published = settings.weights in (RANDOM, COCO, BACKBONE)
    return {
        "train": {"images": train_size, "digest": settings.train},
        "val": {"images": val_size, "digest": settings.val} if val_size is not None else None,
        "data": Path(settings.data.data).name,
        "recipe": settings.recipe.model_dump(mode="json"),
        "weights": settings.weights if published else Path(settings.weights).name,
        "seed": settings.seed,
        "epoch": result.epoch,
        "seconds": round(seconds),
        "smearcount": version("smearcount"),
        "torch": torch.__version__,
    }
