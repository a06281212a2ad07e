"""``smearcount count``: photographs in, counts out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from smearcount.classes import CLASS_NAMES
from smearcount.cli.exit_codes import ExitCode
from smearcount.cli.notices import (
    failure,
    images_without_slide,
    left_by_earlier_runs,
    meaning_of_intervals,
    native_stderr_discarded,
    unread_files,
    unread_pages,
)
from smearcount.cli.progress import progress_bar
from smearcount.errors import UsageError
from smearcount.settings import EDGE_RULES, Settings

Classes = Annotated[
    str | None,
    typer.Option(
        metavar="NAME[,NAME...]",
        help="Classes in label order, for weights without a card. [default for three: "
        f"{','.join(CLASS_NAMES)}]",
    ),
]


def count(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH", help="Images, folders of images, or glob patterns."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            help="Folder for counts.csv, detections.json, run.json and annotated/. "
            "Run again with the same folder, a stopped batch goes on where it was.",
        ),
    ] = None,
    threshold: Annotated[
        str | None,
        typer.Option(
            metavar="SCORE[,SCORE...]",
            help="The score from 0 to 1 from which a cell counts, one for all classes or one for "
            "each in the order of the table's columns; without it the model's own.",
        ),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="A model file; without it the one that ships.")
    ] = None,
    classes: Classes = None,
    pixel_size: Annotated[
        float | None,
        typer.Option(
            help="Micrometers per pixel; without it the file's, if plausible, else estimated from "
            "the red cells."
        ),
    ] = None,
    edge: Annotated[
        str,
        typer.Option(
            metavar="|".join(EDGE_RULES),
            help="Which border cells count: all; inside: none; two-edges: those at the top and "
            "left, not those at the bottom and right.",
        ),
    ] = "all",
    group_by: Annotated[
        str | None,
        typer.Option(
            metavar="folder|REGEX|CSV",
            help="Sum images into slides (OUT/slides.csv): by folder, by a pattern in their paths, "
            "or by a table with the columns image and slide.",
        ),
    ] = None,
    report: Annotated[
        bool, typer.Option("--report", help="Write OUT/report.html, one page to read and print.")
    ] = False,
    corrections: Annotated[
        Path | None,
        typer.Option(help="Corrections made by hand on the page (corrections.jsonl)."),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document instead of the table.")
    ] = False,
) -> None:
    """Count the cells in photographs of blood smears.

    Exits with 0 if every image was counted, 1 if some failed or the model or the corrections cannot
    be read, 2 for wrong usage.
    """
    from smearcount.api import count_folder
    from smearcount.batch.workers import short_switch_interval
    from smearcount.detector.load import load_detector
    from smearcount.report.table import print_table

    # Checked first: a mistake in an option must not cost a search through folders.
    settings = Settings(_scores(threshold), edge=edge, pixel_size_um=pixel_size)  # type: ignore[arg-type]
    if model is not None and not model.exists():
        raise UsageError(f"{model}: there is no such model file.")
    if out is None and (group_by is not None or report):
        option = "--report" if report else "--group-by"
        raise UsageError(f"{option} writes a file; say where with -o FOLDER.")
    try:
        with (
            native_stderr_discarded(),
            progress_bar("counting") as progress,
            short_switch_interval(),
        ):
            batch = count_folder(
                paths,
                out,
                settings=settings,
                model=model
                if classes is None
                else load_detector(model, classes=classes.split(",")),
                group_by=group_by,
                report=report,
                corrections=corrections,
                on_start=lambda images: progress.expect(len(images)),
                on_result=lambda outcome: progress.advance(failure(outcome)),
                command=("smearcount", *sys.argv[1:]),
            )
    except KeyboardInterrupt:
        print(f"smearcount: {_how_to_resume(out)}", file=sys.stderr)
        raise typer.Exit(ExitCode.STOPPED) from None
    if json:
        print(batch.to_json())
    else:
        print_table(batch)
    notices = [
        unread_files(paths),
        unread_pages(batch),
        meaning_of_intervals(batch),
        images_without_slide(batch, group_by),
    ]
    if out is not None:
        asked_for = {"slides": group_by is not None, "report": report}
        written = [name for name, asked in asked_for.items() if asked]
        notices.append(left_by_earlier_runs(out, batch, written))
        notices.append(f"tables and annotated pictures are in {out}")
    for sentence in filter(None, notices):
        print(f"smearcount: {sentence}", file=sys.stderr)
    raise typer.Exit(ExitCode.FAILURE if batch.failed else ExitCode.SUCCESS)


def _scores(text: str | None) -> float | tuple[float, ...] | None:
    """Return what ``--threshold`` says: one score, one for each class, or nothing."""
    if text is None:
        return None
    try:
        scores = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"--threshold takes numbers from 0 to 1, such as 0.5 or 0.4,0.5,0.3, not {text!r}."
        ) from None
    return scores if len(scores) > 1 else scores[0]


def _how_to_resume(out: Path | None) -> str:
    if out is None:
        return "stopped; with -o FOLDER a batch can be stopped and goes on where it was."
    return "stopped; run the same command again and it goes on where it was."
