"""Recipes: small readable TOML files that say how a network is trained."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import tomli_w
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from smearcount.errors import UsageError
from smearcount.training.augment import Augmentation


class Recipe(BaseModel):
    """How to train a network.

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
        augmentation: how images are changed at random; ``none`` leaves them as they are.
        close_mosaic_epochs: the last epochs, trained without mosaics; recipes written before named
            it ``plain_epochs``.
        rbc_px: how wide a red cell is shown to the network, in its pixels; None as its architecture
            wants it. A larger one serves small cells and costs time, at counting too.

    Example:
        >>> from smearcount.training import Recipe
        >>> Recipe(epochs=10, learning_rate=1e-3, augmentation="none").batch
        16
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
    close_mosaic_epochs: int = Field(
        default=0, ge=0, validation_alias=AliasChoices("close_mosaic_epochs", "plain_epochs")
    )
    rbc_px: float | None = Field(default=None, gt=0)


def read_recipe(name: str | Path) -> Recipe:
    """Read a recipe of the package by name, or any other by path.

    Args:
        name: such as ``smearnet`` or ``exercise``, or the path of a ``.toml`` file.

    Raises:
        UsageError: there is no such recipe, or an entry is unknown or out of range.

    Example:
        >>> from smearcount.training import read_recipe
        >>> read_recipe("exercise").epochs
        10
    """
    shipped = shipped_recipes()
    folder = resources.files("smearcount.training.recipes")
    file = folder / f"{name}.toml" if str(name) in shipped else Path(name)
    try:
        return Recipe.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise UsageError(
            f"{name}: no such recipe; the package has {', '.join(shipped)}, or give a .toml file."
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{name}: this recipe cannot be read ({error}).") from None
    except ValidationError as error:
        raise UsageError(f"{name}: in this recipe, {_first_problem(error)}.") from None


def shipped_recipes() -> list[str]:
    """Return the names of the package's recipes."""
    entries = resources.files("smearcount.training.recipes").iterdir()
    return sorted(Path(entry.name).stem for entry in entries if entry.name.endswith(".toml"))


def recipe_as_toml(recipe: Recipe) -> str:
    """Return a recipe as the text of a file that :func:`read_recipe` reads."""
    entries: dict[str, Any] = recipe.model_dump(mode="json", exclude_none=True)
    return tomli_w.dumps(entries)


def with_epochs(recipe: Recipe, epochs: int) -> Recipe:
    """Return the recipe for another number of epochs; those counted from the end are scaled too.

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
            "close_mosaic_epochs": round(recipe.close_mosaic_epochs * share),
        }
    )


def _first_problem(error: ValidationError) -> str:
    """Return the first thing wrong with a recipe as a clause."""
    first = error.errors()[0]
    # Pydantic names the alternative of a union, too.
    where = ".".join(str(part) for part in first["loc"] if part != "Augmentation")
    if first["type"] == "extra_forbidden":
        model = Augmentation if where.startswith("augmentation.") else Recipe
        return f"there is no entry {where}; the entries are {', '.join(model.model_fields)}"
    if first["type"] == "tuple_type":
        name = first["loc"][-1]
        return f"{name} must be two numbers, the least and the greatest: {name} = [1.0, 1.0]"
    return f"{where}: {first['msg'].removeprefix('Value error, ')}"
