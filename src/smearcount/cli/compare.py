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
    from smearcount.training.comparison import as_markdown
    from smearcount.training.comparison import compare as run_comparison
    from smearcount.training.data import DataChoice
    from smearcount.training.networks.architectures import ARCHITECTURES

    epochs = dict(_entrant(each) for each in arch or ARCHITECTURES)
    comparison = run_comparison(
        DataChoice(data, val, split, val_split),
        out,
        tuple(epochs),
        range(seeds),
        recipe=recipe,
        weights=weights,
        epochs={name: given for name, given in epochs.items() if given is not None},
        quiet=quiet,
        say=typer.echo,
    )
    typer.echo(as_markdown(comparison))
    typer.echo(f"Table and figure: {out}/compare.csv, compare.md, compare.png")


def _entrant(said: str) -> tuple[str, int | None]:
    """Read ``NAME`` or ``NAME:EPOCHS``."""
    name, colon, epochs = said.partition(":")
    if not colon:
        return name, None
    if not epochs.isdecimal():
        raise UsageError(f"--arch {said}: after the colon goes a number of epochs.")
    return name, int(epochs)
