"""The state of the page: photographs, what the model found in them, settings and corrections.

Everything that was confirmed to the page is on the disk, in one folder, and is found there again
after a crash; see :mod:`smearcount.web.storage`.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Literal

from smearcount.detector.model_card import ModelCard
from smearcount.errors import UsageError
from smearcount.results.corrections import Cell, Correction, apply_corrections
from smearcount.results.result import CountResult
from smearcount.results.stored import StoredResult
from smearcount.settings import Settings
from smearcount.web.correction_log import CorrectionLog
from smearcount.web.photographs import Photograph, Photographs, identity_of
from smearcount.web.storage import SessionFolder, numbered, safe_name


class Session:
    """The photographs of one folder; safe to use from several threads.

    Attributes:
        folder: where everything lies.
        card: the card of the model that counts.
        model: the model's file; None for the one that ships.
        settings: threshold per class, edge rule, pixel size.
        photographs: the photographs.
        run: names this run of the server, unlike any other.
    """

    def __init__(self, folder: Path, card: ModelCard, model: Path | None = None) -> None:
        """Open a session, or begin one in a new folder.

        Args:
            folder: where everything lies.
            card: the card of the model that counts.
            model: the model's file; None for the one that ships.

        Raises:
            UsageError: the folder cannot be used, another server uses it, or its corrections name
                a class that the model does not know.
            DataError: the corrections in it are damaged.
        """
        self.folder = SessionFolder(folder)
        self.card = card
        self.model = model
        self.photographs = Photographs()
        self.run = uuid.uuid4().hex
        try:
            self._log = CorrectionLog(self.folder.corrections)
            self._refuse_unknown_classes()
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
            WriteError: the disk is full or not writable.
        """
        with self.photographs.changed:
            wanted = name = self.folder.reachable(safe_name(given_name))
            for number in count(2):
                identity = identity_of(name, sha256)
                if identity in self.photographs:
                    upload.unlink()
                    return self.photographs.get(identity), False
                if self._is_free(name):
                    break
                name = numbered(wanted, number)
            order = 1 + max((one.order for one in self.photographs), default=0)
            photograph = Photograph(identity, name, sha256, order)
            photograph.pixel_size_um = self._pixel_size_of_folder(name)
            self.folder.keep(photograph, upload)
            self.photographs.add(photograph)
            return photograph, True

    def remove(self, identity: str) -> None:
        """Remove a photograph; its corrections stay, and return with it.

        Raises:
            UnknownPhotographError: there is none.
        """
        with self.photographs.changed:
            photograph = self.photographs.get(identity)
            self.folder.remove(photograph)
            self.photographs.remove(photograph)

    def remove_all(self) -> None:
        """Remove every photograph; their corrections stay, and return with them."""
        with self.photographs.changed:
            for photograph in self.photographs:
                self.remove(photograph.id)

    def leave_out(self, identity: str, left_out: bool) -> None:
        """Leave a photograph out of totals and exports, or take it in again.

        Raises:
            UnknownPhotographError: there is none.
            WriteError: the disk is full or not writable.
        """
        with self.photographs.changed:
            photograph = self.photographs.get(identity)
            self._change_facts(photograph, left_out=left_out)
            self.photographs.change(photograph)

    def set_pixel_size(self, identities: Sequence[str], pixel_size_um: float | None) -> None:
        """Give photographs a pixel size of their own; those that it changes are counted again.

        Args:
            identities: of the photographs.
            pixel_size_um: micrometers per pixel; None takes that of the session.

        Raises:
            UnknownPhotographError: there is no such photograph.
            UsageError: the pixel size lies outside its range.
            WriteError: the disk is full or not writable.
        """
        replace(self.settings, pixel_size_um=pixel_size_um)
        with self.photographs.changed:
            for photograph in [self.photographs.get(identity) for identity in identities]:
                before = self.settings_of(photograph)
                self._change_facts(photograph, pixel_size_um=pixel_size_um)
                again = self.settings_of(photograph) != before
                self._change(photograph, again)

    def settings_of(self, photograph: Photograph) -> Settings:
        """Return the settings under which a photograph is counted."""
        if photograph.pixel_size_um is None:
            return self.settings
        return replace(self.settings, pixel_size_um=photograph.pixel_size_um)

    def is_counted_now(self, photograph: Photograph, asked: Settings) -> bool:
        """Return whether a photograph is still to be counted under some settings."""
        with self.photographs.changed:
            return (
                photograph.state == "counting"
                and photograph.id in self.photographs
                and self.photographs.get(photograph.id) is photograph
                and asked.pixel_size_um == self.settings_of(photograph).pixel_size_um
            )

    def next_waiting(self) -> Photograph | None:
        """Return the next photograph to count, marked as being counted."""
        with self.photographs.changed:
            for photograph in self.photographs:
                if photograph.state == "waiting":
                    self.photographs.change(photograph, "counting")
                    return photograph
            return None

    def finish(
        self, photograph: Photograph, asked: Settings, stored: StoredResult | None, reason: str
    ) -> None:
        """Record what the model found, or why the photograph could not be counted.

        Args:
            photograph: which one.
            asked: the settings under which it was counted.
            stored: what the model found; None if counting failed.
            reason: why it failed, one sentence.

        Raises:
            WriteError: the disk is full or not writable.
        """
        with self.photographs.changed:
            if photograph.id not in self.photographs:  # it was removed while it was counted
                self.folder.remove_result(photograph)
                return
            if self.photographs.get(photograph.id) is not photograph:  # and then added again
                return
            if photograph.state != "counting":  # it was canceled
                return
            if asked.pixel_size_um != self.settings_of(photograph).pixel_size_um:
                self.photographs.change(photograph, "waiting")
                return
            if stored is not None:
                self.folder.keep_result(photograph, stored)
            photograph.stored, photograph.reason = stored, reason
            self.photographs.change(photograph, "failed" if stored is None else "done")

    def cancel(self) -> None:
        """Count none of those that wait, and stop counting the present one."""
        with self.photographs.changed:
            for photograph in self.photographs:
                if photograph.state in ("waiting", "counting"):
                    self.photographs.change(photograph, "canceled")

    def resume(self) -> None:
        """Count those that were canceled after all."""
        with self.photographs.changed:
            for photograph in self.photographs:
                if photograph.state == "canceled":
                    self.photographs.change(photograph, "waiting")

    def change_settings(self, settings: Settings) -> None:
        """Change the settings; photographs whose pixel size that changes are counted again.

        Raises:
            UsageError: the number of thresholds is not the number of classes.
        """
        settings.thresholds(self.card.thresholds, self.card.classes)
        with self.photographs.changed:
            other_size = settings.pixel_size_um != self.settings.pixel_size_um
            self.folder.write_settings(settings)
            self.settings = settings
            for photograph in self.photographs:
                self._change(photograph, other_size and photograph.pixel_size_um is None)

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
        with self.photographs.changed:
            photograph = self.photographs.get(identity)
            unknown = {cell.label for cell in (*remove, *add)} - set(self.card.classes)
            if unknown:
                raise UsageError(
                    f"The model knows {', '.join(self.card.classes)}, not {unknown.pop()!r}."
                )
            correction = Correction(
                image=photograph.sha256,
                name=photograph.name,
                time=datetime.now(UTC).isoformat(timespec="seconds"),
                kind=kind,
                remove=remove,
                add=add,
            )
            self._log.append(correction, after)
            for other in self.photographs:
                if other.sha256 == photograph.sha256:
                    self.photographs.change(other)
            return photograph

    def corrections(self, photograph: Photograph) -> tuple[Correction, ...]:
        """Return the corrections of a photograph, undone ones included, in order."""
        with self.photographs.changed:
            return self._log.of(photograph.sha256)

    def automatic_result(self, photograph: Photograph) -> CountResult | None:
        """Return what the model counts under the present settings, or None before it is done."""
        stored, settings = photograph.stored, self.settings_of(photograph)
        if stored is None or photograph.state != "done":
            return None
        return stored.restore(photograph.name, self.folder.file(photograph), self.card, settings)

    def corrected_result(self, photograph: Photograph) -> CountResult | None:
        """Return the count with the corrections, or None before it is done."""
        result = self.automatic_result(photograph)
        return None if result is None else apply_corrections(result, self.corrections(photograph))

    def _change(self, photograph: Photograph, count_again: bool) -> None:
        again = count_again and photograph.state in ("done", "failed")
        self.photographs.change(photograph, "waiting" if again else None)

    def _change_facts(self, photograph: Photograph, **facts: bool | float | None) -> None:
        before = {key: getattr(photograph, key) for key in facts}
        try:
            for key, value in facts.items():
                setattr(photograph, key, value)
            self.folder.keep_facts(photograph)
        except BaseException:
            for key, value in before.items():
                setattr(photograph, key, value)
            raise

    def _pixel_size_of_folder(self, name: str) -> float | None:
        """Return the pixel size that all photographs of a new one's folder have as their own."""
        folder = PurePosixPath(name).parent
        sizes = {
            other.pixel_size_um
            for other in self.photographs
            if folder.name and PurePosixPath(other.name).parent == folder
        }
        return sizes.pop() if len(sizes) == 1 else None

    def _refuse_unknown_classes(self) -> None:
        unknown = self._log.class_names() - set(self.card.classes)
        if unknown:
            raise UsageError(
                f"{self.folder.corrections}: cells were corrected here as {min(unknown)}, which "
                f"this model does not know ({', '.join(self.card.classes)}); name another folder."
            )

    def _is_free(self, name: str) -> bool:
        taken = {photograph.name.casefold() for photograph in self.photographs}
        return name.casefold() not in taken and self.folder.is_free(name)

    def _read_photographs(self) -> None:
        for photograph in self.folder.read_photographs():
            stored = photograph.stored
            if (
                stored is not None
                and stored.model_sha256 == self.card.sha256
                and stored.asked_pixel_size_um == self.settings_of(photograph).pixel_size_um
            ):
                photograph.state = "done"
            else:
                photograph.stored = None
            self.photographs.add(photograph)

    def _read_settings(self) -> Settings:
        settings = self.folder.read_settings()
        try:
            settings.thresholds(self.card.thresholds, self.card.classes)
        except UsageError:  # they were made for a model with other classes
            return Settings()
        return settings
