"""The state of a page: photographs, what was seen in them, settings and corrections.

Whatever the page was told is safe is on the disk, in one folder, and is found there again after a
crash; see :mod:`smearcount.web.storage`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Literal

from smearcount.detector.model_card import ModelCard
from smearcount.errors import UsageError
from smearcount.results.corrected import corrected
from smearcount.results.corrections import Cell, Correction, history
from smearcount.results.result import CountResult
from smearcount.results.stored import StoredResult
from smearcount.settings import Settings
from smearcount.web.correction_log import Journal
from smearcount.web.names import numbered, safe_name
from smearcount.web.photograph import Photograph, identity_of
from smearcount.web.photographs import Roll
from smearcount.web.storage import SessionFolder


class Session:
    """The photographs of one folder; safe to use from several threads.

    Attributes:
        folder: where everything lies.
        card: the card of the model that looks.
        model: the model's file; None for the one that ships.
        settings: threshold per class, edge rule, pixel size.
        roll: the photographs.
    """

    def __init__(self, folder: Path, card: ModelCard, model: Path | None = None) -> None:
        """Open a session, or begin one in a new folder.

        Args:
            folder: where everything lies.
            card: the card of the model that looks.
            model: the model's file; None for the one that ships.

        Raises:
            UsageError: the folder cannot be used, another server uses it, or its corrections name
                a class that the model does not know.
            DataError: the corrections in it are damaged.
        """
        self.folder = SessionFolder(folder)
        self.card = card
        self.model = model
        self.roll = Roll()
        try:
            self._journal = Journal(self.folder.corrections)
            self._refuse_strangers()
        except BaseException:
            self.folder.close()
            raise
        self.settings = self._read_settings()
        self._read_photographs()

    def close(self) -> None:
        """Let another server have the folder; nothing is lost without it."""
        self.folder.close()

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
        with self.roll.changed:
            wanted = name = self.folder.reachable(safe_name(given_name))
            for number in count(2):
                identity = identity_of(name, sha256)
                if self.roll.holds(identity):
                    upload.unlink()
                    return self.roll.get(identity), False
                if self._free(name):
                    break
                name = numbered(wanted, number)
            order = 1 + max((one.order for one in self.roll), default=0)
            photograph = Photograph(identity, name, sha256, order)
            self.folder.keep(photograph, upload)
            self.roll.add(photograph)
            return photograph, True

    def remove(self, identity: str) -> None:
        """Remove a photograph; its corrections stay, and return with it.

        Raises:
            UnknownPhotographError: there is none.
        """
        with self.roll.changed:
            photograph = self.roll.get(identity)
            self.folder.forget(photograph)
            self.roll.drop(photograph)

    def next_waiting(self) -> Photograph | None:
        """Return the next photograph to count, marked as being counted."""
        with self.roll.changed:
            for photograph in self.roll:
                if photograph.state == "waiting":
                    self.roll.change(photograph, "counting")
                    return photograph
            return None

    def finish(
        self, photograph: Photograph, asked: Settings, seen: StoredResult | None, why: str
    ) -> None:
        """Record what was seen, or why nothing could be.

        Args:
            photograph: which one.
            asked: the settings under which it was counted.
            seen: what was seen; None if it failed.
            why: the reason for a failure.
        """
        with self.roll.changed:
            if photograph not in self.roll:  # it was removed while it was looked at
                if not self.roll.holds(photograph.id):
                    self.folder.forget_seen(photograph)
                return
            if asked.pixel_size_um != self.settings.pixel_size_um:
                self.roll.change(photograph, "waiting")
                return
            if seen is not None:
                self.folder.keep_seen(photograph, seen)
            photograph.seen, photograph.reason = seen, why
            self.roll.change(photograph, "failed" if seen is None else "done")

    def cancel(self) -> None:
        """Count none of those that wait."""
        with self.roll.changed:
            for photograph in self.roll:
                if photograph.state == "waiting":
                    self.roll.change(photograph, "cancelled")

    def resume(self) -> None:
        """Count those that were cancelled after all."""
        with self.roll.changed:
            for photograph in self.roll:
                if photograph.state == "cancelled":
                    self.roll.change(photograph, "waiting")

    def set(self, settings: Settings) -> None:
        """Change the settings; another pixel size means to look at every photograph again.

        Raises:
            UsageError: the number of thresholds is not the number of classes.
        """
        settings.thresholds(self.card.thresholds)
        with self.roll.changed:
            again = settings.pixel_size_um != self.settings.pixel_size_um
            self.folder.write_settings(settings)
            self.settings = settings
            for photograph in self.roll:
                if again and photograph.state in ("done", "failed"):
                    self.roll.change(photograph, "waiting")
                else:
                    self.roll.change(photograph)

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
        with self.roll.changed:
            photograph = self.roll.get(identity)
            strangers = {cell.label for cell in (*remove, *add)} - set(self.card.classes)
            if strangers:
                raise UsageError(
                    f"The model knows {', '.join(self.card.classes)}, not {strangers.pop()!r}."
                )
            line = Correction(
                image=photograph.sha256,
                name=photograph.name,
                time=datetime.now(UTC).isoformat(timespec="seconds"),
                kind=kind,
                remove=remove,
                add=add,
            )
            self._journal.append(line, after)
            for other in self.roll:
                if other.sha256 == photograph.sha256:
                    self.roll.change(other)
            return photograph

    def lines(self, photograph: Photograph) -> tuple[Correction, ...]:
        """Return the corrections of a photograph, in order."""
        with self.roll.changed:
            return self._journal.of(photograph.sha256)

    def standing(self, photograph: Photograph) -> list[Correction]:
        """Return the edits of a photograph that stand, oldest first."""
        return history(self.lines(photograph))[0]

    def automatic(self, photograph: Photograph) -> CountResult | None:
        """Return what the model counts under the present settings, or None before it is done."""
        seen, settings = photograph.seen, self.settings
        if seen is None or photograph.state != "done":
            return None
        return seen.restore(photograph.name, self.folder.file(photograph), self.card, settings)

    def counted(self, photograph: Photograph) -> CountResult | None:
        """Return the count with the corrections, or None before it is done."""
        result = self.automatic(photograph)
        return None if result is None else corrected(result, self.lines(photograph))

    def _refuse_strangers(self) -> None:
        strangers = self._journal.labels() - set(self.card.classes)
        if strangers:
            raise UsageError(
                f"{self.folder.corrections}: cells were corrected here as {min(strangers)}, which "
                f"this model does not know ({', '.join(self.card.classes)}); name another folder "
                "with --session."
            )

    def _free(self, name: str) -> bool:
        taken = {photograph.name.casefold() for photograph in self.roll}
        return name.casefold() not in taken and self.folder.free(name)

    def _read_photographs(self) -> None:
        for photograph in self.folder.read_photographs():
            seen = photograph.seen
            if (
                seen is not None
                and seen.model_sha256 == self.card.sha256
                and seen.asked_pixel_size_um == self.settings.pixel_size_um
            ):
                photograph.state = "done"
            else:
                photograph.seen = None
            self.roll.add(photograph)

    def _read_settings(self) -> Settings:
        settings = self.folder.read_settings()
        try:
            settings.thresholds(self.card.thresholds)
        except UsageError:  # they were made for a model with other classes
            return Settings()
        return settings
