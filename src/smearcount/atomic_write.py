"""Atomic writing: a file appears whole or not at all. Every file of results is written here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from uuid import uuid4

from smearcount.errors import WriteError


@contextmanager
def open_atomic(path: Path, *, fsync: bool = False) -> Iterator[IO[bytes]]:
    """Open a new file that replaces ``path`` when all of it is written.

    The content goes to a hidden file in the same folder, which is renamed at the end. A reader,
    or a kill at any moment, finds the old file or the new one and nothing in between. If the block
    raises, the old file stays.

    Args:
        path: the file to write; its folder must exist.
        fsync: whether to wait until the file is on the disk, so that it survives a power cut.

    Raises:
        WriteError: the folder cannot be written to, or the disk is full.
    """
    draft = path.with_name(f".{path.name[:40]}-{uuid4().hex}")
    try:
        stream = draft.open("xb")
    except OSError as error:
        raise unwritable(path, error) from None
    try:
        with stream:
            yield stream
            if fsync:
                stream.flush()
                os.fsync(stream.fileno())
        draft.replace(path)
        if fsync:
            _fsync_folder(path.parent)
    except BaseException as error:
        draft.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise unwritable(path, error) from None
        raise


def write_text(path: Path, text: str, *, fsync: bool = False) -> None:
    """Write a UTF-8 text file atomically; see :func:`open_atomic`.

    File names in the text that are not valid Unicode keep their bytes.
    """
    with open_atomic(path, fsync=fsync) as stream:
        stream.write(text.encode("utf-8", errors="surrogateescape"))


def make_folder(path: Path) -> None:
    """Make a folder for results, with its parents.

    Raises:
        WriteError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from None


def unwritable(path: Path, error: OSError) -> WriteError:
    """Return the error to raise for results that cannot be written."""
    return WriteError(
        f"{path}: results cannot be written there ({error.strerror}); close it where it is open, "
        "or name another folder."
    )


def _fsync_folder(folder: Path) -> None:
    """Wait until the renaming of a file in the folder is on the disk, where the system can."""
    if os.name != "posix":  # Windows opens no folder as a file
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
