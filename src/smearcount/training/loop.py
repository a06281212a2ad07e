"""The training loop: a LightningModule around any network, and Lightning's Trainer around that."""

from __future__ import annotations

import logging
import math
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import (
    Callback,
    EarlyStopping,
    ModelCheckpoint,
    TQDMProgressBar,
    WeightAveraging,
)
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from smearcount.detections.detections import Detections
from smearcount.errors import UsageError
from smearcount.evaluation.average_precision import detection_scores
from smearcount.training.curves import Curves
from smearcount.training.networks.protocol import Prediction, Target, TrainableDetector
from smearcount.training.recipes.recipe import Recipe
from smearcount.training.run_folder import (
    BEST_CHECKPOINT,
    LAST_CHECKPOINT,
    FitResult,
    checkpoint_to_resume,
    kept_checkpoint,
    read_checkpoint,
)
from smearcount.training.samples import CellDataModule, CellSamples, drops_last

WARM_UP_EPOCHS = 3
WARM_UP_SHARE = 0.1
"""The rate climbs for three epochs, or in a short training for its first tenth."""


class DetectorModule(pl.LightningModule):
    """A detector as Lightning trains it: its losses, its validation and its optimizer.

    Args:
        network: to be trained.
        recipe: how to train it.
        classes: class names in label order.
        steps_per_epoch: optimizer steps in an epoch; the schedule needs it.
        seed: of the network's own random draws, such as dropout or sampled boxes.
    """

    def __init__(
        self,
        network: TrainableDetector,
        recipe: Recipe,
        classes: Sequence[str],
        steps_per_epoch: int,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.network = network
        self.recipe = recipe
        self.classes = tuple(classes)
        self.steps_per_epoch = steps_per_epoch
        self.seed = seed
        self._truths: list[Detections] = []
        self._predictions: list[Detections] = []

    def on_train_epoch_start(self) -> None:
        """Let every epoch draw from its own seed, so that a resumed run draws the same."""
        torch.manual_seed(self.seed * 100_003 + self.current_epoch)

    def training_step(self, batch: tuple[Tensor, list[Target]], index: int) -> Tensor:
        """Return the summed losses; log each one's true epoch mean."""
        images, targets = batch
        losses = self.network.losses(images, targets)
        total = torch.stack(list(losses.values())).sum()
        for name, value in {**losses, "total": total}.items():
            self.log(f"loss_{name}", value.detach(), on_epoch=True, on_step=False,
                     batch_size=len(images), prog_bar=name == "total")  # fmt: skip
        return total

    def validation_step(self, batch: tuple[Tensor, list[Target]], index: int) -> None:
        """Keep the predictions of a batch."""
        images, targets = batch
        for target, prediction in zip(targets, self.network.predict(images), strict=True):
            self._truths.append(as_detections(target, torch.ones(len(target["labels"]))))
            self._predictions.append(as_detections(prediction, prediction["scores"]))

    def on_validation_epoch_end(self) -> None:
        """Log average precision over the validation images."""
        metrics = epoch_metrics(self._truths, self._predictions, self.classes)
        self._truths.clear()
        self._predictions.clear()
        for name, value in metrics.items():
            self.log(name, value, prog_bar=name == "map_50")

    def configure_optimizers(self) -> Any:
        """Return AdamW and the recipe's schedule; biases and norms are not decayed."""
        decayed = [p for p in self.network.parameters() if p.requires_grad and p.ndim > 1]
        undecayed = [p for p in self.network.parameters() if p.requires_grad and p.ndim <= 1]
        recipe = self.recipe
        if recipe.schedule == "step":
            all_decayed = torch.optim.AdamW(
                decayed + undecayed, lr=recipe.learning_rate, weight_decay=recipe.weight_decay
            )
            steps_down = torch.optim.lr_scheduler.StepLR(all_decayed, recipe.step_epochs, gamma=0.1)
            scheduler = {"scheduler": steps_down, "interval": "epoch"}
            return {"optimizer": all_decayed, "lr_scheduler": scheduler}
        groups = [
            {"params": decayed, "weight_decay": recipe.weight_decay},
            {"params": undecayed, "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate)
        steps = recipe.epochs * self.steps_per_epoch
        warm_up = min(WARM_UP_EPOCHS * self.steps_per_epoch, math.ceil(WARM_UP_SHARE * steps))

        def factor(step: int) -> float:
            if step < warm_up:
                return (step + 1) / warm_up
            share = (step - warm_up) / max(1, steps - warm_up)
            return 0.01 + 0.99 * (1 + math.cos(math.pi * min(1.0, share))) / 2

        cosine = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": cosine, "interval": "step"}}


class MovableCheckpoint(ModelCheckpoint):
    """Finds its files and the best epoch also where the run's folder has been moved.

    Lightning stores the class's name in checkpoints, so renaming it would lose the best epoch of
    runs that are resumed.
    """

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up what was best, in the folder where the files lie today."""
        folder = Path(str(self.dirpath))
        moved = dict(state_dict) | {"dirpath": self.dirpath}
        for key in ("best_model_path", "kth_best_model_path", "last_model_path"):
            moved[key] = str(folder / Path(moved[key]).name) if moved[key] else ""
        best = moved["best_k_models"].items()
        moved["best_k_models"] = {str(folder / Path(path).name): score for path, score in best}
        super().load_state_dict(moved)


def growing_average(decay: float) -> Callable[[list[Tensor], list[Tensor], Tensor], None]:
    """Return an exponential moving average of weights whose decay grows over the first steps.

    After n steps the decay is at most (1 + n) / (10 + n), as in TensorFlow's
    ``ExponentialMovingAverage``: so the average is of use from the first epoch on, and the random
    weights of the start are soon forgotten.

    Args:
        decay: how much of the average stays at each step, in [0, 1), later on.
    """

    def update(averages: list[Tensor], weights: list[Tensor], n: Tensor) -> None:
        current_decay = min(decay, (1 + int(n)) / (10 + int(n)))
        get_ema_multi_avg_fn(current_decay)(averages, weights, n)  # type: ignore[no-untyped-call]

    return update


def epoch_metrics(
    truths: Sequence[Detections], predictions: Sequence[Detections], classes: Sequence[str]
) -> dict[str, float]:
    """Return the keys of torchmetrics' ``MeanAveragePrecision``, those of a class with its name.

    Args:
        truths: one per image.
        predictions: one per image, with low scores kept.
        classes: names in label order.

    Returns:
        ``map``, ``map_50``, ``map_75``, ``map_small`` ..., ``mar_1``, ``mar_10``, ``mar_100``,
        ``mar_small`` ..., and such as ``map_50_RBC`` and ``mar_100_RBC``; NaN where there is no
        true cell. Precision counts every detection, not the best 100 of an image only.
    """
    scores = detection_scores(truths, predictions, classes)
    per_class = {
        f"{key}_{name}": value
        for name, of_class in scores.per_class.items()
        for key, value in of_class.items()
        if key != "mar_all"
    }
    overall = {k: v for k, v in scores.overall.items() if k not in ("map_capped", "mar_all")}
    return overall | per_class


class EpochBar(TQDMProgressBar):
    """A progress bar that counts epochs from 1."""

    def on_train_epoch_start(self, trainer: pl.Trainer, *unused: Any) -> None:
        """Begin the bar of an epoch."""
        super().on_train_epoch_start(trainer, *unused)
        epoch, epochs = trainer.current_epoch + 1, trainer.max_epochs
        self.train_progress_bar.set_description(f"Epoch {epoch}/{epochs}")


def as_detections(cells: Target | Prediction, scores: Tensor) -> Detections:
    """Return targets or predictions of one image as :class:`Detections`."""
    return Detections(
        cells["boxes"].cpu().numpy(), scores.cpu().numpy(), cells["labels"].cpu().numpy()
    )


def fit(
    network: TrainableDetector,
    train: CellSamples,
    val: CellSamples | None,
    classes: Sequence[str],
    recipe: Recipe,
    out: Path,
    *,
    seed: int = 0,
    quiet: bool = False,
) -> FitResult:
    """Train a network; go on where ``out`` left off if it holds a checkpoint.

    Writes ``last.ckpt`` after every epoch, ``best.ckpt`` whenever validation mAP rises, and the
    curves of every loss and metric as ``curves.csv`` and ``curves.png``.

    Args:
        network: to be trained, in place.
        train: training samples.
        val: validation samples; None trains all epochs and keeps the last weights.
        classes: class names in label order.
        recipe: how to train.
        out: the run's folder.
        seed: decides weights, order and augmentation.
        quiet: no progress bar and, where standard output is no terminal, no line per epoch.

    Raises:
        ModelError: the checkpoint in ``out`` is damaged or something else.
        UsageError: the network cannot learn from one image at a time.
    """
    resumed = checkpoint_to_resume(out)
    pl.seed_everything(seed, verbose=False)
    full_batches, left_over = divmod(len(train), recipe.batch)
    keeps_last = not drops_last(len(train), recipe.batch, train.augmentation)
    steps = full_batches + bool(left_over and keeps_last)
    module = DetectorModule(network, recipe, classes, steps, seed)
    precision = best_precision() if recipe.precision == "auto" else recipe.precision
    if recipe.precision != "32-true":
        module = module.to(memory_format=torch.channels_last)
    last = MovableCheckpoint(
        dirpath=out,
        filename=Path(LAST_CHECKPOINT).stem,
        enable_version_counter=False,
        save_on_train_epoch_end=True,
    )
    shows_bars = not quiet and sys.stdout.isatty()
    callbacks: list[Callback] = [Curves(out, prints=not quiet and not shows_bars), last]
    if val is not None:
        best = MovableCheckpoint(
            dirpath=out,
            filename=Path(BEST_CHECKPOINT).stem,
            monitor="map",
            mode="max",
            enable_version_counter=False,
            save_on_train_epoch_end=False,
        )
        callbacks.append(best)
        if recipe.patience:
            checks = max(1, recipe.patience // recipe.validate_every)
            callbacks.append(EarlyStopping("map", mode="max", patience=checks))
    if recipe.ema:
        callbacks.append(WeightAveraging(multi_avg_fn=growing_average(recipe.ema)))
    if shows_bars:
        callbacks.append(EpochBar(refresh_rate=10))
    with quiet_lightning():
        trainer = pl.Trainer(
            accelerator="auto",
            devices=1,  # order, steps and measures are those of one
            max_epochs=recipe.epochs,
            precision=precision,
            gradient_clip_val=recipe.clip or None,
            check_val_every_n_epoch=min(recipe.validate_every, recipe.epochs),
            num_sanity_val_steps=0,
            reload_dataloaders_every_n_epochs=1,
            callbacks=callbacks,
            logger=False,
            enable_model_summary=False,
            enable_progress_bar=shows_bars,
            default_root_dir=out,
        )
        try:
            trainer.fit(
                module,
                datamodule=CellDataModule(train, val, recipe),
                ckpt_path=resumed,
                weights_only=True,
            )
        except ValueError as error:
            if "more than 1 value per channel" not in str(error):
                raise
            raise UsageError(
                "This network learns from two images a step at least; raise batch in its recipe, "
                "or give it more images."
            ) from None
    return read_checkpoint(kept_checkpoint(out, validated=val is not None))


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Leave out Lightning's tips and those of its warnings that no user can act on."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*exists and is not empty.*")
        warnings.filterwarnings("ignore", message=".*LeafSpec.*")
        warnings.filterwarnings("ignore", message="Total length of .* is zero.*")
        yield


def best_precision() -> Literal["bf16-mixed", "32-true"]:
    """Return the precision that trains fastest on this machine."""
    return "bf16-mixed" if torch.cuda.is_available() or _cpu_has_bf16() else "32-true"


def _cpu_has_bf16() -> bool:
    """Tell whether the processor has instructions for bfloat16.

    Older torch, which lacks the public function, has a private one for it.
    """
    get_capabilities: Callable[[], dict[str, Any]] | None
    get_capabilities = getattr(torch.cpu, "get_capabilities", None)
    if get_capabilities is not None:
        return bool(get_capabilities().get("avx512_bf16", False))
    return bool(torch.cpu._is_avx512_bf16_supported())
