"""``smearcount data``: fetch, cut, convert and check annotated data sets."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperCommand

from smearcount.cli.exit_codes import ExitCode
from smearcount.cli.progress import progress_bar
from smearcount.detector.load import SHIPPED, load_detector
from smearcount.errors import UsageError

if TYPE_CHECKING:
    from smearcount.datasets.check import DataCheck
    from smearcount.datasets.dataset import Dataset
    from smearcount.evaluation.missing_labels import MissingLabel


_SHOWN: Final = 5
"""So many findings of a kind are printed; ``check.json`` holds all."""

_DataPath = Annotated[
    str,
    typer.Argument(
        metavar="DATA", help="Folder or .json in one of the formats below, or a .zip of one."
    ),
]


class _WithFormats(TyperCommand):
    """A command whose help ends with the table of formats, imported only when help is shown."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the formats below the options."""
        from smearcount.datasets.formats.known_formats import FORMATS

        with formatter.section("Formats"):
            formatter.write_dl([(form.name, f"{form.title}: {form.layout}") for form in FORMATS])


class _WithPublicSets(TyperCommand):
    """A command whose help ends with the list of public data sets."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the public data sets below the options."""
        from smearcount.datasets.public_sets import PUBLIC_SETS

        with formatter.section("Public data sets"):
            formatter.write_dl([(public.name, public.about) for public in PUBLIC_SETS.values()])


data = typer.Typer(
    name="data",
    help="Fetch, cut, convert and check annotated data sets.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@data.command("fetch", cls=_WithPublicSets)
def fetch_data(
    name: Annotated[str, typer.Argument(help="Which public data set.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder to make. [default: NAME]")
    ] = None,
    host: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Download a public data set at its pinned commit, resumed, verified and unpacked."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    from smearcount.datasets.download import HOST, fetch

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=None)
        fetched = fetch(
            name,
            out or Path(name),
            host or HOST,
            lambda done, total: progress.update(task, completed=done, total=total),
        )
    rest = f", {fetched.unverified} without a known checksum" if fetched.unverified else ""
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
    from smearcount.datasets.download import fetch
    from smearcount.datasets.exercise import write_exercise

    folder = out.resolve()
    source = bccd or fetch("bccd", folder.with_name(f"{folder.name}-public")).folder
    if source.resolve() == folder:
        raise UsageError(f"{out}: this is the data set itself; name another folder with -o.")
    for split, n in write_exercise(source, out).items():
        typer.echo(f"{out / split}.bbox.json: {n} images")


@data.command("convert", cls=_WithFormats)
def convert(
    source: _DataPath,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write into.")],
    to: Annotated[str, typer.Option(metavar="FORMAT", help="The format to write.")],
    split: Annotated[
        str | None, typer.Option(metavar="NAME", help="One split; without it every split.")
    ] = None,
) -> None:
    """Convert a data set from one format to another, images included, without a loss.

    Numbers and scores are kept; YOLO coordinates to a millionth of a pixel. A split that joins
    others, such as trainval, is left out in YOLO, which keeps each image once.
    """
    from smearcount.datasets.formats.known_formats import format_to_write
    from smearcount.datasets.read import disjoint_split_names, read_dataset, split_names
    from smearcount.datasets.write import write_dataset

    names = split_names if format_to_write(to).shares_images else disjoint_split_names
    for name in (split,) if split else names(source) or (None,):
        dataset = read_dataset(source, name)
        write_dataset(dataset, out, to, name)
        for note in dataset.notes:
            typer.echo(note, err=True)
        boxes = sum(len(image) for image in dataset.images)
        typer.echo(f"{out}{f' {name}' if name else ''}: {len(dataset)} images, {boxes} boxes")


@data.command("check", cls=_WithFormats)
def check(
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
    from smearcount.datasets.check import check_splits, read_splits

    splits, broken = read_splits(source, split)
    report = check_splits(splits, broken)
    _print(report)
    suspects = _suspects(splits, model) if model is not None else []
    if out is not None:
        _write(out, report, suspects)
    if any(finding.severity == "error" for finding in report.findings):
        raise typer.Exit(ExitCode.FAILURE)


def _print(report: DataCheck) -> None:
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


def _write(out: Path, report: DataCheck, suspects: list[MissingLabel]) -> None:
    from smearcount.atomic_write import make_folder, open_atomic, write_text

    make_folder(out)
    content = asdict(report) | {
        "suspects": [asdict(suspect) | {"path": str(suspect.path)} for suspect in suspects]
    }
    write_text(out / "check.json", json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    if suspects:
        from smearcount.evaluation.missing_labels import contact_sheet

        with open_atomic(out / "suspects.png") as stream:
            contact_sheet(suspects).save(stream, format="PNG")


def _suspects(splits: dict[str, Dataset], model: str) -> list[MissingLabel]:
    from smearcount.evaluation.missing_labels import find_missing_labels

    detector = load_detector(model)
    suspects: list[MissingLabel] = []
    with progress_bar("detecting", sum(map(len, splits.values()))) as progress:
        for dataset in splits.values():
            suspects += find_missing_labels(dataset, detector, progress.advance)
    suspects.sort(key=lambda suspect: -suspect.score)
    images = len({suspect.path for suspect in suspects})
    typer.echo(f"\nwarning: cell that the labels probably miss: {len(suspects)} in {images} images")
    for suspect in suspects[:_SHOWN]:
        corners = ", ".join(f"{value:.0f}" for value in suspect.box_xyxy_px)
        typer.echo(f"  {suspect.path.name}: {suspect.name} ({suspect.score:.2f}) at ({corners})")
    return suspects
