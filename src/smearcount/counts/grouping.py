"""Which images belong to one slide: by folder, by a pattern in their names, or by a table."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from smearcount.errors import UsageError

Grouping = Callable[[str], str]
"""Returns the slide of an image, both by name; an empty string if it belongs to none."""

BY_FOLDER: Final = "folder"


def grouping(rule: str) -> Grouping:
    """Return the function that finds the slide of an image, from the rule that a user gives.

    Args:
        rule: one of three: ``folder`` takes the folder of the image as its slide; the path of a
            ``.csv`` reads a table with the columns ``image`` (a path as given, or a file name) and
            ``slide``, separated by commas or semicolons; anything else is a regular expression
            that is searched in the path: its groups, or the whole match where it has none, are the
            name of the slide.

    Raises:
        UsageError: the table cannot be read or lacks a column, or the expression is not valid.
    """
    if rule == BY_FOLDER:
        return lambda name: str(Path(name).parent)
    if rule.lower().endswith(".csv"):
        return _from_table(Path(rule))
    try:
        pattern = re.compile(rule)
    except re.error as error:
        raise UsageError(
            f"{rule!r} as a rule for slides is neither folder, nor a .csv, nor a valid regular "
            f"expression ({error})."
        ) from None
    return lambda name: _match(pattern, name)


def group(names: Sequence[str], slide_of: Grouping) -> dict[str, list[int]]:
    """Return the indices of the images of each slide, slides in the order of their first image.

    Args:
        names: of the images.
        slide_of: returns the slide of an image.

    Raises:
        UsageError: no image belongs to a slide.
    """
    slides: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        slide = slide_of(name)
        if slide:
            slides.setdefault(slide, []).append(index)
    if names and not slides:
        raise UsageError(
            f"the rule for slides finds no slide for any of {len(names)} images, "
            f"such as {names[0]}."
        )
    return slides


def _match(pattern: re.Pattern[str], name: str) -> str:
    match = pattern.search(Path(name).as_posix())
    if match is None:
        return ""
    return "-".join(part for part in match.groups() if part) if pattern.groups else match.group()


def _from_table(path: Path) -> Grouping:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = error.strerror
        raise UsageError(f"{path}: this table of slides cannot be read ({reason}).") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: this is no UTF-8 text; save it as CSV in UTF-8.") from None
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    try:
        titles, *rows = csv.reader(io.StringIO(text), delimiter=delimiter) if text else [[]]
    except csv.Error as error:
        raise UsageError(f"{path}: this table of slides cannot be read ({error}).") from None
    columns = [title.strip().lower() for title in titles]
    if not rows or not {"image", "slide"} <= set(columns):
        raise UsageError(
            f"{path}: needs the columns image and slide, and at least one row; it has the columns "
            f"{', '.join(titles) or 'none'}, with {len(rows)} below them."
        )
    slides: dict[str, str] = {}
    for row in rows:
        cells = dict(zip(columns, (cell.strip() for cell in row), strict=False))
        image, slide = cells.get("image", ""), cells.get("slide", "")
        if image and slide and slides.setdefault(image, slide) != slide:
            raise UsageError(f"{path}: {image} is listed for {slides[image]} and for {slide}.")
    return lambda name: slides.get(name) or slides.get(Path(name).name, "")
