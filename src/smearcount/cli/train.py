"""``smearcount train`` and ``smearcount retrain``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smearcount.cli.extras import require

if TYPE_CHECKING:
    from smearcount.training import TrainedRun

Data = Annotated[
    str,
    typer.Argument(
        help="COCO .json, or the folder of a COCO, VOC or YOLO data set.", metavar="DATA"
    ),
]
Val = Annotated[
    str | None, typer.Option("--val", help="Another data set to validate on.", metavar="DATA")
]
Split = Annotated[
    str | None, typer.Option(help="Split of DATA to learn from. [default: train]", metavar="NAME")
]
ValSplit = Annotated[
    str | None, typer.Option(help="Split to validate on. [default: val]", metavar="NAME")
]
ARCH_NAMES = (
    "smearnet, ssd300_vgg16, ssdlite320_mobilenet_v3_large, fasterrcnn_resnet50_fpn_v2, "
    "retinanet_resnet50_fpn_v2, fcos_resnet50_fpn, yolox_nano, yolox_s"
)
"""Named here, since the list itself takes seconds to import; a test holds the two equal."""

RECIPE_NAMES = (
    "exercise, smearnet, smearnet-few, smearnet-one, smearnet-finish, smearnet-stains, yolox, or "
    "one named as its architecture"
)
Arch = Annotated[str, typer.Option(help=f"Architecture: {ARCH_NAMES}.", metavar="NAME")]
Weights = Annotated[
    str,
    typer.Option(help="Start from: none (random), coco, backbone, or a .pth/.safetensors file."),
]
Seed = Annotated[int, typer.Option(min=0)]
Epochs = Annotated[int | None, typer.Option(help="Epochs instead of the recipe's.", min=1)]
Out = Annotated[
    Path, typer.Option("--out", "-o", help="Folder of the run; goes on if it has begun.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")]


def require_training() -> None:
    """Return if networks can be trained here; else raise an error with what to install."""
    require("train", "torch", "torchvision", "pytorch_lightning", "onnx", "optuna")


def train(
    data: Data,
    out: Out,
    val: Val = None,
    split: Split = None,
    val_split: ValSplit = None,
    arch: Arch = "smearnet",
    recipe: Annotated[
        str | None,
        typer.Option(
            help=f"Recipe: a .toml file, or {RECIPE_NAMES}. [default: the architecture's]",
            metavar="NAME|FILE",
        ),
    ] = None,
    weights: Weights = "none",
    seed: Seed = 0,
    epochs: Epochs = None,
    quiet: Quiet = False,
) -> None:
    """Train a detector on annotated images, measure it and write its model files."""
    require_training()
    from smearcount.training import DataSource
    from smearcount.training import train as train_detector

    trained = train_detector(
        DataSource(data, val, split, val_split),
        out,
        arch=arch,
        recipe=recipe,
        weights=weights,
        seed=seed,
        epochs=epochs,
        quiet=quiet,
        on_message=typer.echo,
    )
    _print_result(trained)


def retrain(
    run: Annotated[Path, typer.Argument(help="Folder of a finished training.", metavar="RUN")],
    out: Out,
    quiet: Quiet = False,
) -> None:
    """Train the network of RUN again, on its training and validation images together."""
    require_training()
    from smearcount.training import retrain as retrain_detector

    _print_result(retrain_detector(run, out, quiet=quiet, on_message=typer.echo))


def _print_result(trained: TrainedRun) -> None:
    card = trained.card
    metrics = card.metrics.get("validation", {})
    typer.echo(f"Kept epoch {trained.fit.epoch}, after {trained.seconds / 60:.1f} min.")
    for name, threshold in zip(card.classes, card.thresholds, strict=True):
        ap = metrics.get(f"map_50_{name}")
        measured = f"AP50 {ap:.3f}, " if ap is not None else ""
        typer.echo(f"  {name}: {measured}counts from a score of {threshold:.2f}")
    if "map" in metrics:
        typer.echo(f"  mAP {metrics['map']:.3f}, mAP50 {metrics['map_50']:.3f} on validation")
    typer.echo(f"Model: {trained.model}")
