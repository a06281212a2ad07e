"""What a person at the screen should know beside the counts, each in one sentence or none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smearcount.results.image_outcome import ImageOutcome
    from smearcount.settings import Settings


def failure(outcome: ImageOutcome) -> str:
    """Say why an image was not counted."""
    return f"smearcount: {outcome.error}" if outcome.error else ""


def pictures_left_out(paths: Sequence[str]) -> str:
    """Say which files in the folders named look like pictures, but are of kinds not read there."""
    from smearcount.image.find import other_pictures

    others = other_pictures(paths)
    if not others:
        return ""
    return (
        f"{_files(len(others))} such as {others[0]} left out: in folders only JPEG, PNG, TIFF, BMP "
        "and WebP are looked for, by their suffix"
    )


def pages_left_out(outcomes: Sequence[ImageOutcome]) -> str:
    """Say which files hold more pages than the one counted."""
    from smearcount.image.raster import FIRST_OF

    several = [
        outcome.name
        for outcome in outcomes
        if outcome.result is not None
        and any(note.startswith(FIRST_OF) for note in outcome.result.image.notes)
    ]
    if not several:
        return ""
    return (
        f"of {_files(len(several))} such as {several[0]} only the first page was counted; "
        "save each page as a file"
    )


def ranges_meant(outcomes: Sequence[ImageOutcome], settings: Settings) -> str:
    """Say what the ranges mean beside counts at a threshold of the user's own."""
    shown = any(outcome.result and outcome.result.intervals for outcome in outcomes)
    if settings.threshold is None or not shown:
        return ""
    return "the ranges tell how many cells there probably are, whatever --threshold lets count"


def without_slide(names: Sequence[str], slide_of: Callable[[str], str]) -> str:
    """Say which images are in no sum."""
    without = [name for name in names if not slide_of(name)]
    if not without:
        return ""
    return (
        f"{len(without)} of {len(names)} images, such as {without[0]}, belong to no slide of "
        "--group-by and are in no sum"
    )


def left_by_earlier_runs(
    out: Path, outcomes: Sequence[ImageOutcome], *, slides: bool, report: bool
) -> str:
    """Say which results in a folder are not of this run.

    Args:
        out: the folder of the results.
        outcomes: of this run.
        slides: whether this run wrote ``slides.csv``.
        report: whether it wrote ``report.html``.
    """
    from smearcount.image.find import ANNOTATED

    written = (("slides.csv", slides), ("report.html", report))
    old = [name for name, now in written if not now and (out / name).exists()]
    of_now = {outcome.picture for outcome in outcomes}
    pictures = sum(path.name not in of_now for path in (out / ANNOTATED).glob("*.jpg"))
    old += [f"{pictures} picture{'s' * (pictures != 1)} in {ANNOTATED}"] if pictures else []
    return f"{out} also holds what an earlier run wrote: {', '.join(old)}" if old else ""


def _files(number: int) -> str:
    return f"{number} file{'s' * (number != 1)}"
