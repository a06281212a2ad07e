"""``smearcount count``: photographs in, counts out."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from smearcount.cli.notices import (
    failure,
    left_by_earlier_runs,
    pages_left_out,
    pictures_left_out,
    ranges_meant,
    without_slide,
)
from smearcount.cli.progress import bar
from smearcount.errors import UsageError
from smearcount.settings import EDGE_RULES, Settings


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
    pixel_size: Annotated[
        float | None,
        typer.Option(
            help="Micrometres per pixel; without it the file's, if plausible, else estimated from "
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
    # Checked first: a wrong word must not cost a search through folders.
    settings = Settings(_scores(threshold), edge=edge, pixel_size_um=pixel_size)  # type: ignore[arg-type]
    if model is not None and not model.exists():
        raise UsageError(f"{model}: there is no such model file.")
    if out is None and (group_by is not None or report):
        option = "--report" if report else "--group-by"
        raise UsageError(f"{option} writes a file; say where with -o FOLDER.")
    try:
        failed = _count(
            paths, out, settings, model, group_by, corrections, as_json=json, report=report
        )
    except KeyboardInterrupt:
        print(f"smearcount: {_stopped(out)}", file=sys.stderr)
        raise typer.Exit(130) from None
    raise typer.Exit(1 if failed else 0)


def _count(
    paths: Sequence[str],
    out: Path | None,
    settings: Settings,
    model: Path | None,
    group_by: str | None,
    corrections: Path | None,
    *,
    as_json: bool,
    report: bool,
) -> int:
    """Count, print, and return how many images failed."""
    from smearcount.batch import count_batch
    from smearcount.counts.grouping import group, grouping
    from smearcount.detector.load import load_detector
    from smearcount.image.find import ANNOTATED, find_images
    from smearcount.report.json_document import document
    from smearcount.report.table import print_table
    from smearcount.results.corrections import read_corrections

    found = find_images(paths)
    if out is not None:
        found = _without_own_pictures(found, paths, out / ANNOTATED)
    slide_of = None if group_by is None else grouping(group_by)
    if slide_of is not None:
        group(found, slide_of)  # a rule that fits no image is told before the work, not after
    by_hand = {} if corrections is None else read_corrections(corrections)
    # Of many images each has a core of its own; a single one has them all.
    detector = load_detector(model, threads=1 if len(found) > 1 else None)
    with bar("counting", len(found)) as step:
        outcomes = count_batch(
            found,
            detector,
            settings,
            out,
            on_result=lambda outcome: step(failure(outcome)),
            command=("smearcount", *sys.argv[1:]),
            corrections=by_hand,
        )
    slides = []
    if out is not None and slide_of is not None:
        from smearcount.report.slides_table import write_slides_csv
        from smearcount.results.totals import slides_of

        slides = slides_of(outcomes, slide_of, detector.card)
        write_slides_csv(out / "slides.csv", slides, detector.card.classes)
    if out is not None and report:
        from smearcount.report.html import write_report

        write_report(out / "report.html", outcomes, slides, settings, detector.card)
    if as_json:
        from json import dumps

        print(dumps(document(outcomes, settings, detector.card, slides)))
    else:
        print_table(outcomes, detector.card.classes)
    told = [
        pictures_left_out(paths),
        pages_left_out(outcomes),
        ranges_meant(outcomes, settings),
    ]
    if slide_of is not None:
        told.append(without_slide(found, slide_of))
    if out is not None:
        told.append(left_by_earlier_runs(out, outcomes, slides=bool(slides), report=report))
        told.append(f"tables and annotated pictures are in {out}")
    for sentence in filter(None, told):
        print(f"smearcount: {sentence}", file=sys.stderr)
    return sum(outcome.result is None for outcome in outcomes)


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


def _without_own_pictures(found: list[str], given: Sequence[str], annotated: Path) -> list[str]:
    """Leave out the pictures that an earlier run drew, unless they are asked for by name."""
    own = Path(os.path.realpath(annotated))  # unlike Path.resolve, it says nothing of loops
    kept = [
        path
        for path in found
        if path in given or not Path(os.path.realpath(path)).is_relative_to(own)
    ]
    if not kept:
        raise UsageError(f"{annotated.parent}: holds no images but those that smearcount drew.")
    return kept


def _stopped(out: Path | None) -> str:
    if out is None:
        return "stopped; with -o FOLDER a batch can be stopped and goes on where it was."
    return "stopped; run the same command again and it goes on where it was."
