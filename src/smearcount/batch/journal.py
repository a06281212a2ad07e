"""The journal of a batch: one line per finished image, so that a killed batch can go on."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from smearcount import __version__
from smearcount.atomic_write import unwritable
from smearcount.detections.detections import Detections
from smearcount.detector.model_card import ModelCard
from smearcount.detector.scale import Scale
from smearcount.image.image import SmearImage
from smearcount.report.coco_export import shortest
from smearcount.results.corrected import corrected
from smearcount.results.corrections import Corrections, digest
from smearcount.results.image_outcome import ImageOutcome, reader
from smearcount.results.result import apply_settings
from smearcount.settings import Settings


class Journal:
    """JSON lines on disk, each complete before the next image begins.

    A line holds for the image's bytes, the settings, the corrections, the model and the version of
    this package under which it was written, and as long as the annotated picture is the one drawn
    then; under any other the image is counted again. A line cut short by a kill is ignored. Only
    the places of the lines are kept in memory.

    Args:
        path: the file; it is made where it does not exist.
        pictures: the folder of the annotated pictures.
        settings: what is asked for.
        card: the card of the model that looks.
        corrections: what was corrected by hand.

    Raises:
        UsageError: the file cannot be read or written.
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
        self._places: dict[tuple[str, str], int] = {}
        self._path = path
        try:
            self._stream = path.open("a+b")
            self._read_places()
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
        place = self._places.get((name, picture))
        if place is None:
            return None
        self._stream.seek(place)
        line = json.loads(self._stream.readline())
        if line["sha256"] != _file_sha256(name):
            return None
        drawn = _file_sha256(self._pictures / picture)
        return self._outcome(line) if drawn and drawn == line.get("picture_sha256") else None

    def add(self, outcome: ImageOutcome) -> None:
        """Write down a counted image, safe against a kill from when this returns.

        Raises:
            UsageError: the disk is full, or the folder is gone.
        """
        result = outcome.result
        if result is None or outcome.picture is None:
            return
        seen = result.candidates
        line = {
            "run": self._key,
            "name": outcome.name,
            "picture": outcome.picture,
            "picture_sha256": _file_sha256(self._pictures / outcome.picture),
            "sha256": result.image.sha256,
            "width": result.image.width,
            "height": result.image.height,
            "file_pixel_size_um": result.image.pixel_size_um,
            "notes": list(result.image.notes),
            "boxes_xyxy_px": shortest(seen.boxes_xyxy_px.reshape(-1)),
            "scores": shortest(seen.scores),
            "labels": seen.labels.tolist(),
            "scale": asdict(result.scale),
            "flags": list(result.flags),
            "seconds": result.seconds,
        }
        try:
            self._stream.write(json.dumps(line).encode("ascii") + b"\n")
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise unwritable(self._path, error) from None

    def _read_places(self) -> None:
        self._stream.seek(0)
        place, text = 0, b"\n"
        for text in self._stream:
            line = _parsed(text)
            if line.get("run") == self._key:
                self._places[line["name"], line["picture"]] = place
            place += len(text)
        if not text.endswith(b"\n"):
            self._stream.write(b"\n")

    def _outcome(self, line: dict[str, Any]) -> ImageOutcome:
        name: str = line["name"]
        image = SmearImage(
            name=name,
            width=line["width"],
            height=line["height"],
            sha256=line["sha256"],
            read=reader(name),
            pixel_size_um=line["file_pixel_size_um"],
            notes=tuple(line["notes"]),
        )
        seen = Detections(
            np.array(line["boxes_xyxy_px"], dtype=np.float32).reshape(-1, 4),
            np.array(line["scores"], dtype=np.float32),
            np.array(line["labels"], dtype=np.int64),
        )
        judged = apply_settings(image, seen, Scale(**line["scale"]), self._card, self._settings)
        result = replace(judged, flags=tuple(line["flags"]), seconds=line["seconds"])
        by_hand = self._corrections.get(image.sha256, ())
        return ImageOutcome(name, corrected(result, by_hand), picture=line["picture"])


def _run_key(settings: Settings, card: ModelCard, corrections: Corrections) -> str:
    """Return a digest of everything but the image that a count depends on."""
    by_hand = digest(corrections)
    known = [__version__, asdict(settings), card.model_dump(mode="json"), by_hand]
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def _file_sha256(name: str | Path) -> str | None:
    try:
        with Path(name).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None


def _parsed(text: bytes) -> dict[str, Any]:
    """Return one line, or an empty one where a kill or a full disk cut it short."""
    try:
        line = json.loads(text) if text.endswith(b"\n") else {}
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}
