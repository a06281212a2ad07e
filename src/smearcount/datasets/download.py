"""Fetch a public data set at its pinned commit: resumed, verified, unpacked whole or not at all.

All 732 files of BCCD are verified against known checksums. Of TXL-PBC the checksums of most files
are known; the others come from the same archive and are counted as unverified. The archive must
name the pinned commit in its comment, as GitHub writes it.

Why not pooch: it downloads again from the start after an interruption (pooch 1.9 never asks for a
range of bytes), it verifies the archive as one file although GitHub does not promise that an
archive of a commit keeps its bytes, and it would add six packages (4 MB) to the base install.
"""

from __future__ import annotations

import http.client
import os
import shutil
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from smearcount.datasets.archive import unpack
from smearcount.datasets.public_sets import (
    CHECKSUM_DIGITS,
    PUBLIC_SETS,
    PublicSet,
    known_checksums,
)
from smearcount.errors import DataError, DownloadError, UsageError
from smearcount.sha256 import sha256_of_file

HOST: Final = "https://codeload.github.com"

_ATTEMPTS: Final = 5
_TIMEOUT_S: Final = 30
_CHUNK: Final = 1 << 16
_MAX_BYTES: Final = 1 << 30
"""An archive, packed or unpacked, may not be larger."""

Progress = Callable[[int, int | None], None]
"""Called with the bytes received so far and the bytes in total, None if unknown."""


@dataclass(frozen=True)
class Fetched:
    """A fetched data set.

    Attributes:
        folder: where it lies.
        verified: how many files match their checksum.
        unverified: how many files have no known checksum.
    """

    folder: Path
    verified: int
    unverified: int


def fetch(
    name: str,
    folder: str | os.PathLike[str],
    host: str = HOST,
    progress: Progress = lambda done, total: None,
    checksums: Mapping[str, str] | None = None,
) -> Fetched:
    """Fetch a public data set into a folder; a folder that holds it already is only verified.

    An interrupted download is kept beside the folder and resumed by the next call.

    Args:
        name: one of :data:`smearcount.datasets.public_sets.PUBLIC_SETS`: ``bccd`` or ``txl-pbc``.
        folder: made if missing.
        host: the server of the archives, without a slash at the end.
        progress: called after each piece; see :data:`Progress`.
        checksums: the expected checksum of each file by its path; None takes those that ship with
            the package, see :func:`smearcount.datasets.public_sets.known_checksums`.

    Returns:
        the folder, and how many of its files could be verified.

    Raises:
        UsageError: there is no such data set.
        DownloadError: there is no connection, or the archive is damaged, hostile or differs from
            the published one.

    Example:
        >>> from smearcount.datasets import fetch, read_dataset
        >>> fetched = fetch("bccd", "bccd")  # needs the network  # doctest: +SKIP
        >>> len(read_dataset(fetched.folder, "train"))  # doctest: +SKIP
        205
    """
    if name not in PUBLIC_SETS:
        raise UsageError(f"data set must be one of {', '.join(PUBLIC_SETS)}, not {name!r}.")
    public = PUBLIC_SETS[name]
    known = known_checksums(name) if checksums is None else checksums
    folder = Path(folder).resolve()
    if folder.is_file():
        raise UsageError(f"{folder}: this is a file; name a folder for the data set.")
    if folder.exists() and any(folder.iterdir()):
        return _verify(folder, public, known, "delete this folder and fetch it again")
    archive = folder.with_name(f".{name}-{public.commit}.zip.part")
    archive.parent.mkdir(parents=True, exist_ok=True)
    _download(f"{host}/{public.repository}/zip/{public.commit}", archive, progress)
    try:
        return _unpack(archive, folder, public, known)
    finally:  # whether unpacked or damaged, it must not be resumed
        _delete_partial(archive)


