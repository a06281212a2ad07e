"""Search a better recipe with Optuna; resumable, since every trial is kept in one SQLite file."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import optuna

from smearcount.atomic_write import write_text
from smearcount.errors import UsageError
from smearcount.training.augment import Augmentation
from smearcount.training.data import DataChoice, read_training_data
from smearcount.training.recipes.recipe import Recipe
from smearcount.training.run_folder import claim, resolved, settings_of
from smearcount.training.training import Say, silent, train_detector

STUDY = "study.sqlite"
"""The file that holds all trials."""


@dataclass(frozen=True)
class Tuned:
    """What a search found.

    Attributes:
        recipe: the best recipe, with the number of epochs that it was given.
        map: what mAP it reached on validation.
        trials: how many trainings are behind it.
        path: the recipe as a file, for ``--recipe``.
    """

    recipe: Recipe
    map: float
    trials: int
    path: Path


def tune(
    choice: DataChoice,
    out: str | Path,
    *,
    arch: str = "smearnet",
    recipe: str | None = None,
    weights: str = "none",
    trials: int = 20,
    epochs: int | None = None,
    seed: int = 0,
    quiet: bool = True,
    say: Say = silent,
) -> Tuned:
    """Try recipes around a given one until ``trials`` are finished, and write the best.

    Learning rate and weight decay are searched, and, where the recipe changes images, how boldly:
    zoom, mosaics and looks. A study that was interrupted goes on, and so does its training.

    Args:
        choice: the data.
        out: a folder; gets ``study.sqlite``, one run per trial and ``best.toml``.
        arch: what to train.
        recipe: where to start; None for the architecture's own.
        weights: what each training starts from.
        trials: how many finished trainings there should be in all.
        epochs: of each trial, instead of the recipe's.
        seed: of every training and of the search.
        quiet: no progress bars.
        say: told what a person should know.

    Raises:
        UsageError: an option makes no sense, or ``out`` holds a search with others or other data.
        DataError: the images or labels cannot be used.
    """
    if trials < 1:
        raise UsageError(f"{trials} trials: a search needs at least one.")
    base = resolved(arch, recipe, epochs)
    folder = Path(out)
    claim(folder, settings_of(choice, read_training_data(choice), arch, base, weights, seed), STUDY)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna's storage warns of its own database library
        study = optuna.create_study(
            study_name=f"mAP of {arch}, {weights} weights",
            storage=f"sqlite:///{(folder / STUDY).resolve()}",
            direction="maximize",
            load_if_exists=True,
        )
        study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials))
        for trial in study.get_trials(states=(optuna.trial.TrialState.RUNNING,)):
            study.enqueue_trial(trial.params)
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        if not study.trials:
            study.enqueue_trial(_as_params(base))

        def objective(trial: optuna.Trial) -> float:
            chosen = varied(base, trial)
            say(f"trial {trial.number}: {_told(trial.params)}")
            # Named by its content, so that an interrupted training goes on where it stopped.
            run = folder / f"trial-{hashlib.sha256(as_toml(chosen).encode()).hexdigest()[:10]}"
            trained = train_detector(
                choice, run, arch=arch, recipe=chosen, weights=weights, seed=seed,
                quiet=quiet, say=say,
            )  # fmt: skip
            reached = float(trained.outcome.card.metrics["validation"].get("map", 0.0))
            say(f"trial {trial.number}: mAP {reached:.4f}")
            return reached

        while len(_finished(study)) < trials:
            study.optimize(objective, n_trials=1)
    best = varied(base, optuna.trial.FixedTrial(study.best_params))
    path = folder / "best.toml"
    write_text(path, as_toml(best))
    return Tuned(best, float(study.best_value), len(_finished(study)), path)


def varied(base: Recipe, trial: optuna.trial.BaseTrial) -> Recipe:
    """Return a recipe near ``base`` as a trial suggests it."""
    changes: dict[str, Any] = {
        "learning_rate": trial.suggest_float(
            "learning_rate", base.learning_rate / 5, base.learning_rate * 5, log=True
        ),
        "weight_decay": trial.suggest_float("weight_decay", 1e-4, 0.1, log=True),
    }
    bold = base.augmentation
    if isinstance(bold, Augmentation):
        most = trial.suggest_float("looks", 0.0, 1.5)
        changes["augmentation"] = replace(
            bold,
            scale_octaves=trial.suggest_float("scale_octaves", 0.0, 1.0),
            mosaic=trial.suggest_float("mosaic", 0.0, 1.0),
            looks=(most * bold.looks[0] / (bold.looks[1] or 1.0), most),
        )
    return base.model_copy(update=changes)


def as_toml(recipe: Recipe) -> str:
    """Return a recipe as the text of a file that :func:`read_recipe` reads."""
    entries = recipe.model_dump(mode="json", exclude_none=True)
    bold = entries.pop("augmentation")
    lines = [f"{name} = {_value(value)}" for name, value in entries.items()]
    if isinstance(bold, dict):
        lines += ["", "[augmentation]"]
        lines += [f"{name} = {_value(value)}" for name, value in bold.items()]
    else:
        lines.append(f'augmentation = "{bold}"')
    return "\n".join([*lines, ""])


def _value(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _as_params(base: Recipe) -> dict[str, float]:
    """Return the recipe itself as the first trial, where it lies within the search."""
    params = {
        "learning_rate": base.learning_rate,
        "weight_decay": min(0.1, max(1e-4, base.weight_decay)),
    }
    if isinstance(base.augmentation, Augmentation):
        bold = base.augmentation
        params |= {
            "scale_octaves": bold.scale_octaves, "mosaic": bold.mosaic, "looks": bold.looks[1]
        }  # fmt: skip
    return params


def _finished(study: optuna.Study) -> list[Any]:
    return list(study.get_trials(states=(optuna.trial.TrialState.COMPLETE,)))


def _told(params: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in params.items())
