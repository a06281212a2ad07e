"""Standard error: what a person should know beside the counts, a sentence each, and no more."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from smearcount.formatting import pluralize

if TYPE_CHECKING:
    from smearcount.results.batch_result import BatchResult
    from smearcount.results.image_outcome import ImageOutcome

_STDERR = 2


def failure(outcome: ImageOutcome) -> str:
    """Tell why an image was not counted."""
    return f"smearcount: {outcome.error}" if outcome.error else ""


def unread_files(paths: Sequence[str]) -> str:
    """Tell which files in the folders named look like images, but are of kinds not read there."""
    from smearcount.image.file_types import readable_types
    from smearcount.image.find import kinds, other_images

    others = other_images(paths)
    if not others:
        return ""
    return (
        f"{pluralize(len(others), 'file')} left out ({kinds(others)}, such as {others[0]}): in "
        f"folders only {readable_types('and')} are looked for, by their suffix"
    )


def unread_pages(batch: BatchResult) -> str:
    """Tell which files hold more pages than the one counted."""
    from smearcount.image.raster import FIRST_OF

    several = [
        outcome.name
        for outcome in batch.outcomes
        if outcome.result is not None
        and any(note.startswith(FIRST_OF) for note in outcome.result.image.notes)
    ]
    if not several:
        return ""
    return (
        f"of {pluralize(len(several), 'file')} such as {several[0]} only the first page was "
        "counted; save each page as a file"
    )


def meaning_of_intervals(batch: BatchResult) -> str:
    """Tell what the intervals mean beside counts at a threshold of the user's own."""
    shown = any(outcome.result and outcome.result.intervals for outcome in batch.outcomes)
    if batch.settings.threshold is None or not shown:
        return ""
    return "the ranges tell how many cells there probably are, whatever --threshold lets count"


def images_without_slide(batch: BatchResult, group_by: str | None) -> str:
    """Tell which images belong to no slide."""
    from smearcount.counts.grouping import grouping

    if group_by is None:
        return ""
    slide_of = grouping(group_by)
    without = [outcome.name for outcome in batch.outcomes if not slide_of(outcome.name)]
    if not without:
        return ""
    return (
        f"{len(without)} of {len(batch.outcomes)} images, such as {without[0]}, belong to no slide "
        "of --group-by and are in no sum"
    )


def left_by_earlier_runs(out: Path, batch: BatchResult, asked_for: Sequence[str]) -> str:
    """Tell which files in a folder of results are not of this run.

    Args:
        out: the folder of the results.
        batch: of this run.
        asked_for: the exports that this run wrote beside those always written.
    """
    from smearcount.image.find import ANNOTATED
    from smearcount.report.exports import exports_left

    old = exports_left(out, asked_for)
    current = {outcome.picture for outcome in batch.outcomes}
    pictures = sum(path.name not in current for path in (out / ANNOTATED).glob("*.jpg"))
    if pictures:
        old.append(f"{pluralize(pictures, 'picture')} in {ANNOTATED}")
    return f"{out} also holds what an earlier run wrote: {', '.join(old)}" if old else ""


@contextmanager
def native_stderr_discarded() -> Iterator[None]:
    """Discard what is not printed by Python on standard error; the errors themselves are raised.

    libtiff prints a line for everything odd that it meets in a file. ``sys.stderr`` goes on where
    it was.
    """
    try:
        terminal = os.dup(_STDERR)
    except OSError:  # standard error is closed
        yield
        return
    python_stderr = sys.stderr
    own: TextIO | None = None
    with suppress(OSError, ValueError, AttributeError):  # a stream in memory has no descriptor
        if python_stderr.fileno() == _STDERR:
            python_stderr.flush()
            own = sys.stderr = os.fdopen(
                os.dup(terminal), "w", 1, python_stderr.encoding, python_stderr.errors
            )
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, _STDERR)
    os.close(nothing)
    try:
        yield
    finally:
        os.dup2(terminal, _STDERR)
        os.close(terminal)
        if own is not None:
            sys.stderr = python_stderr
            own.close()
