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
"""Tells the slide of an image, both by name; an empty string where it belongs to none."""

BY_FOLDER: Final = "folder"


def grouping(rule: str) -> Grouping:
    """Return the grouping that a user asks for.

    Args:
        rule: ``folder``: the folder that an image lies in; or the path of a ``.csv`` with the
            columns ``image`` (a path as given, or a file name) and ``slide``, separated by
            commas or semicolons; or a regular
            expression, searched in the path: what its brackets hold is the slide, or all it
            matches where it has none.

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
            f"--group-by {rule!r} is neither folder, nor a .csv, nor a valid pattern ({error})."
        ) from None
    return lambda name: _matched(pattern, name)


def group(names: Sequence[str], slide_of: Grouping) -> dict[str, list[int]]:
    """Return the places of the images of each slide, slides in the order of their first image.

    Raises:
        UsageError: no image belongs to a slide.
    """
    slides: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        slide = slide_of(name)
        if slide:
            slides.setdefault(slide, []).append(place)
    if names and not slides:
        raise UsageError(
            f"--group-by finds no slide for any of {len(names)} images, such as {names[0]}."
        )
    return slides


def _matched(pattern: re.Pattern[str], name: str) -> str:
    found = pattern.search(Path(name).as_posix())
    if found is None:
        return ""
    return "-".join(part for part in found.groups() if part) if pattern.groups else found.group()


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
