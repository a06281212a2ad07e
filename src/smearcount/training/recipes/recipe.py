"""Recipes: small readable TOML files that say how a network is trained."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from importlib import resources
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from smearcount.errors import UsageError
from smearcount.training.augment import Augmentation


class Recipe(BaseModel):
    """How to train; every entry can be read aloud.

    Attributes:
        epochs: passes over the training images.
        batch: images per step.
        learning_rate: the highest of the schedule.
        weight_decay: of AdamW.
        schedule: ``cosine``: three epochs of warm-up, then a cosine to 1 %; ``step``: a tenth
            every ``step_epochs`` epochs.
        step_epochs: see ``schedule``.
        clip: the gradient's largest norm; 0 does not clip.
        ema: decay of the averaged weights that are validated and kept; 0 keeps the last ones.
        patience: epochs without a better validation mAP after which training stops; 0 never.
        validate_every: epochs between validations.
        precision: ``bf16-mixed`` or ``32-true``, as Lightning names them; ``auto`` takes bf16 where
            the processor has instructions for it: without them it is three times slower.
        augmentation: how boldly images are changed; ``none`` shows them as they are.
        plain_epochs: the last epochs, trained without mosaics.
        rbc_px: how wide a red cell is shown to the network, in its pixels; None as its architecture
            wants it. A larger one serves small cells and costs time, at counting too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int = Field(ge=1)
    batch: int = Field(default=16, ge=1)
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    schedule: Literal["cosine", "step"] = "cosine"
    step_epochs: int = Field(default=3, ge=1)
    clip: float = Field(default=10.0, ge=0)
    ema: float = Field(default=0.998, ge=0, lt=1)
    patience: int = Field(default=0, ge=0)
    validate_every: int = Field(default=1, ge=1)
    precision: Literal["auto", "bf16-mixed", "32-true"] = "auto"
    augmentation: Augmentation | Literal["none"] = Augmentation()
    plain_epochs: int = Field(default=0, ge=0)
    rbc_px: float | None = Field(default=None, gt=0)


def read_recipe(name: str) -> Recipe:
    """Read a recipe of the package by name, or any other by path.

    Raises:
        UsageError: there is no such recipe, or an entry is unknown or out of range.
    """
    folder = resources.files("smearcount.training.recipes")
    shipped = sorted(
        Path(entry.name).stem for entry in folder.iterdir() if entry.name.endswith(".toml")
    )
    file = folder / f"{name}.toml" if name in shipped else Path(name)
    try:
        return Recipe.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise UsageError(
            f"{name}: no such recipe; the package has {', '.join(shipped)}, or give a .toml file."
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{name}: this recipe cannot be read ({error}).") from None
    except ValidationError as error:
        raise UsageError(f"{name}: in this recipe, {_problem(error)}.") from None


def _problem(error: ValidationError) -> str:
    """Return the first thing wrong with a recipe, in words."""
    first = error.errors()[0]
    # Pydantic names the alternative of a union, too.
    where = ".".join(str(part) for part in first["loc"] if part != "Augmentation")
    if first["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        inside = where.startswith("augmentation.")
        known = [f.name for f in fields(Augmentation)] if inside else list(Recipe.model_fields)
        return f"there is no entry {where}; the entries are {', '.join(known)}"
    if where == "augmentation.looks" and first["type"] == "tuple_type":
        return "looks must be two numbers, the least and the greatest: looks = [1.0, 1.0]"
    return f"{where}: {first['msg'].removeprefix('Value error, ')}"


def with_epochs(recipe: Recipe, epochs: int) -> Recipe:
    """Return the recipe for another number of epochs, its patience and plain ones in proportion.

    Raises:
        UsageError: the number is below 1.
    """
    if epochs < 1:
        raise UsageError(f"{epochs} epochs: a training needs at least one.")
    share = epochs / recipe.epochs
    return recipe.model_copy(
        update={
            "epochs": epochs,
            "patience": round(recipe.patience * share),
            "plain_epochs": round(recipe.plain_epochs * share),
        }
    )
