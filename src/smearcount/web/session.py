"""The state of a page: photographs, what was seen in them, settings and corrections.

Everything lives in one folder, and whatever the page was told is safe is on the disk::

    photographs/<name>          the uploads, under the names that the user knows
    seen/<id>/                  photograph.json, seen.npz and tiles/ of each
    corrections.jsonl           what was corrected by hand, append-only
    settings.json               thresholds, edge rule, pixel size

The folder is opened again after a crash as it was; half-finished uploads are thrown away.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Literal

from smearcount.corrected import corrected
from smearcount.detector.card import ModelCard
from smearcount.errors import UsageError
from smearcount.formats.corrections import Cell, Correction, history
from smearcount.result import CountResult
from smearcount.settings import Settings
from smearcount.web.journal import Journal
from smearcount.web.names import numbered, safe_name
from smearcount.web.stored import Seen, read_seen, write_seen

State = Literal["waiting", "counting", "done", "failed", "cancelled"]


class UnknownPhotographError(KeyError):
    """There is no such photograph in the session."""


class OutdatedError(Exception):
    """A correction was made on a view that other corrections have changed since."""


@dataclass(eq=False)
class Photograph:
    """One photograph of the session.

    Attributes:
        id: of the name and the bytes, 16 hex digits.
        name: relative path with ``/``, unique in the session.
        sha256: of the file.
        order: its place among the uploads.
        state: what is going on with it.
        reason: why it failed, one sentence; empty otherwise.
        seen: what the model saw, once done.
        revision: of the session when this last changed.
    """

    id: str
    name: str
    sha256: str
    order: int
    state: State = "waiting"
    reason: str = ""
    seen: Seen | None = None
    revision: int = 0


class Session:
    """The photographs of one folder; safe to use from several threads.

    Attributes:
        folder: where everything lives.
        card: the card of the model that looks.
        settings: threshold per class, edge rule, pixel size.
        revision: grows with every change.
        changed: notified whenever a photograph starts to wait.
    """

    def __init__(self, folder: Path, card: ModelCard) -> None:
        """Open a session, or begin one in a new folder.

        Raises:
            UsageError: the folder cannot be used.
            DataError: the corrections in it are damaged.
        """
        self.folder = folder.resolve()
        self.card = card
        self.revision = 0
        self.changed = threading.Condition(threading.RLock())
        self._photographs: dict[str, Photograph] = {}
        self._removed: dict[str, int] = {}
        try:
            shutil.rmtree(self.incoming, ignore_errors=True)
            for place in (self.incoming, self.photographs, self.folder / "seen"):
                place.mkdir(parents=True, exist_ok=True)
            self._journal = Journal(self.folder / "corrections.jsonl")
        except OSError as error:
            raise UsageError(
                f"{folder}: this folder cannot hold a session ({error.strerror})."
            ) from None
        self.settings = self._read_settings()
        self._read_photographs()

    @property
    def incoming(self) -> Path:
        """Where uploads are written until they are complete."""
        return self.folder / "incoming"

    @property
    def photographs(self) -> Path:
        """Where complete uploads lie."""
        return self.folder / "photographs"

    @property
    def corrections(self) -> Path:
        """The file with the corrections."""
        return self._journal.path

    def path(self, photograph: Photograph) -> Path:
        """Return the file of a photograph."""
        return self.photographs / photograph.name

    def tiles(self, photograph: Photograph) -> Path:
        """Return the folder of the tiles of a photograph."""
        return self._home(photograph.id) / "tiles"

    def all(self) -> list[Photograph]:
        """Return the photographs in the order of their upload."""
        with self.changed:
            return sorted(self._photographs.values(), key=lambda photograph: photograph.order)

    def get(self, identity: str) -> Photograph:
        """Return one photograph.

        Raises:
            UnknownPhotographError: there is none.
        """
        with self.changed:
            try:
                return self._photographs[identity]
            except KeyError:
                raise UnknownPhotographError(identity) from None

    def removed_since(self, revision: int) -> list[str]:
        """Return the ids of the photographs removed after a revision."""
        with self.changed:
            return [identity for identity, at in self._removed.items() if at > revision]

    def add(self, upload: Path, given_name: str, sha256: str) -> tuple[Photograph, bool]:
        """Take in a complete upload; when this returns, a crash no longer loses it.

        Args:
            upload: the file, below ``incoming``; it is moved.
            given_name: what the browser calls it.
            sha256: of its bytes.

        Returns:
            the photograph, and whether it is new: the same file under the same name is not.

        Raises:
            OSError: the disk is full or not writable.
        """
        with self.changed:
            name = safe_name(given_name)
            for number in range(2, 1_000_000):
                identity = _identity(name, sha256)
                known = self._photographs.get(identity)
                if known is not None:
                    upload.unlink()
                    return known, False
                if self._free(name):
                    break
                name = numbered(safe_name(given_name), number)
            order = 1 + max((p.order for p in self._photographs.values()), default=0)
            photograph = Photograph(identity, name, sha256, order)
            target = self.path(photograph)
            target.parent.mkdir(parents=True, exist_ok=True)
            upload.replace(target)
            self._write_photograph(photograph)
            self._photographs[identity] = photograph
            self._removed.pop(identity, None)
            self._touch(photograph)
            self.changed.notify_all()
            return photograph, True

    def remove(self, identity: str) -> None:
        """Remove a photograph; its corrections stay, and return with it.

        Raises:
            UnknownPhotographError: there is none.
        """
        with self.changed:
            photograph = self.get(identity)
            # First the entry, then the file: a crash in between leaves a file, never a dead entry.
            shutil.rmtree(self._home(identity), ignore_errors=True)
            self.path(photograph).unlink(missing_ok=True)
            del self._photographs[identity]
            self.revision += 1
            self._removed[identity] = self.revision

    def next_waiting(self) -> Photograph | None:
        """Return the next photograph to count, marked as being counted."""
        with self.changed:
            for photograph in self.all():
                if photograph.state == "waiting":
                    self._change(photograph, "counting")
                    return photograph
            return None

    def finish(self, photograph: Photograph, asked: Settings, seen: Seen | None, why: str) -> None:
        """Record what was seen, or why nothing could be.

        Args:
            photograph: which one.
            asked: the settings under which it was counted.
            seen: what was seen; None if it failed.
            why: the reason for a failure.
        """
        with self.changed:
            if self._photographs.get(photograph.id) is not photograph:
                return
            if asked.pixel_size_um != self.settings.pixel_size_um:
                self._change(photograph, "waiting")
                return
            if seen is not None:
                write_seen(self._home(photograph.id) / "seen.npz", seen)
            photograph.seen, photograph.reason = seen, why
            self._change(photograph, "failed" if seen is None else "done")

    def cancel(self) -> None:
        """Count none of those that wait."""
        with self.changed:
            for photograph in self._photographs.values():
                if photograph.state == "waiting":
                    self._change(photograph, "cancelled")

    def resume(self) -> None:
        """Count those that were cancelled after all."""
        with self.changed:
            for photograph in self._photographs.values():
                if photograph.state == "cancelled":
                    self._change(photograph, "waiting")

    def set(self, settings: Settings) -> None:
        """Change the settings; another pixel size means to look at every photograph again.

        Raises:
            UsageError: the number of thresholds is not the number of classes.
        """
        settings.thresholds(self.card.thresholds)
        with self.changed:
            again = settings.pixel_size_um != self.settings.pixel_size_um
            _write(self.folder / "settings.json", json.dumps(asdict(settings)))
            self.settings = settings
            for photograph in self._photographs.values():
                if again and photograph.state in ("done", "failed"):
                    self._change(photograph, "waiting")
                else:
                    self._touch(photograph)

    def correct(
        self,
        identity: str,
        after: int,
        kind: Literal["edit", "undo", "redo"],
        remove: tuple[Cell, ...] = (),
        add: tuple[Cell, ...] = (),
    ) -> Photograph:
        """Append a correction; when this returns, it is on the disk.

        Args:
            identity: of the photograph.
            after: how many corrections of this photograph the user had seen.
            kind: an edit, an undo or a redo.
            remove: cells that are not there.
            add: cells that were missing.

        Raises:
            UnknownPhotographError: there is no such photograph.
            OutdatedError: there are other corrections meanwhile.
            UsageError: there is nothing to undo or redo, or a class is unknown.
        """
        with self.changed:
            photograph = self.get(identity)
            lines = self.lines(photograph)
            if after != len(lines):
                raise OutdatedError
            done, undone = history(lines)
            if (kind == "undo" and not done) or (kind == "redo" and not undone):
                raise UsageError(f"There is nothing to {kind}.")
            strangers = {cell.label for cell in (*remove, *add)} - set(self.card.classes)
            if strangers:
                raise UsageError(
                    f"The model knows {', '.join(self.card.classes)}, not {strangers.pop()!r}."
                )
            self._journal.append(
                Correction(
                    image=photograph.sha256,
                    name=photograph.name,
                    time=datetime.now(UTC).isoformat(timespec="seconds"),
                    kind=kind,
                    remove=remove,
                    add=add,
                )
            )
            for other in self._photographs.values():
                if other.sha256 == photograph.sha256:
                    self._touch(other)
            return photograph

    def lines(self, photograph: Photograph) -> tuple[Correction, ...]:
        """Return the corrections of a photograph, in order."""
        with self.changed:
            return self._journal.of(photograph.sha256)

    def standing(self, photograph: Photograph) -> list[Correction]:
        """Return the edits of a photograph that stand, oldest first."""
        return history(self.lines(photograph))[0]

    def automatic(self, photograph: Photograph) -> CountResult | None:
        """Return what the model counts under the present settings, or None before it is done."""
        seen, settings = photograph.seen, self.settings
        if seen is None or photograph.state != "done":
            return None
        return seen.result(photograph.name, self.path(photograph), self.card, settings)

    def counted(self, photograph: Photograph) -> CountResult | None:
        """Return the count with the corrections, or None before it is done."""
        result = self.automatic(photograph)
        return None if result is None else corrected(result, self.lines(photograph))

    def _home(self, identity: str) -> Path:
        return self.folder / "seen" / identity

    def _free(self, name: str) -> bool:
        """Tell whether nothing stands where this name, or a folder of it, would go."""
        taken = {photograph.name.casefold() for photograph in self._photographs.values()}
        folders = list(PurePosixPath(name).parents)[:-1]
        return (
            name.casefold() not in taken
            and not (self.photographs / name).is_dir()
            and not any((self.photographs / folder).is_file() for folder in folders)
        )

    def _change(self, photograph: Photograph, state: State) -> None:
        photograph.state = state
        self._touch(photograph)
        if state == "waiting":
            self.changed.notify_all()

    def _touch(self, photograph: Photograph) -> None:
        self.revision += 1
        photograph.revision = self.revision

    def _write_photograph(self, photograph: Photograph) -> None:
        home = self._home(photograph.id)
        home.mkdir(parents=True, exist_ok=True)
        facts = {key: getattr(photograph, key) for key in ("name", "sha256", "order")}
        _write(home / "photograph.json", json.dumps(facts))

    def _read_photographs(self) -> None:
        for file in _entries(self.folder / "seen"):
            try:
                facts = json.loads(file.read_text(encoding="utf-8"))
                photograph = Photograph(file.parent.name, **facts)
            except (OSError, ValueError, TypeError):
                continue
            if not self.path(photograph).is_file():
                continue
            seen = read_seen(file.with_name("seen.npz"))
            if (
                seen is not None
                and seen.model_sha256 == self.card.sha256
                and seen.asked_pixel_size_um == self.settings.pixel_size_um
            ):
                photograph.seen, photograph.state = seen, "done"
            self._photographs[photograph.id] = photograph
            self._touch(photograph)

    def _read_settings(self) -> Settings:
        try:
            facts = json.loads((self.folder / "settings.json").read_text(encoding="utf-8"))
            if isinstance(facts["threshold"], list):
                facts["threshold"] = tuple(facts["threshold"])
            settings = Settings(**facts)
            settings.thresholds(self.card.thresholds)
        except (OSError, ValueError, KeyError, TypeError, UsageError):
            return Settings()
        return settings


def _identity(name: str, sha256: str) -> str:
    return hashlib.sha256(f"{name}\0{sha256}".encode()).hexdigest()[:16]


def _entries(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.glob("*/photograph.json"))


def _write(path: Path, text: str) -> None:
    """Write a small file, whole or not at all, and have it on the disk."""
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
