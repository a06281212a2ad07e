"""``smearcount tune``."""

from __future__ import annotations

from typing import Annotated

import typer

from smearcount.cli.train import (
    Arch,
    Data,
    Epochs,
    Out,
    Quiet,
    Seed,
    Split,
    Val,
    ValSplit,
    Weights,
    require_training,
)


def tune(
    data: Data,
    out: Out,
    trials: Annotated[int, typer.Option(help="Finished trainings in all.", min=1)] = 20,
    val: Val = None,
    split: Split = None,
    val_split: ValSplit = None,
    arch: Arch = "smearnet",
    recipe: Annotated[
        str | None, typer.Option(help="Recipe to start from. [default: the architecture's]")
    ] = None,
    weights: Weights = "none",
    seed: Seed = 0,
    epochs: Epochs = None,
    quiet: Quiet = False,
) -> None:
    """Search learning rate, weight decay and augmentation; write the best recipe."""
    require_training()
    from smearcount.training import DataSource
    from smearcount.training import tune as search_recipe

    tuned = search_recipe(
        DataSource(data, val, split, val_split),
        out,
        arch=arch,
        recipe=recipe,
        weights=weights,
        trials=trials,
        epochs=epochs,
        seed=seed,
        quiet=quiet,
        on_message=typer.echo,
    )
    typer.echo(f"Best of {tuned.trials}: mAP {tuned.map:.3f}, with the recipe {tuned.path}")
