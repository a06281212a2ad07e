"""``smearcount compare``."""

from __future__ import annotations

from typing import Annotated

import typer

from smearcount.cli.train import (
    Data,
    Out,
    Quiet,
    Split,
    Val,
    ValSplit,
    Weights,
    require_training,
)
from smearcount.errors import UsageError


def compare(
    data: Data,
    out: Out,
    arch: Annotated[
        list[str] | None,
        typer.Option(
            help="Architecture; give it once for each. [default: all]", metavar="NAME[:EPOCHS]"
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Trainings of each, with seeds 0, 1, …", min=1)] = 3,
    val: Val = None,
    split: Split = None,
    val_split: ValSplit = None,
    recipe: Annotated[
        str | None, typer.Option(help="One recipe for all. [default: each architecture's own]")
    ] = None,
    weights: Weights = "none",
    quiet: Quiet = False,
) -> None:
    """Train several architectures on one split, tabulate them and name the one to take."""
    require_training()
    from smearcount.training import ARCHITECTURES, DataSource
    from smearcount.training import compare as compare_architectures
    from smearcount.training.comparison import as_markdown

    epochs = dict(_arch_and_epochs(argument) for argument in arch or ARCHITECTURES)
    comparison = compare_architectures(
        DataSource(data, val, split, val_split),
        out,
        tuple(epochs),
        range(seeds),
        recipe=recipe,
        weights=weights,
        epochs={name: given for name, given in epochs.items() if given is not None},
        quiet=quiet,
        on_message=typer.echo,
    )
    typer.echo(as_markdown(comparison))
    typer.echo(f"Table and figure: {out}/compare.csv, compare.md, compare.png")


def _arch_and_epochs(argument: str) -> tuple[str, int | None]:
    """Read ``NAME`` or ``NAME:EPOCHS``."""
    name, colon, epochs = argument.partition(":")
    if not colon:
        return name, None
    if not epochs.isdecimal():
        raise UsageError(f"--arch {argument}: after the colon goes a number of epochs.")
    return name, int(epochs)
