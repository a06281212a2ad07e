"""``smearcount train-magnification``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from smearcount.cli.train import Quiet, Seed, require_training


def train_magnification(
    data: Annotated[
        str, typer.Argument(help="Folder of an annotated data set with red cells.", metavar="DATA")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The .onnx file to write.")],
    epochs: Annotated[int, typer.Option(help="Of 100 steps of 32 views each.", min=1)] = 24,
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Train the small network that estimates an image's magnification from its red cells."""
    require_training()
    from smearcount.training import train_magnification as train_estimator

    card = train_estimator(data, out, epochs=epochs, seed=seed, quiet=quiet)
    error = card.metrics["validation"]
    typer.echo(
        f"Median error {error['median_error_percent']:.1f} % of the diameter, "
        f"95 % of views within {error['p95_error_percent']:.0f} %."
    )
    typer.echo(f"Magnification estimator: {out}")
