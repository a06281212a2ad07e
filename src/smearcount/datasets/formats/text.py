"""Text files that people and other programs wrote."""

from __future__ import annotations

from pathlib import Path

from smearcount.errors import DataError


def read_text(path: Path) -> str:
    """Read a UTF-8 text file, with or without the byte order mark that Windows puts first.

    Raises:
        DataError: it is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: byte {error.start + 1} is not UTF-8 text; save the file as UTF-8."
        ) from None
