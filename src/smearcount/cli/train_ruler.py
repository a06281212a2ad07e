"""``smearcount train-ruler``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from smearcount.cli.train import require_training


def train_ruler(
    data: Annotated[
        str, typer.Argument(help="Folder of an annotated data set with red cells.", metavar="DATA")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The .onnx file to write.")],
    epochs: Annotated[int, typer.Option(help="Of 100 steps of 32 views each.", min=1)] = 24,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Train the small network that reads an image's magnification from its red cells."""
    require_training()
    from smearcount.training.data import DataChoice
    from smearcount.training.magnification import fit_ruler

    card = fit_ruler(DataChoice(data), out, epochs=epochs, seed=seed, quiet=quiet)
    error = card.metrics["validation"]
    typer.echo(
        f"Median error {error['median_error_percent']:.1f} % of the diameter, "
        f"95 % of views within {error['p95_error_percent']:.0f} %."
    )
    typer.echo(f"Ruler: {out}")
