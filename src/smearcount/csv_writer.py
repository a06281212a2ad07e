"""CSV tables: how every table of the package is written."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from smearcount.atomic_write import write_text


def write_csv(path: Path, rows: Iterable[Sequence[object]]) -> None:
    """Write a table as CSV atomically: UTF-8, commas, one line feed per row.

    Args:
        path: the file to write; its folder must exist.
        rows: the titles, then one row after the other.

    Raises:
        WriteError: see :func:`smearcount.atomic_write.open_atomic`.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_text(path, text.getvalue())
