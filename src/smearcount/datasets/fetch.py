"""Fetch a public data set at its pinned commit: resumed, verified, unpacked whole or not at all.

BCCD is verified file by file against known digests, all 732 of them. For TXL-PBC digests are known
for most files; the others come from the same archive and are counted as unverified. The archive
must name the pinned commit in its comment, as GitHub writes it.
"""

from __future__ import annotations

import http.client
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
from smearcount.datasets.digests import differences, known_digests
from smearcount.errors import DataError, DownloadError, UsageError

HOST: Final = "https://codeload.github.com"

_ATTEMPTS: Final = 5
_TIMEOUT_S: Final = 30
_CHUNK: Final = 1 << 16
_MOST_BYTES: Final = 1 << 30

Progress = Callable[[int, int | None], None]
"""Told the bytes that are here and the bytes that there will be, None if unknown."""


@dataclass(frozen=True)
class PublicSet:
    """Where a public data set lies.

    Attributes:
        name: such as ``bccd``.
        repository: ``owner/name`` on GitHub.
        commit: the pinned commit, abbreviated or whole.
        roots: the folders in the repository that are the data set; what stands above is dropped.
        complete: whether digests of all of its files are known.
    """

    name: str
    repository: str
    commit: str
    roots: tuple[str, ...]
    complete: bool

    def place(self, path: PurePosixPath) -> PurePosixPath | None:
        """Return where a file of the archive belongs in the data set, None if it is no part."""
        inside = path.parts[1:]
        for depth, part in enumerate(inside[:-1]):
            if part in self.roots:
                return PurePosixPath(*inside[depth:])
        return PurePosixPath(path.name) if path.name in ("LICENSE", "data.yaml") else None


PUBLIC_SETS: Final = {
    "bccd": PublicSet("bccd", "Shenggan/BCCD_Dataset", "d272fb1", ("BCCD",), True),
    "txl-pbc": PublicSet(
        "txl-pbc", "lugan113/TXL-PBC_Dataset", "056d09e", ("images", "labels"), False
    ),
}


@dataclass(frozen=True)
class Fetched:
    """What was fetched.

    Attributes:
        folder: the data set.
        verified: how many files match their digest.
        unverified: how many files have no known digest.
    """

    folder: Path
    verified: int
    unverified: int


def fetch(
    name: str,
    folder: Path,
    host: str = HOST,
    progress: Progress = lambda done, total: None,
    digests: Mapping[bytes, bytes] | None = None,
) -> Fetched:
    """Fetch a public data set into a folder; a folder that holds it already is only verified.

    An interrupted download is kept beside the folder and resumed by the next call.

    Args:
        name: ``bccd`` or ``txl-pbc``.
        folder: made if missing.
        host: where archives are served, without a slash at the end.
        progress: told after each piece.
        digests: what files must be; by default those kept in the package.

    Raises:
        UsageError: there is no such data set.
        DownloadError: no connection, or what came is damaged, hostile or not what was published.
    """
    if name not in PUBLIC_SETS:
        raise UsageError(f"data set must be one of {', '.join(PUBLIC_SETS)}, not {name!r}.")
    public = PUBLIC_SETS[name]
    known = known_digests(name) if digests is None else digests
    folder = folder.resolve()
    if folder.is_file():
        raise UsageError(f"{folder}: this is a file; name a folder with -o.")
    if folder.exists() and any(folder.iterdir()):
        return _verified(folder, public, known, "delete this folder and fetch it again")
    archive = folder.with_name(f".{name}-{public.commit}.zip.part")
    archive.parent.mkdir(parents=True, exist_ok=True)
    _download(f"{host}/{public.repository}/zip/{public.commit}", archive, progress)
    try:
        fetched = _unpack(archive, folder, public, known)
    finally:  # damaged or done with: either way not to be resumed
        _forget(archive)
    return fetched


def _unpack(
    archive: Path, folder: Path, public: PublicSet, known: Mapping[bytes, bytes]
) -> Fetched:
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{public.name}-") as scratch:
        try:
            with zipfile.ZipFile(archive) as members:
                comment = members.comment.decode("ascii", "replace")
            if not comment.startswith(public.commit):
                raise DownloadError(
                    f"{public.name}: the archive is of commit {comment[:40] or 'unknown'}, not of "
                    f"{public.commit}; nothing was unpacked."
                )
            whole = Path(scratch, "whole")
            unpack(archive, whole, public.place, _MOST_BYTES)
        except zipfile.BadZipFile:
            raise DownloadError(
                f"{public.name}: the download is not a whole zip archive; fetch it again."
            ) from None
        except DataError as error:
            raise DownloadError(f"{public.name}: {error}") from None
        fetched = _verified(whole, public, known, "nothing was unpacked; fetch it again")
        if folder.exists():
            folder.rmdir()  # empty, as fetch has seen
        shutil.move(whole, folder)
    return Fetched(folder, fetched.verified, fetched.unverified)


def _verified(
    folder: Path, public: PublicSet, known: Mapping[bytes, bytes], remedy: str
) -> Fetched:
    wrong, unknown, missing = differences(folder, known)
    if public.complete:
        wrong += [path for path in unknown if PurePosixPath(path).parts[0] in public.roots]
    if missing == len(known):
        raise DownloadError(
            f"{folder}: it holds other files than {public.name}; name a new folder with -o."
        )
    if wrong:
        more = f" and {len(wrong) - 1} more files" if wrong[1:] else ""
        raise DownloadError(
            f"{public.name}: {wrong[0]}{more} differ from what was published; {remedy}."
        )
    if missing:
        raise DownloadError(f"{public.name}: {missing} published files are missing; {remedy}.")
    return Fetched(folder, len(known), len(unknown))


def _download(url: str, part: Path, progress: Progress) -> None:
    """Download into ``part``, going on where an earlier attempt stopped."""
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
            if error.code == 416:  # what is here is whole already, or of another file
                _forget(part)
                continue
        except urllib.error.URLError as error:
            problem = f"no connection ({error.reason})"
        except (OSError, http.client.HTTPException) as error:
            problem = f"the connection broke ({error or type(error).__name__})"
        if not part.exists() or part.stat().st_size <= before:
            break  # no progress at all: trying at once again would not help
    kept = " what has come is kept and will be resumed;" if part.exists() else ""
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
                if done > _MOST_BYTES:
                    raise DownloadError(f"{url}: more than {_MOST_BYTES} bytes come; stopped.")
                progress(done, total)
    if total is not None and done < total:
        raise http.client.IncompleteRead(b"", total - done)


def _forget(part: Path) -> None:
    for path in (part, part.with_name(f"{part.name}.etag")):
        path.unlink(missing_ok=True)
