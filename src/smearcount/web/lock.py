"""One server per folder: a lock that the system lets go even of a server that was killed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

from smearcount.errors import UsageError


def claim(folder: Path) -> BinaryIO:
    """Take a folder for this process alone, until the returned file is closed.

    Raises:
        UsageError: another server has it.
        OSError: the folder cannot be written to.
    """
    file = (folder / "lock").open("ab")
    if not _locked(file):
        file.close()
        raise UsageError(
            f"{folder}: another smearcount serve is open on this folder; use that page, or name "
            "another folder with --session."
        )
    return file


def _locked(file: BinaryIO) -> bool:
    """Lock a file for this process; tell whether that worked."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
