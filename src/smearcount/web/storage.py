"""The folder of a session: what lies where, and how it is found again after a crash.

::

    photographs/<name>          the uploads, under the names that the user knows
    seen/<id>/                  of each: photograph.json, count.json (what the model found), tiles/
    corrections.jsonl           what was corrected by hand, append-only
    settings.json               thresholds, edge rule, pixel size
    incoming/                   uploads that are not complete; thrown away when opened again
    id                          names the session, so that a page knows it again
    lock                        held by the one server that may write here
"""

from __future__ import annotations

import json
import re
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain, count
from pathlib import Path, PurePosixPath

from filelock import FileLock, Timeout

from smearcount.atomic_write import write_text
from smearcount.errors import UsageError
from smearcount.results.stored import StoredResult, read_stored, write_stored
from smearcount.settings import Settings
from smearcount.web.photographs import Photograph

MAX_FOLDER_DEPTH = 8
MAX_PART_BYTES = 120

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*\ud800-\udfff]')
_BLANKS_AND_DOTS_AT_ENDS = re.compile(r"^[\s.]+|[\s.]+$")
_WINDOWS_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


class SessionFolder:
    """Everything that a session has on the disk, locked for this process alone.

    Attributes:
        path: the folder.
        photographs: where complete uploads lie.
        incoming: where uploads are written until they are complete.
        corrections: the file with the corrections.
        id: names the session, wherever the folder is moved.
    """

    def __init__(self, path: Path) -> None:
        """Open a folder, or make it.

        Raises:
            UsageError: the folder cannot be used, or another server uses it.
        """
        self.path = path.resolve()
        self.photographs = self.path / "photographs"
        self.incoming = self.path / "incoming"
        self.corrections = self.path / "corrections.jsonl"
        # The system lets go of the lock even if the server is killed.
        self._lock = FileLock(self.path / "lock", blocking=False, thread_local=False)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
            shutil.rmtree(self.incoming, ignore_errors=True)
            for place in (self.incoming, self.photographs, self.path / "seen"):
                place.mkdir(exist_ok=True)
            self.id = self._read_id()
        except Timeout:
            raise UsageError(
                f"{path}: another smearcount serve is open on this folder; use that page, or name "
                "another folder."
            ) from None
        except OSError as error:
            raise UsageError(
                f"{path}: this folder cannot hold a session ({error.strerror})."
            ) from None

    def close(self) -> None:
        """Let another server have the folder."""
        self._lock.release()

    def file(self, photograph: Photograph) -> Path:
        """Return the file of a photograph."""
        return self.photographs / photograph.name

    def tiles(self, photograph: Photograph) -> Path:
        """Return the folder of the tiles of a photograph."""
        return self._folder_of(photograph) / "tiles"

    def is_free(self, name: str) -> bool:
        """Tell whether no folder stands where this name would go."""
        return not (self.photographs / name).is_dir()

    def reachable(self, name: str) -> str:
        """Return the name, a folder of it numbered where a photograph has the folder's name."""
        *folders, last = PurePosixPath(name).parts
        above = PurePosixPath()
        for folder in folders:
            tries = chain([folder], (numbered(folder, number) for number in count(2)))
            above /= next(each for each in tries if not (self.photographs / above / each).is_file())
        return str(above / last)

    def keep(self, photograph: Photograph, upload: Path) -> None:
        """Move a complete upload to its place; when this returns, a crash no longer loses it.

        Raises:
            OSError: the upload cannot be moved.
            WriteError: the disk is full or not writable.
        """
        target = self.file(photograph)
        target.parent.mkdir(parents=True, exist_ok=True)
        upload.replace(target)
        self._folder_of(photograph).mkdir(parents=True, exist_ok=True)
        self.keep_facts(photograph)

    def keep_facts(self, photograph: Photograph) -> None:
        """Write what is known of a photograph besides what the model found in it.

        Raises:
            WriteError: the disk is full or not writable.
        """
        keys = ("name", "sha256", "order", "left_out", "pixel_size_um")
        facts = {key: getattr(photograph, key) for key in keys}
        path = self._folder_of(photograph) / "photograph.json"
        write_text(path, json.dumps(facts), fsync=True)

    def keep_result(self, photograph: Photograph, stored: StoredResult) -> None:
        """Write what the model found in a photograph.

        Raises:
            WriteError: the disk is full or not writable.
        """
        write_stored(self._folder_of(photograph) / "count.json", stored)

    def remove(self, photograph: Photograph) -> None:
        """Remove a photograph and what the model found in it."""
        # First the entry, then the file: a crash in between leaves a file, never a dead entry.
        self.remove_result(photograph)
        self.file(photograph).unlink(missing_ok=True)

    def remove_result(self, photograph: Photograph) -> None:
        """Remove what the model found in a photograph."""
        shutil.rmtree(self._folder_of(photograph), ignore_errors=True)

    def read_photographs(self) -> Iterator[Photograph]:
        """Yield the photographs, each with what any model found in it."""
        for file in sorted((self.path / "seen").glob("*/photograph.json")):
            try:
                facts = json.loads(file.read_text(encoding="utf-8"))
                photograph = Photograph(file.parent.name, **facts)
            except (OSError, ValueError, TypeError):
                continue
            if self.file(photograph).is_file():
                photograph.stored = read_stored(file.with_name("count.json"))
                yield photograph

    def write_settings(self, settings: Settings) -> None:
        """Write the settings.

        Raises:
            WriteError: the disk is full or not writable.
        """
        write_text(self.path / "settings.json", json.dumps(asdict(settings)), fsync=True)

    def read_settings(self) -> Settings:
        """Return the settings as written, or the usual ones where there is nothing readable."""
        try:
            facts = json.loads((self.path / "settings.json").read_text(encoding="utf-8"))
            if isinstance(facts["threshold"], list):
                facts["threshold"] = tuple(facts["threshold"])
            return Settings(**facts)
        except (OSError, ValueError, KeyError, TypeError, UsageError):
            return Settings()

    def _read_id(self) -> str:
        path = self.path / "id"
        if not path.exists():
            write_text(path, uuid.uuid4().hex)
        return path.read_text(encoding="ascii", errors="replace").strip()

    def _folder_of(self, photograph: Photograph) -> Path:
        return self.path / "seen" / photograph.id


