"""The files that the page offers: tables, labels, report, the command that repeats the count."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

from smearcount.atomic_write import write_text
from smearcount.counts.grouping import BY_FOLDER, grouping
from smearcount.csv_writer import write_csv
from smearcount.errors import UsageError
from smearcount.image.file_types import SUFFIXES
from smearcount.report.html import write_report
from smearcount.report.slides_table import write_slides_csv
from smearcount.report.table import write_counts_csv
from smearcount.results.batch_result import BatchResult
from smearcount.results.coco_export import write_coco
from smearcount.results.corrections import history
from smearcount.results.image_outcome import ImageOutcome
from smearcount.results.json_document import shortest_decimals
from smearcount.results.totals import slides_of
from smearcount.web.photographs import Photograph
from smearcount.web.session import Session

VALIDATION_EVERY: Final = 5
"""Every fifth corrected photograph goes to the validation split of the labels."""

LEFT_OUT: Final = "Left out by hand."
"""What tables and reports say of a photograph that the user left out."""

Writer = Callable[[Session, Path], None]


def batch_of(session: Session, slides_of_folders: bool = False) -> BatchResult:
    """Return what was counted in the photographs, corrected, in the order of the page.

    Photographs without a count, and those left out by hand, are in it with the reason as error.

    Args:
        session: whose photographs.
        slides_of_folders: whether the photographs of a folder are one slide.
    """
    found = []
    for photograph in session.photographs.in_natural_order():
        result = None if photograph.left_out else session.corrected_result(photograph)
        error = _why_not_counted(photograph) if result is None else None
        found.append(ImageOutcome(photograph.name, result=result, error=error))
    taken_in = [outcome for outcome in found if outcome.error != LEFT_OUT]
    slides = slides_of(taken_in, grouping(BY_FOLDER), session.card) if slides_of_folders else []
    return BatchResult(tuple(found), session.settings, session.card, tuple(slides))


def name_of_download(session: Session, name: str) -> str:
    """Return the name under which a file is saved, which says if not all photographs are counted.

    While 25 of 60 photographs are counted, ``counts.csv`` is saved as ``counts (25 of 60).csv``.
    """
    with session.photographs.changed:
        states = [photograph.state for photograph in session.photographs]
    settled = sum(state in ("done", "failed") for state in states)
    if settled == len(states):
        return name
    path = PurePosixPath(name)
    return f"{path.stem} ({settled} of {len(states)}){path.suffix}"


def _why_not_counted(photograph: Photograph) -> str:
    if photograph.left_out:
        return LEFT_OUT
    return {"failed": photograph.reason, "canceled": "Canceled before it was counted."}.get(
        photograph.state, "Not counted yet."
    )


def command(session: Session) -> str:
    """Return the command line that gives the same numbers from the session's own files.

    There is one line for each pixel size that photographs have as their own.
    """
    photographs = [each for each in session.photographs if not each.left_out]
    sizes = dict.fromkeys(session.settings_of(each).pixel_size_um for each in photographs)
    if len(sizes) < 2:
        return _command_of(session, photographs, "counted")
    groups = {
        size: [each for each in photographs if session.settings_of(each).pixel_size_um == size]
        for size in sizes
    }
    lines = [
        _command_of(session, group, f"counted-{number}")
        for number, group in enumerate(groups.values(), start=1)
    ]
    return "\n".join(lines)


def _command_of(session: Session, photographs: Sequence[Photograph], out: str) -> str:
    settings = session.settings_of(photographs[0]) if photographs else session.settings
    words = ["smearcount", "count", *_sources(session, photographs)]
    if session.model is not None:
        words += ["--model", str(session.model.resolve())]
    if settings.threshold is not None:
        limits = settings.thresholds(session.card.thresholds, session.card.classes)
        words += ["--threshold", ",".join(repr(limit) for limit in limits)]
    if settings.edge != "all":
        words += ["--edge", settings.edge]
    if settings.pixel_size_um is not None:
        words += ["--pixel-size", repr(settings.pixel_size_um)]
    if any(history(session.corrections(photograph))[0] for photograph in photographs):
        words += ["--corrections", str(session.folder.corrections)]
    if any("/" in photograph.name for photograph in photographs):
        words += ["--group-by", BY_FOLDER]
    quoted = subprocess.list2cmdline if os.name == "nt" else shlex.join
    return quoted([*words, "--out", out])


def write_labels(path: Path, batch: BatchResult, photographs: Path) -> None:
    """Write the corrected photographs as a data set that ``smearcount train`` reads.

    The zip archive holds ``train.bbox.json`` and ``val.bbox.json`` (COCO) and ``images/``. A
    photograph without corrections shows only what the model found, and is left out.

    Args:
        path: the archive to write.
        batch: what became of the photographs, corrections included.
        photographs: the folder below which the photographs lie under their names.

    Raises:
        UsageError: no photograph was corrected.
        OSError: the disk is full or not writable.
    """
    corrected = [one for one in batch.outcomes if one.result is not None and one.result.corrections]
    if not corrected:
        raise UsageError("No photograph is corrected yet, so there are no labels to learn from.")
    val = corrected[1::VALIDATION_EVERY]  # training drops those that nearly repeat another
    train = [one for one in corrected if one not in val]
    with tempfile.TemporaryDirectory() as scratch, zipfile.ZipFile(path, "w") as archive:
        for split, members in (("train", train), ("val", val)):
            if members:
                file = Path(scratch, f"{split}.bbox.json")
                write_coco(file, replace(batch, outcomes=tuple(members)))
                archive.write(file, file.name)
        for one in corrected:
            archive.write(photographs / one.name, f"images/{one.name}")


def _sources(session: Session, photographs: Sequence[Photograph]) -> list[str]:
    """Return what to count: the folder and what a walk through it would pass by, or the files."""
    folder = session.folder.photographs
    names = [photograph.name for photograph in photographs]
    if len(names) < len(list(session.photographs)):
        return [str(folder / name) for name in names] or [str(folder)]
    odd = [name for name in names if PurePosixPath(name).suffix.lower() not in SUFFIXES]
    found = [] if names and len(odd) == len(names) else [str(folder)]
    return found + [str(folder / name) for name in odd]


def _counts(session: Session, path: Path) -> None:
    write_counts_csv(path, batch_of(session))


def _cells(session: Session, path: Path) -> None:
    """Write one row per cell: image, class, score (1 if added by hand), box in pixels, counted."""
    rows: list[list[object]] = [["image", "class", "score", "x0", "y0", "x1", "y1", "counted"]]
    for outcome in batch_of(session).outcomes:
        if outcome.result is None:
            continue
        found, card = outcome.result.detections, outcome.result.card
        scores = shortest_decimals(found.scores)
        for index, (box, _, label) in enumerate(found):
            name = card.classes[label - 1]
            counted = "yes" if outcome.result.counted[index] else "no"
            rows.append([outcome.name, name, scores[index], *shortest_decimals(box), counted])
    write_csv(path, rows)


def _slides(session: Session, path: Path) -> None:
    write_slides_csv(path, batch_of(session, slides_of_folders=True))


def _report(session: Session, path: Path) -> None:
    in_folders = any("/" in photograph.name for photograph in session.photographs)
    write_report(path, batch_of(session, slides_of_folders=in_folders))


def _coco(session: Session, path: Path) -> None:
    write_coco(path, batch_of(session))


def _labels(session: Session, path: Path) -> None:
    write_labels(path, batch_of(session), session.folder.photographs)


def _corrections(session: Session, path: Path) -> None:
    path.write_bytes(session.folder.corrections.read_bytes())


def _command(session: Session, path: Path) -> None:
    write_text(path, command(session) + "\n")


WRITERS: dict[str, tuple[str, Writer]] = {
    "counts.csv": ("text/csv", _counts),
    "cells.csv": ("text/csv", _cells),
    "slides.csv": ("text/csv", _slides),
    "report.html": ("text/html", _report),
    "detections.json": ("application/json", _coco),
    "labels.zip": ("application/zip", _labels),
    "corrections.jsonl": ("application/jsonl", _corrections),
    "command.txt": ("text/plain", _command),
}
"""What can be downloaded: media type and writer, by file name."""
