"""Unpack zip archives safely: no links, no paths out of the folder, no more bytes than allowed."""

from __future__ import annotations

import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Final

from smearcount.errors import DataError

MAX_BYTES: Final = 2 << 30
"""More than any annotated data set that we know takes unpacked."""

MAX_FILES: Final = 100_000

_CHUNK: Final = 1 << 20


def unpack(
    archive: Path,
    folder: Path,
    place: Callable[[PurePosixPath], PurePosixPath | None] = lambda path: path,
    max_bytes: int = MAX_BYTES,
) -> list[Path]:
    """Unpack a zip archive into a new folder, wholly or not at all.

    Args:
        archive: the zip file.
        folder: must not exist yet.
        place: returns the place of a member in the folder; None leaves the member out.
        max_bytes: limit for all files together. Bytes are counted while they are unpacked, because
            the sizes in the archive may be wrong.

    Returns:
        the files, sorted.

    Raises:
        DataError: the archive is damaged, holds links, encrypted files or paths that lead out of
            the folder, or unpacks to more than ``max_bytes``; or the folder exists.
    """
    if folder.exists():
        raise DataError(f"{folder}: this folder exists already; name another or delete it.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        unpacked = Path(scratch, "unpacked")
        unpacked.mkdir()
        try:
            with zipfile.ZipFile(archive) as members:
                _unpack(members, archive, unpacked, place, max_bytes)
        except FileNotFoundError:
            raise DataError(f"{archive}: this archive is missing; check the path.") from None
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
            raise DataError(
                f"{archive}: not a whole zip archive ({error}); download it again."
            ) from None
        unpacked.rename(folder)
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _unpack(
    members: zipfile.ZipFile,
    archive: Path,
    folder: Path,
    place: Callable[[PurePosixPath], PurePosixPath | None],
    max_bytes: int,
) -> None:
    if len(members.infolist()) > MAX_FILES:
        raise DataError(f"{archive}: it holds more than {MAX_FILES} files; it is not trusted.")
    left = max_bytes
    for member in members.infolist():
        path = _checked(member, archive)
        target = place(path)
        if member.is_dir() or target is None or "__MACOSX" in path.parts:
            continue
        goal = folder / target
        if goal.exists():
            raise DataError(f"{archive}: it holds {path} twice; it is not trusted.")
        try:
            goal.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise DataError(
                f"{archive}: it holds a file where {path} needs a folder; it is not trusted."
            ) from None
        with members.open(member) as source, goal.open("wb") as sink:
            while chunk := source.read(_CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise DataError(
                        f"{archive}: it unpacks to more than {max_bytes} bytes; it is not trusted."
                    )
                sink.write(chunk)


def _checked(member: zipfile.ZipInfo, archive: Path) -> PurePosixPath:
    """Return the path of a member after checking that it stays below the folder on every system.

    Some programs on Windows write backslashes between the folders of a path.
    """
    name = member.orig_filename.replace("\\", "/")
    path = PurePosixPath(name)
    hostile = path.is_absolute() or ".." in path.parts or ":" in name or "\0" in name
    if hostile:
        raise DataError(f"{archive}: its path {name!r} leads out of the folder; it is not trusted.")
    mode = member.external_attr >> 16
    if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_IFMT(mode) == 0):
        raise DataError(f"{archive}: {name!r} is a link or a device; it is not trusted.")
    if member.flag_bits & 1:
        raise DataError(f"{archive}: {name!r} is encrypted; unpack it yourself.")
    return path


def unpacked_beside(archive: Path) -> Path:
    """Return the folder ``NAME.unpacked`` beside ``NAME.zip``; unpack it if it is not there yet.

    Raises:
        DataError: the archive is damaged or hostile, or newer than what was unpacked from it.
    """
    folder = archive.with_name(f"{archive.stem}.unpacked")
    if folder.is_dir() and archive.is_file():
        if archive.stat().st_mtime > folder.stat().st_mtime:
            raise DataError(f"{folder}: {archive.name} has changed since; delete this folder.")
        return folder
    unpack(archive, folder)
    folder.touch()
    return folder