def _unpack(archive: Path, folder: Path, public: PublicSet, known: Mapping[str, str]) -> Fetched:
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{public.name}-") as scratch:
        try:
            with zipfile.ZipFile(archive) as members:
                comment = members.comment.decode("ascii", "replace")
            if not comment.startswith(public.commit):
                raise DownloadError(
                    f"{public.name}: the archive is of commit {comment[:40] or 'unknown'}, not of "
                    f"{public.commit}; nothing was unpacked."
                )
            unpacked = Path(scratch, "unpacked")
            unpack(archive, unpacked, public.place, _MAX_BYTES)
        except zipfile.BadZipFile:
            raise DownloadError(
                f"{public.name}: the download is not a whole zip archive; fetch it again."
            ) from None
        except DataError as error:
            raise DownloadError(f"{public.name}: {error}") from None
        fetched = _verify(unpacked, public, known, "nothing was unpacked; fetch it again")
        if folder.exists():
            folder.rmdir()  # fetch has checked that it is empty
        shutil.move(unpacked, folder)
    return Fetched(folder, fetched.verified, fetched.unverified)


def _verify(folder: Path, public: PublicSet, known: Mapping[str, str], remedy: str) -> Fetched:
    wrong, unknown, missing = differences(folder, known)
    if public.complete:
        wrong += [path for path in unknown if PurePosixPath(path).parts[0] in public.roots]
    if missing == len(known):
        raise DownloadError(
            f"{folder}: it holds other files than {public.name}; name a new folder."
        )
    if wrong:
        more = f" and {len(wrong) - 1} more files" if wrong[1:] else ""
        raise DownloadError(
            f"{public.name}: {wrong[0]}{more} differ from what was published; {remedy}."
        )
    if missing:
        raise DownloadError(f"{public.name}: {missing} published files are missing; {remedy}.")
    return Fetched(folder, len(known), len(unknown))


def differences(folder: Path, known: Mapping[str, str]) -> tuple[list[str], list[str], int]:
    """Compare the files of a folder with their checksums.

    Args:
        folder: the data set.
        known: the expected checksum of each file by its path in the folder.

    Returns:
        the files that differ, the files without a known checksum, and how many are missing.
    """
    wrong: list[str] = []
    unknown: list[str] = []
    missing = set(known)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        missing.discard(name)
        if name not in known:
            unknown.append(name)
        elif sha256_of_file(path)[:CHECKSUM_DIGITS] != known[name]:
            wrong.append(name)
    return wrong, unknown, len(missing)


def _download(url: str, part: Path, progress: Progress) -> None:
    """Download into ``part``; continue where an earlier attempt stopped."""
    problem = ""
    for _ in range(_ATTEMPTS):
        before = part.stat().st_size if part.exists() else 0
        try:
            _receive(url, part, progress)
            return
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code not in (408, 416, 429):
                raise DownloadError(
                    f"{url}: the server answers {error.code} {error.reason}; "
                    "fetch it by hand or try later."
                ) from None
            problem = f"the server answers {error.code}"
            if error.code == 416:  # the part is complete already, or belongs to another file
                _delete_partial(part)
                continue
        except urllib.error.URLError as error:
            problem = f"no connection ({error.reason})"
        except (OSError, http.client.HTTPException) as error:
            problem = f"the connection broke ({error or type(error).__name__})"
        if not part.exists() or part.stat().st_size <= before:
            break  # nothing was received: an immediate retry would not help
    kept = " the part received so far is kept and will be resumed;" if part.exists() else ""
    raise DownloadError(f"{url}: {problem};{kept} check the network and try again.")


def _receive(url: str, part: Path, progress: Progress) -> None:
    tag_file = part.with_name(f"{part.name}.etag")
    done = part.stat().st_size if part.exists() else 0
    tag = tag_file.read_text(encoding="utf-8") if tag_file.exists() else ""
    headers = {"User-Agent": "smearcount", "Accept-Encoding": "identity"}
    if done and tag:
        headers |= {"Range": f"bytes={done}-", "If-Range": tag}
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:
        resumed = response.status == 206
        done = done if resumed else 0
        length = response.headers.get("Content-Length")
        total = done + int(length) if length else None
        tag_file.write_text(response.headers.get("ETag") or "", encoding="utf-8")
        with part.open("ab" if resumed else "wb") as sink:
            while chunk := response.read(_CHUNK):
                sink.write(chunk)
                done += len(chunk)
                if done > _MAX_BYTES:
                    raise DownloadError(f"{url}: larger than {_MAX_BYTES} bytes; stopped.")
                progress(done, total)
    if total is not None and done < total:
        raise http.client.IncompleteRead(b"", total - done)


def _delete_partial(part: Path) -> None:
    for path in (part, part.with_name(f"{part.name}.etag")):
        path.unlink(missing_ok=True)