def safe_name(given: str) -> str:
    """Return a relative path with ``/`` between its parts that cannot leave its folder.

    Folders are kept, since they group the photographs of a slide. Characters that some file system
    refuses, and every ``.`` and ``..``, are dropped or replaced.

    Args:
        given: what the browser calls the file, such as ``slide 1/a.jpg``.

    Returns:
        a name that is never empty.

    Examples:
        >>> safe_name("../../slide 1/a?.jpg")
        'slide 1/a_.jpg'
    """
    parts = [_safe_part(part) for part in given.replace("\\", "/").split("/")]
    kept = [part for part in parts if part][-MAX_FOLDER_DEPTH:]
    return "/".join(kept) or "photograph"


def numbered(name: str, number: int) -> str:
    """Return the name with a number before its suffix.

    Examples:
        >>> numbered("slide 1/a.jpg", 2)
        'slide 1/a (2).jpg'
    """
    path = PurePosixPath(name)
    return str(path.with_name(f"{path.stem} ({number}){path.suffix}"))


def _safe_part(part: str) -> str:
    plain = _BLANKS_AND_DOTS_AT_ENDS.sub("", _FORBIDDEN.sub("_", part))
    if _WINDOWS_DEVICES.fullmatch(plain):
        plain = f"_{plain}"
    while len(plain.encode()) > MAX_PART_BYTES:
        path = PurePosixPath(plain)
        stem = path.stem[:-1]
        plain = stem + path.suffix if stem and len(path.suffix) < 10 else plain[:-1]
    # Cutting may have left a blank or a dot at the end.
    return _BLANKS_AND_DOTS_AT_ENDS.sub("", plain)
