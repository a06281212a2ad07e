"""Search a better recipe with Optuna; every trial is kept in one SQLite file, so it can go on."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import optuna

from smearcount.atomic_write import write_text
from smearcount.errors import UsageError
from smearcount.training.augment import Augmentation
from smearcount.training.data import DataSource, as_source, read_training_data
from smearcount.training.networks.architectures import RANDOM
from smearcount.training.recipes.recipe import Recipe, recipe_as_toml
from smearcount.training.run_folder import claim, make_settings, resolve_recipe
from smearcount.training.training import OnMessage, train

STUDY_FILE: Final = "study.sqlite"
"""Holds all trials."""

BEST_RECIPE_FILE: Final = "best.toml"

_OLD_NAMES: Final = {"looks": "photometric_strength"}
"""Parameters by their names in studies that were begun before."""


@dataclass(frozen=True)
class TunedRecipe:
    """The result of a search.

    Attributes:
        recipe: the best recipe, with the number of epochs that it was given.
        map: the mAP that it reached on validation.
        trials: how many trainings have finished.
        path: the recipe as a file, for ``--recipe``.
    """

    recipe: Recipe
    map: float
    trials: int
    path: Path


def tune(
    data: str | Path | DataSource,
    out: str | Path,
    *,
    arch: str = "smearnet",
    recipe: str | Path | Recipe | None = None,
    weights: str | Path = RANDOM,
    trials: int = 20,
    epochs: int | None = None,
    seed: int = 0,
    quiet: bool = True,
    on_message: OnMessage | None = None,
) -> TunedRecipe:
    """Try recipes around a given one until ``trials`` are finished, and write the best.

    Learning rate and weight decay are searched, and, where the recipe augments images, its zoom,
    share of mosaics and photometric strength. A study that was interrupted goes on, and so does its
    training.

    Args:
        data: a folder with the splits ``train`` and ``val``, or where the images come from.
        out: a folder; gets ``study.sqlite``, one run per trial and ``best.toml``.
        arch: what to train.
        recipe: where to start; None for the architecture's own.
        weights: what each training starts from.
        trials: how many finished trainings there should be in all.
        epochs: of each trial, instead of the recipe's.
        seed: of every training and of the search.
        quiet: no progress bars.
        on_message: called with each line that the user should know.

    Raises:
        UsageError: an argument makes no sense, or ``out`` holds a search with others or other data.
        DataError: the images or labels cannot be used.

    Example:
        >>> from smearcount.training import tune
        >>> tune("bccd", "runs/tuned", trials=5, epochs=20).recipe.learning_rate  # doctest: +SKIP
        0.0031
    """
    if trials < 1:
        raise UsageError(f"{trials} trials: a search needs at least one.")
    source = as_source(data)
    start = resolve_recipe(arch, recipe, epochs)
    folder = Path(out)
    images = read_training_data(source)
    claim(folder, make_settings(source, images, arch, start, str(weights), seed), STUDY_FILE)

    def objective(trial: optuna.Trial) -> float:
        chosen = suggest(start, trial)
        if on_message:
            on_message(f"trial {trial.number}: {_as_text(trial.params)}")
        # Named by its content, so that an interrupted training goes on where it stopped.
        digest = hashlib.sha256(recipe_as_toml(chosen).encode()).hexdigest()[:10]
        trained = train(
            source, folder / f"trial-{digest}", arch=arch, recipe=chosen, weights=weights,
            seed=seed, quiet=quiet, on_message=on_message,
        )  # fmt: skip
        reached = float(trained.card.metrics["validation"].get("map", 0.0))
        if on_message:
            on_message(f"trial {trial.number}: mAP {reached:.4f}")
        return reached

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna's storage warns of its own database library
        study = _open_study(folder, f"mAP of {arch}, {weights} weights", seed)
        if not study.trials:
            study.enqueue_trial(_as_params(start))
        while len(_finished(study)) < trials:
            study.optimize(objective, n_trials=1)
    best = suggest(start, optuna.trial.FixedTrial(_renamed(study.best_params)))
    path = folder / BEST_RECIPE_FILE
    write_text(path, recipe_as_toml(best))
    return TunedRecipe(best, float(study.best_value), len(_finished(study)), path)


def _open_study(folder: Path, name: str, seed: int) -> optuna.Study:
    """Open the folder's study or begin one; interrupted trials wait to be repeated."""
    study = optuna.create_study(
        study_name=name,
        storage=f"sqlite:///{(folder / STUDY_FILE).resolve()}",
        direction="maximize",
        load_if_exists=True,
    )
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials))
    for trial in study.get_trials(states=(optuna.trial.TrialState.RUNNING,)):
        study.enqueue_trial(_renamed(trial.params))
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    return study


def suggest(start: Recipe, trial: optuna.trial.BaseTrial) -> Recipe:
    """Return a recipe near ``start`` with the parameters that a trial suggests."""
    changes: dict[str, Any] = {
        "learning_rate": trial.suggest_float(
            "learning_rate", start.learning_rate / 5, start.learning_rate * 5, log=True
        ),
        "weight_decay": trial.suggest_float("weight_decay", 1e-4, 0.1, log=True),
    }
    augmentation = start.augmentation
    if isinstance(augmentation, Augmentation):
        greatest = trial.suggest_float("photometric_strength", 0.0, 1.5)
        least, usual = augmentation.photometric_strength
        changes["augmentation"] = augmentation.model_copy(
            update={
                "scale_octaves": trial.suggest_float("scale_octaves", 0.0, 1.0),
                "mosaic": trial.suggest_float("mosaic", 0.0, 1.0),
                "photometric_strength": (greatest * least / (usual or 1.0), greatest),
            }
        )
    return start.model_copy(update=changes)


def _as_params(recipe: Recipe) -> dict[str, float]:
    """Return the recipe itself as the first trial, where it lies within the search."""
    params = {
        "learning_rate": recipe.learning_rate,
        "weight_decay": min(0.1, max(1e-4, recipe.weight_decay)),
    }
    augmentation = recipe.augmentation
    if isinstance(augmentation, Augmentation):
        params |= {
            "scale_octaves": augmentation.scale_octaves,
            "mosaic": augmentation.mosaic,
            "photometric_strength": augmentation.photometric_strength[1],
        }
    return params


def _renamed(params: dict[str, float]) -> dict[str, float]:
    return {_OLD_NAMES.get(name, name): value for name, value in params.items()}


def _finished(study: optuna.Study) -> list[Any]:
    return list(study.get_trials(states=(optuna.trial.TrialState.COMPLETE,)))


def _as_text(params: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in params.items())
