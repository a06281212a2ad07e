"""``smearcount calibrate``: fit a model's thresholds, count intervals and quality flags."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smearcount.cli.extras import require
from smearcount.cli.progress import progress_bar
from smearcount.detector.load import SHIPPED, SHIPPED_FILE, load_detector
from smearcount.errors import UsageError

if TYPE_CHECKING:
    from smearcount.calibration.calibration import CalibrationResult
    from smearcount.datasets.dataset import Dataset
    from smearcount.detector.model_card import ModelCard


def calibrate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help=f"A model file, or {SHIPPED!r}.")],
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA", help="COCO .json, or the folder of a COCO, VOC or YOLO data set."
        ),
    ],
    split: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Split of DATA that the model was not trained on. [default: val, or all of DATA "
            "if it has no splits]",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Folder for a copy of the model with its new card."),
    ] = None,
    in_place: Annotated[
        bool, typer.Option("--in-place", help="Write the new card over the model's own.")
    ] = False,
) -> None:
    """Fit MODEL's thresholds, count intervals and quality flags on the annotated images of DATA.

    The model sees the images as in a count: it is not told their magnification. Without -o or
    --in-place nothing is written.
    """
    require("evaluate", "faster_coco_eval", "scipy", "sklearn")
    from smearcount.calibration.calibration import calibrate as fit
    from smearcount.calibration.calibration import max_detector_runs

    file = SHIPPED_FILE if model == SHIPPED else Path(model)
    target = _target(file, out, in_place)
    detector = load_detector(model)
    dataset, training_images = _datasets(data, split, detector.card)
    with progress_bar("calibrating", max_detector_runs(detector, dataset)) as progress:
        result = fit(detector, dataset, training_images=training_images, on_image=progress.advance)
    _print_result(detector.card, result)
    if target is None:
        typer.echo("Nothing was written; name a folder with -o, or give --in-place.", err=True)
        return
    if target != file:
        from smearcount.atomic_write import make_folder

        make_folder(target.parent)
        shutil.copyfile(file, target)
    result.card.write(target.with_suffix(".json"))
    typer.echo(f"Model: {target}", err=True)


def _target(file: Path, out: Path | None, in_place: bool) -> Path | None:
    """Return where the calibrated model shall lie, None for nowhere."""
    if in_place and out is not None:
        raise UsageError("-o and --in-place exclude each other; give one of them.")
    if in_place:
        if file == SHIPPED_FILE:
            raise UsageError("the shipped model stays as it is; name a folder for a copy with -o.")
        return file
    if out is None:
        return None
    target = out / file.name
    if target.resolve() == file.resolve():
        raise UsageError(f"{target}: this is the model itself; give --in-place for that.")
    return target


def _datasets(data: str, split: str | None, card: ModelCard) -> tuple[Dataset, Dataset | None]:
    """Return the images to calibrate on, and those that the model was trained on if DATA has them.

    The split ``train`` is taken for the training images unless the card names others.
    """
    from smearcount.calibration.calibration import was_trained_on
    from smearcount.datasets.clean import clean_dataset
    from smearcount.datasets.read import read_dataset, split_names

    names = split_names(data)
    chosen = split or ("val" if names else None)
    dataset = clean_dataset(read_dataset(data, chosen))
    if chosen is not None:
        dataset = replace(dataset, source=f"{dataset.source} ({chosen})")
    if "train" not in names or chosen == "train":
        return dataset, None
    training_images = clean_dataset(read_dataset(data, "train"))
    return dataset, None if was_trained_on(card, training_images) is False else training_images


def _print_result(card: ModelCard, result: CalibrationResult) -> None:
    """Print count errors before and after, the coverage of the intervals and the quality flags."""
    rows = []
    for name, after in result.after.items():
        before, coverage = result.before[name], result.coverage.get(name)
        rows.append(
            (
                name,
                f"{before.threshold:.2f} → {after.threshold:.2f}",
                f"{before.mae:.2f} → {after.mae:.2f}",
                f"{before.bias:+.2f} → {after.bias:+.2f}",
                f"{coverage.coverage:.1%}" if coverage else "–",
                f"{coverage.width:.1f}" if coverage else "–",
            )
        )
    columns = ("threshold", "mean error", "bias", "coverage", "interval width")
    _print_table(f"{card.name}, cells per image on {len(result.truths)} images", columns, rows)
    typer.echo(
        f"Border odds ratio of red cells: {card.border_odds_ratio:g} → "
        f"{result.card.border_odds_ratio:g}"
    )
    typer.echo("Coverage: intervals fitted on one half of the images hold the true count so often")
    typer.echo("on the other half; the count errors are those of the images fitted on.\n")
    if result.flag_sensitivity:
        flags = [
            (
                row.kind,
                f"{row.images}",
                f"{row.flagged:.1%}",
                ", ".join(f"{flag} {share:.1%}" for flag, share in row.flags.items()),
            )
            for row in result.flag_sensitivity
        ]
        _print_table("Quality flags", ("images", "flagged", "flags"), flags)


def _print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="left" if column == "flags" else "right")
    for row in rows:
        table.add_row(*row)
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = 120
    console.print(table)
