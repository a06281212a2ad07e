"""The journal of a batch: one line per finished image, so that a killed batch can be resumed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, BaseModel

from smearcount import __version__
from smearcount.atomic_write import unwritable
from smearcount.detector.model_card import ModelCard
from smearcount.errors import DataError
from smearcount.results.corrections import Corrections, apply_corrections, corrections_digest
from smearcount.results.image_outcome import ImageOutcome
from smearcount.results.stored import StoredResult
from smearcount.settings import Settings
from smearcount.sha256 import sha256_of_file


class Journal:
    """A file of JSON lines, one per counted image.

    A line is used again only for the same image bytes, settings, corrections, model and version of
    this package, and only while the annotated picture is the one drawn then; otherwise the image
    is counted again. A line cut short by a kill is ignored. Only the positions of the lines are
    kept in memory.

    Args:
        path: the file; it is created where it does not exist.
        pictures: the folder of the annotated pictures.
        settings: the settings of the batch.
        card: the card of the model.
        corrections: what was corrected by hand.

    Raises:
        WriteError: the file cannot be read or written.
    """

    def __init__(
        self,
        path: Path,
        pictures: Path,
        settings: Settings,
        card: ModelCard,
        corrections: Corrections,
    ) -> None:
        self._pictures = pictures
        self._settings = settings
        self._card = card
        self._corrections = corrections
        self._key = _run_key(settings, card, corrections)
        self._positions: dict[tuple[str, str], int] = {}
        self._path = path
        try:
            self._stream = path.open("a+b")
            self._read_positions()
        except OSError as error:
            raise unwritable(path, error) from None

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def find(self, name: str, picture: str) -> ImageOutcome | None:
        """Return the finished outcome of an input, or None if it must be counted.

        Args:
            name: the input, as given.
            picture: the file name that its annotated picture has in this run.
        """
        position = self._positions.get((name, picture))
        if position is None:
            return None
        self._stream.seek(position)
        line = json.loads(self._stream.readline())
        if line.get("sha256") != _file_sha256(name):
            return None
        drawn = _file_sha256(self._pictures / picture)
        return self._outcome(line) if drawn and drawn == line.get("picture_sha256") else None

    def add(self, outcome: ImageOutcome) -> None:
        """Append a counted image; when this returns, the line survives a kill or a power cut.

        Raises:
            WriteError: the disk is full, or the folder is gone.
        """
        if outcome.result is None or outcome.picture is None:
            return
        line = {
            "run": self._key,
            "name": outcome.name,
            "picture": outcome.picture,
            "picture_sha256": _file_sha256(self._pictures / outcome.picture),
            **StoredResult.of(outcome.result).to_dict(),
        }
        try:
            self._stream.write(json.dumps(line).encode("ascii") + b"\n")
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise unwritable(self._path, error) from None

    def _read_positions(self) -> None:
        self._stream.seek(0)
        position, text = 0, b"\n"
        for text in self._stream:
            line = _parsed(text)
            if line.get("run") == self._key:
                self._positions[line["name"], line["picture"]] = position
            position += len(text)
        if not text.endswith(b"\n"):
            self._stream.write(b"\n")

    def _outcome(self, line: dict[str, Any]) -> ImageOutcome | None:
        name: str = line["name"]
        try:
            stored = StoredResult.from_dict(line)
        except DataError:
            return None
        result = stored.restore(name, Path(name), self._card, self._settings)
        edits = self._corrections.get(stored.sha256, ())
        return ImageOutcome(name, apply_corrections(result, edits), picture=line["picture"])


def _run_key(settings: Settings, card: ModelCard, corrections: Corrections) -> str:
    """Return a digest of everything but the image that a count depends on."""
    parts = [__version__, asdict(settings), _original_names(card), corrections_digest(corrections)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _original_names(value: Any) -> Any:
    """Return a card as plain values, its entries under the names that they first had.

    So a journal begun before an entry was renamed is still resumed.
    """
    if isinstance(value, BaseModel):
        names = {}
        for name, field in type(value).model_fields.items():
            alias = field.validation_alias
            names[name] = str(alias.choices[-1]) if isinstance(alias, AliasChoices) else name
        return {names[name]: _original_names(inner) for name, inner in value}
    if isinstance(value, Mapping):
        return {key: _original_names(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_original_names(inner) for inner in value]
    return value


def _file_sha256(name: str | Path) -> str | None:
    try:
        return sha256_of_file(Path(name))
    except OSError:
        return None


def _parsed(text: bytes) -> dict[str, Any]:
    """Return one line, or an empty one where a kill or a full disk cut it short."""
    try:
        line = json.loads(text) if text.endswith(b"\n") else {}
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}
