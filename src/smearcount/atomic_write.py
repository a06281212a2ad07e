"""Whole files or none: what is written here is never seen half written."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from uuid import uuid4

from smearcount.errors import UsageError


@contextmanager
def open_atomic(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file that takes the place of ``path`` when all of it is written.

    A reader, or a kill at any moment, finds the old file or the new one, nothing between.

    Args:
        path: the file to write; its folder must exist.

    Raises:
        UsageError: the folder cannot be written to, or the disk is full.
    """
    draft = path.with_name(f".{path.name[:40]}-{uuid4().hex}")
    try:
        stream = draft.open("xb")
    except OSError as error:
        raise unwritable(path, error) from None
    try:
        with stream:
            yield stream
        draft.replace(path)
    except BaseException as error:
        draft.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise unwritable(path, error) from None
        raise


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file, whole or not at all; see :func:`open_atomic`.

    File names that are no valid text keep their bytes.
    """
    with open_atomic(path) as stream:
        stream.write(text.encode("utf-8", errors="surrogateescape"))


def write_csv(path: Path, rows: Iterable[Sequence[object]]) -> None:
    """Write a table as CSV: UTF-8, commas, one line feed per row; see :func:`open_atomic`.

    Args:
        path: the file to write; its folder must exist.
        rows: the titles, then one row after the other.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_text(path, text.getvalue())


def make_folder(path: Path) -> None:
    """Make a folder for results, with its parents.

    Raises:
        UsageError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from None


def unwritable(path: Path, error: OSError) -> UsageError:
    """Return the error to raise where results cannot be written."""
    return UsageError(
        f"{path}: results cannot be written there ({error.strerror}); close it where it is open, "
        "or name another folder."
    )
