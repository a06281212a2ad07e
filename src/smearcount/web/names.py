"""The name of an uploaded photograph, made safe to be a path inside the session's folder."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*\ud800-\udfff]')
_ENDS = re.compile(r"^[\s.]+|[\s.]+$")
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_DEEPEST = 8
_LONGEST_BYTES = 120


def safe_name(given: str) -> str:
    """Return a relative path with ``/`` between its parts that cannot leave its folder.

    Folders are kept, since they group the photographs of a slide; what no file system takes, and
    every ``.`` and ``..``, is dropped. The result is never empty.

    Args:
        given: what the browser calls the file, such as ``slide 1/a.jpg``.
    """
    parts = [_safe_part(part) for part in given.replace("\\", "/").split("/")]
    kept = [part for part in parts if part][-_DEEPEST:]
    return "/".join(kept) or "photograph"


def numbered(name: str, number: int) -> str:
    """Return ``a (2).jpg`` for ``a.jpg`` and 2."""
    path = PurePosixPath(name)
    return str(path.with_name(f"{path.stem} ({number}){path.suffix}"))


def natural_order(name: str) -> tuple[tuple[str, ...], list[tuple[int, str]]]:
    """Return a sort key: by folder, then by name, with ``2.jpg`` before ``10.jpg``."""
    *folders, file = name.casefold().split("/")
    parts = re.split(r"(\d+)", file)
    return tuple(folders), [(int(part) if part.isdecimal() else -1, part) for part in parts]


def _safe_part(part: str) -> str:
    plain = _ENDS.sub("", _FORBIDDEN.sub("_", part))
    if _DEVICES.fullmatch(plain):
        plain = f"_{plain}"
    while len(plain.encode()) > _LONGEST_BYTES:
        path = PurePosixPath(plain)
        stem = path.stem[:-1]
        plain = stem + path.suffix if stem and len(path.suffix) < 10 else plain[:-1]
    return _ENDS.sub("", plain)  # the cut may have bared a blank or a dot
