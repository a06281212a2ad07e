"""What the files of a public data set must be, kept in the package in 18 bytes per file.

A ``NAME.digests`` file is a sorted row of records: the first 4 bytes of the SHA-256 of a path,
then the first 14 bytes of the SHA-256 of the content. That is enough to catch any damage and any
forgery that could be made, and keeps thousands of digests in a few kilobytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

_PATH: Final = 4
_CONTENT: Final = 14


def known_digests(name: str) -> dict[bytes, bytes]:
    """Return the digest of each content by the digest of its path, for ``bccd`` or ``txl-pbc``."""
    data = (files("smearcount.datasets") / f"{name}.digests").read_bytes()
    size = _PATH + _CONTENT
    rows = [data[start : start + size] for start in range(0, len(data), size)]
    return {row[:_PATH]: row[_PATH:] for row in rows}


def record(path: str, content: bytes) -> bytes:
    """Return the 18-byte record of a file.

    Args:
        path: relative to the data set's folder, with ``/``.
        content: all bytes of the file.
    """
    parts = (path.encode(), content)
    sizes = (_PATH, _CONTENT)
    return b"".join(
        hashlib.sha256(part).digest()[:size] for part, size in zip(parts, sizes, strict=True)
    )


def differences(folder: Path, known: Mapping[bytes, bytes]) -> tuple[list[str], list[str], int]:
    """Compare the files of a folder with what they must be.

    Args:
        folder: the data set.
        known: see :func:`known_digests`.

    Returns:
        the files that differ, the files that no digest is known for, and how many are missing.
    """
    wrong: list[str] = []
    unknown: list[str] = []
    missing = set(known)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        row = record(name, path.read_bytes())
        key, digest = row[:_PATH], row[_PATH:]
        missing.discard(key)
        if key not in known:
            unknown.append(name)
        elif known[key] != digest:
            wrong.append(name)
    return wrong, unknown, len(missing)
