"""``smearcount evaluate``: how well a model counts, on annotated or on drawn images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smearcount.atomic_write import make_folder, write_text
from smearcount.cli.count import Classes
from smearcount.cli.extras import require
from smearcount.cli.progress import progress_bar
from smearcount.detector.load import SHIPPED, load_detector
from smearcount.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smearcount.datasets.dataset import Dataset
    from smearcount.evaluation.evaluation import Evaluation
    from smearcount.evaluation.robustness import Curve


def evaluate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help=f"A model file, or {SHIPPED!r}.")],
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="[DATA]", help="COCO .json, or the folder of a COCO, VOC or YOLO data set."
        ),
    ] = None,
    split: Annotated[
        str | None, typer.Option(metavar="NAME", help="Split of DATA; without it all of it.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Folder for evaluation.html, .json and tables as CSV."),
    ] = None,
    group_by: Annotated[
        str,
        typer.Option(
            metavar="folder|REGEX|CSV",
            help="What makes fields one slide: their folder, what REGEX finds in their path, or "
            "a .csv with the columns image and slide.",
        ),
    ] = "folder",
    allowed: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLASS=PERCENT",
            help="Allowed error of a slide. [default: RBC=4, WBC=10, Platelets=25]",
        ),
    ] = None,
    without_duplicates_of: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DATA[:SPLIT]",
            help="Leave out images that show a picture of this data set, such as the one that "
            "the model learned from, and repeated ones.",
        ),
    ] = None,
    pixel_size: Annotated[
        float | None,
        typer.Option(
            help="Micrometers per pixel; without it the file's, if plausible, else estimated from "
            "the red cells."
        ),
    ] = None,
    classes: Classes = None,
    synthetic: Annotated[
        bool, typer.Option("--synthetic", help="Count drawn smears that get harder, too.")
    ] = False,
) -> None:
    """Measure how well MODEL counts the cells of DATA, or of drawn smears, or both."""
    if data is None and not synthetic:
        raise UsageError("name a data set to evaluate on, or give --synthetic for drawn smears.")
    require("evaluate", "faster_coco_eval", "matplotlib", "scipy")
    from smearcount.counts.grouping import grouping
    from smearcount.evaluation.count_agreement import ALLOWED_ERROR
    from smearcount.evaluation.evaluation import evaluate as evaluate_detector
    from smearcount.evaluation.report.terminal import print_evaluation, print_robustness
    from smearcount.evaluation.robustness import measure_robustness, n_smears

    limits = dict(ALLOWED_ERROR) | _allowed_errors(allowed or [])
    slide_of = grouping(group_by)
    if out is not None:
        make_folder(out)
    detector = load_detector(model, classes=classes.split(",") if classes else None)
    evaluation, curves = None, []
    if data is not None:
        dataset = _dataset(data, split, without_duplicates_of or [])
        with progress_bar("counting", len(dataset)) as progress:
            evaluation = evaluate_detector(
                detector,
                dataset,
                slide_of=slide_of,
                allowed=limits,
                pixel_size_um=pixel_size,
                on_image=progress.advance,
            )
        print_evaluation(evaluation)
    if synthetic:
        with progress_bar("drawing and counting", n_smears()) as progress:
            curves = measure_robustness(detector, on_smear=progress.advance)
        print_robustness(curves)
    if out is not None:
        _write(out, detector.card.name, evaluation, curves)
        typer.echo(f"Page, tables and figures are in {out}", err=True)


def _write(out: Path, model: str, evaluation: Evaluation | None, curves: Sequence[Curve]) -> None:
    from smearcount.evaluation.report.files import write_evaluation, write_robustness
    from smearcount.evaluation.report.html import html_page
    from smearcount.evaluation.report.worst_images import worst_images

    worst = []
    if evaluation is not None:
        write_evaluation(evaluation, out)
        worst = worst_images(evaluation)
    if curves:
        write_robustness(curves, out)
    write_text(out / "evaluation.html", html_page(model, evaluation, worst, curves))


def _dataset(data: str, split: str | None, others: list[str]) -> Dataset:
    from smearcount.datasets.clean import clean_dataset
    from smearcount.datasets.near_duplicates import deduplicate, without_duplicates_of
    from smearcount.datasets.read import read_dataset

    dataset = clean_dataset(read_dataset(data, split))
    for note in dataset.notes:
        typer.echo(note, err=True)
    for other in others:
        path, part = _named_split(other)
        dataset = without_duplicates_of(dataset, read_dataset(path, part))
    if others:
        dataset = deduplicate(dataset)
    named = dataset.source if split is None else f"{dataset.source} ({split})"
    return replace(dataset, source=named)


def _named_split(data: str) -> tuple[str, str | None]:
    """Return path and split of ``DATA:SPLIT``; a path may itself hold a colon, as on Windows."""
    path, colon, split = data.rpartition(":")
    named = colon and not {"/", "\\"} & set(split) and not Path(data).exists()
    return (path, split) if named else (data, None)


def _allowed_errors(given: list[str]) -> dict[str, float]:
    """Return shares by class name from options like ``RBC=4``."""
    from smearcount.classes import canonical_name

    limits = {}
    for word in given:
        name, _, number = word.partition("=")
        try:
            share = float(number.removesuffix("%")) / 100
        except ValueError:
            share = -1.0
        if not name or not 0 <= share < float("inf"):
            raise UsageError(f"--allowed {word}: write it as CLASS=PERCENT, such as RBC=4.")
        limits[canonical_name(name)] = share
    return limits
