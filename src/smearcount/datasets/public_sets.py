"""The public data sets that can be fetched: where each lies, and the checksum of each of its files.

``public/NAME.sha256`` lists the files of a data set, one a line: the first 32 hexadecimal digits
of the SHA-256 of its content, two blanks, and its path. Half of a SHA-256 (128 bits) still rules
out every damage and forgery, and keeps the lists small in the installed package. To check a file
by hand: ``sha256sum FILE | cut -c -32``.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Final

CHECKSUM_DIGITS: Final = 32
"""So many hexadecimal digits of a SHA-256 are kept."""

_FILES_AT_THE_TOP: Final = ("LICENSE", "data.yaml")


@dataclass(frozen=True)
class PublicSet:
    """Where a public data set lies.

    Attributes:
        name: such as ``bccd``.
        repository: ``owner/name`` on GitHub.
        commit: the pinned commit, abbreviated or whole.
        roots: the folders in the repository that are the data set; their parents are dropped.
        complete: whether the checksums of all of its files are known.
        about: what it holds and its license, for the help.
    """

    name: str
    repository: str
    commit: str
    roots: tuple[str, ...]
    complete: bool
    about: str

    def place(self, path: PurePosixPath) -> PurePosixPath | None:
        """Return the place of an archive's file in the data set, None if it is no part of it."""
        inside = path.parts[1:]
        for depth, part in enumerate(inside[:-1]):
            if part in self.roots:
                return PurePosixPath(*inside[depth:])
        return PurePosixPath(path.name) if path.name in _FILES_AT_THE_TOP else None


_SETS: Final = (
    PublicSet(
        name="bccd",
        repository="Shenggan/BCCD_Dataset",
        commit="d272fb1",
        roots=("BCCD",),
        complete=True,
        about="364 photographs with incomplete labels (Pascal VOC), MIT license",
    ),
    PublicSet(
        name="txl-pbc",
        repository="lugan113/TXL-PBC_Dataset",
        commit="056d09e",
        roots=("images", "labels"),
        complete=False,
        about="photographs from four sources, labeled afresh (YOLO), MIT license",
    ),
)

PUBLIC_SETS: Final = {public.name: public for public in _SETS}
"""The public data sets by name."""


def known_checksums(name: str) -> dict[str, str]:
    """Return the checksum of each published file by its path, for a name in ``PUBLIC_SETS``."""
    text = (files("smearcount.datasets") / "public" / f"{name}.sha256").read_text(encoding="utf-8")
    rows = (line.split("  ", 1) for line in text.splitlines())
    return {path: checksum for checksum, path in rows}
