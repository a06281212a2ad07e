"""The SHA-256 of a file: the one place where files are hashed."""

from __future__ import annotations

import hashlib
from io import BufferedReader
from pathlib import Path


def sha256_of_file(file: Path | BufferedReader) -> str:
    """Return the SHA-256 of a file's content as lower-case hex.

    Args:
        file: a path, or a file opened for reading bytes, which is read from where it stands to its
            end.

    Raises:
        OSError: the file cannot be read.
    """
    if isinstance(file, Path):
        with file.open("rb") as handle:
            return sha256_of_file(handle)
    return hashlib.file_digest(file, "sha256").hexdigest()
