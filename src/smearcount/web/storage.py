"""The folder of a session: what lies where, and how it is found again after a crash.

::

    photographs/<name>          the uploads, under the names that the user knows
    seen/<id>/                  photograph.json, seen.npz and tiles/ of each
    corrections.jsonl           what was corrected by hand, append-only
    settings.json               thresholds, edge rule, pixel size
    incoming/                   uploads that are not complete; thrown away when opened again
    lock                        held by the one server that may write here
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain, count
from pathlib import Path, PurePosixPath

from smearcount.errors import UsageError
from smearcount.results.stored import StoredResult, read_stored, write_stored
from smearcount.settings import Settings
from smearcount.web.lock import claim
from smearcount.web.names import numbered
from smearcount.web.photograph import Photograph


class SessionFolder:
    """Everything that a session has on the disk, taken for this process alone.

    Attributes:
        path: the folder.
        photographs: where complete uploads lie.
        incoming: where uploads are written until they are complete.
        corrections: the file with the corrections.
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
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = claim(self.path)
            shutil.rmtree(self.incoming, ignore_errors=True)
            for place in (self.incoming, self.photographs, self.path / "seen"):
                place.mkdir(exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"{path}: this folder cannot hold a session ({error.strerror})."
            ) from None

    def close(self) -> None:
        """Let another server have the folder."""
        self._lock.close()

    def file(self, photograph: Photograph) -> Path:
        """Return the file of a photograph."""
        return self.photographs / photograph.name

    def tiles(self, photograph: Photograph) -> Path:
        """Return the folder of the tiles of a photograph."""
        return self._home(photograph) / "tiles"

    def free(self, name: str) -> bool:
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
            OSError: the disk is full or not writable.
        """
        target = self.file(photograph)
        target.parent.mkdir(parents=True, exist_ok=True)
        upload.replace(target)
        home = self._home(photograph)
        home.mkdir(parents=True, exist_ok=True)
        facts = {key: getattr(photograph, key) for key in ("name", "sha256", "order")}
        _write(home / "photograph.json", json.dumps(facts))

    def keep_seen(self, photograph: Photograph, seen: StoredResult) -> None:
        """Write what was seen in a photograph.

        Raises:
            OSError: the disk is full or not writable.
        """
        write_stored(self._home(photograph) / "count.json", seen)

    def forget(self, photograph: Photograph) -> None:
        """Remove a photograph and what was seen in it."""
        # First the entry, then the file: a crash in between leaves a file, never a dead entry.
        self.forget_seen(photograph)
        self.file(photograph).unlink(missing_ok=True)

    def forget_seen(self, photograph: Photograph) -> None:
        """Remove what was seen in a photograph."""
        shutil.rmtree(self._home(photograph), ignore_errors=True)

    def read_photographs(self) -> Iterator[Photograph]:
        """Yield the photographs, each with what was seen in it by whatever model."""
        for file in sorted((self.path / "seen").glob("*/photograph.json")):
            try:
                facts = json.loads(file.read_text(encoding="utf-8"))
                photograph = Photograph(file.parent.name, **facts)
            except (OSError, ValueError, TypeError):
                continue
            if self.file(photograph).is_file():
                photograph.seen = read_stored(file.with_name("count.json"))
                yield photograph

    def write_settings(self, settings: Settings) -> None:
        """Write the settings.

        Raises:
            OSError: the disk is full or not writable.
        """
        _write(self.path / "settings.json", json.dumps(asdict(settings)))

    def read_settings(self) -> Settings:
        """Return the settings as written, or the usual ones where there is nothing readable."""
        try:
            facts = json.loads((self.path / "settings.json").read_text(encoding="utf-8"))
            if isinstance(facts["threshold"], list):
                facts["threshold"] = tuple(facts["threshold"])
            return Settings(**facts)
        except (OSError, ValueError, KeyError, TypeError, UsageError):
            return Settings()

    def _home(self, photograph: Photograph) -> Path:
        return self.path / "seen" / photograph.id


def _write(path: Path, text: str) -> None:
    """Write a small file, whole or not at all, and have it on the disk."""
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
