"""``smearcount data``: fetch, cut, convert and check annotated data sets."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from smearcount.cli.progress import progress_bar
from smearcount.detector.load import SHIPPED, load_detector
from smearcount.errors import UsageError

if TYPE_CHECKING:
    from smearcount.datasets.check import DataReport
    from smearcount.datasets.read import Dataset
    from smearcount.evaluation.missing_labels import MissingLabel


_SHOWN: Final = 5

_DataPath = Annotated[
    str,
    typer.Argument(
        metavar="DATA", help="COCO .json, a folder in COCO, VOC or YOLO layout, or a .zip of one."
    ),
]

data = typer.Typer(
    name="data",
    help="Fetch, cut, convert and check annotated data sets.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@data.command("fetch")
def fetch_data(
    name: Annotated[Literal["bccd", "txl-pbc"], typer.Argument(help="Which public data set.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder to make. [default: NAME]")
    ] = None,
    host: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Download a public data set at its pinned commit, resumed, verified and unpacked."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    from smearcount.datasets.fetch import HOST, fetch

    folder = out or Path(name)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None)
        fetched = fetch(
            name,
            folder,
            host or HOST,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    rest = f", {fetched.unverified} without a known digest" if fetched.unverified else ""
    typer.echo(f"{fetched.folder}: {fetched.verified} files verified{rest}.")


@data.command("exercise")
def exercise(
    bccd: Annotated[
        Path | None,
        typer.Argument(metavar="[BCCD]", help="The BCCD folder; without it, BCCD is fetched."),
    ] = None,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to make.")] = Path("exercise"),
) -> None:
    """Write the course exercise's 50, 20 and 20 images of BCCD in its COCO layout."""
    from smearcount.datasets.exercise import write_exercise
    from smearcount.datasets.fetch import fetch

    folder = out.resolve()
    source = bccd or fetch("bccd", folder.with_name(f"{folder.name}-public")).folder
    if source.resolve() == folder:
        raise UsageError(f"{out}: this is the data set itself; name another folder with -o.")
    for part, n in write_exercise(source, out).items():
        typer.echo(f"{out / part}.bbox.json: {n} images")


@data.command("convert")
def convert(
    source: _DataPath,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write into.")],
    to: Annotated[Literal["coco", "voc", "yolo"], typer.Option(help="The format to write.")],
    split: Annotated[
        str | None, typer.Option(metavar="NAME", help="One split; without it every split.")
    ] = None,
) -> None:
    """Convert a data set between COCO, VOC and YOLO, images included, without a loss.

    Numbers and scores are kept; YOLO coordinates to a millionth of a pixel. A split that joins
    others, such as trainval, is left out in YOLO, which keeps each image once.
    """
    from smearcount.datasets.read import disjoint_splits, read_dataset, splits, write_dataset

    listed = disjoint_splits(source) if to == "yolo" else splits(source)
    for name in (split,) if split else listed or (None,):
        dataset = read_dataset(source, name)
        write_dataset(dataset, out, to, name)
        boxes = sum(len(image) for image in dataset.images)
        typer.echo(f"{out}{f' {name}' if name else ''}: {len(dataset)} images, {boxes} boxes")


@data.command("check")
def check_data(
    source: _DataPath,
    split: Annotated[
        str | None, typer.Option(metavar="NAME", help="One split; without it every split.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help=f"Also list cells that the labels probably miss: a model file, or {SHIPPED!r}.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Folder for check.json and, with --model, suspects.png."),
    ] = None,
) -> None:
    """Report a data set's faults by severity; exit code 1 if there are errors."""
    if model is not None and out is None:
        raise UsageError("--model draws a sheet of the suspects; name a folder for it with -o.")
    from smearcount.atomic_write import make_folder, open_atomic, write_text
    from smearcount.datasets.check import check, read_parts

    parts, broken = read_parts(source, split)
    report = check(parts, broken)
    _print(report)
    suspects = _suspects(parts, model) if model is not None else []
    if out is not None:
        make_folder(out)
        content = asdict(report) | {
            "suspects": [asdict(suspect) | {"path": str(suspect.path)} for suspect in suspects]
        }
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        write_text(out / "check.json", text)
        if suspects:
            from smearcount.evaluation.missing_labels import contact_sheet

            with open_atomic(out / "suspects.png") as stream:
                contact_sheet(suspects).save(stream, format="PNG")
    if any(finding.severity == "error" for finding in report.findings):
        raise typer.Exit(1)


def _print(report: DataReport) -> None:
    for split, cells in report.cells.items():
        counts = ", ".join(f"{count} {name}" for name, count in cells.items())
        typer.echo(f"{split or 'all'}: {report.images[split]} images; {counts}")
    for severity, kind, findings in report.kinds():
        images = len({(finding.split, finding.image) for finding in findings})
        where = f" in {images} images" if findings[0].image else ""
        typer.echo(f"\n{severity}: {kind}: {len(findings)}{where}")
        for finding in findings[:_SHOWN]:
            place = " ".join(part for part in (finding.split, finding.image) if part)
            typer.echo(f"  {place}{': ' if place else ''}{finding.detail}")
        if len(findings) > _SHOWN:
            typer.echo(f"  … and {len(findings) - _SHOWN} more; -o FOLDER writes them all")


def _suspects(parts: dict[str, Dataset], model: str) -> list[MissingLabel]:
    from smearcount.evaluation.missing_labels import find_missing_labels

    detector = load_detector(model)
    suspects: list[MissingLabel] = []
    with progress_bar("looking", sum(len(part) for part in parts.values())) as progress:
        for part in parts.values():
            suspects += find_missing_labels(part, detector, progress.advance)
    suspects.sort(key=lambda suspect: -suspect.score)
    images = len({suspect.path for suspect in suspects})
    typer.echo(f"\nwarning: cell that the labels probably miss: {len(suspects)} in {images} images")
    for suspect in suspects[:_SHOWN]:
        corners = ", ".join(f"{value:.0f}" for value in suspect.box_xyxy_px)
        typer.echo(f"  {suspect.path.name}: {suspect.name} ({suspect.score:.2f}) at ({corners})")
    return suspects
