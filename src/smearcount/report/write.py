"""Whole files or none: a report file is never seen half written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from smearcount.errors import UsageError


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file that takes the place of ``path`` when all of it is written.

    A reader, or a kill at any moment, finds the old file or the new one, nothing between.

    Args:
        path: the file to write; its folder must exist.

    Raises:
        UsageError: the folder cannot be written to, or the disk is full.
    """
    try:
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}-")
    except OSError as error:
        raise unwritable(path, error) from None
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
        Path(draft).chmod(0o666 & ~_umask())
        Path(draft).replace(path)
    except BaseException as error:
        Path(draft).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise unwritable(path, error) from None
        raise


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file, whole or not at all; see :func:`replacing`.

    File names that are no valid text keep their bytes.
    """
    with replacing(path) as stream:
        stream.write(text.encode("utf-8", errors="surrogateescape"))


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
    return UsageError(f"{path}: results cannot be written there ({error.strerror}).")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
