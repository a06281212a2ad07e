"""Corrections by hand: an append-only list of edits, one JSON object per line.

Each line belongs to one image, known by the SHA-256 of its file::

    {"image": "<sha256>", "name": "slide1/a.jpg", "time": "2026-01-31T12:00:00+00:00",
     "kind": "edit", "remove": [{"box": [x0, y0, x1, y1], "label": "RBC"}],
     "add": [{"box": [x0, y0, x1, y1], "label": "WBC"}]}

An ``edit`` removes cells, adds cells, or both: to relabel, move or resize a cell is to remove the
old one and add the new one. ``undo`` takes back the latest edit of its image that still stands,
``redo`` brings back the latest that was undone; both carry no cells. Nothing is ever rewritten, so
whatever reached the disk survives, and who corrected what can be read afterwards.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from smearcount.detections.boxes import iou
from smearcount.detections.detections import Detections
from smearcount.errors import DataError

SAME_CELL_IOU = 0.75
"""How far a removed cell and a detection must overlap to be the same cell: more than two
neighbours that survived suppression ever do, less than rounding takes away."""

Box = tuple[float, float, float, float]


def _proper(box: Box) -> Box:
    if not all(math.isfinite(edge) for edge in box) or box[0] >= box[2] or box[1] >= box[3]:
        raise ValueError("a box is left, top, right, bottom in pixels, wider and taller than 0")
    return box


class Cell(BaseModel):
    """One cell that a person added or removed.

    Attributes:
        box: left, top, right, bottom in image pixels.
        label: the name of its class.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    box: Annotated[Box, AfterValidator(_proper)]
    label: str = Field(min_length=1)


class Correction(BaseModel):
    """One line of the list.

    Attributes:
        image: SHA-256 of the image file, lower-case hex.
        name: what the image was called, for the reader.
        time: when, ISO 8601 with time zone, for the reader.
        kind: ``edit``, ``undo`` or ``redo``.
        remove: cells that are not there; only in an edit.
        add: cells that were missing; only in an edit.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    image: str = Field(pattern=r"^[0-9a-f]{64}$")
    name: str = ""
    time: str = ""
    kind: Literal["edit", "undo", "redo"] = "edit"
    remove: tuple[Cell, ...] = ()
    add: tuple[Cell, ...] = ()

    @model_validator(mode="after")
    def _cells_belong_to_edits(self) -> Correction:
        if (self.kind == "edit") != bool(self.remove or self.add):
            raise ValueError("an edit removes or adds cells; undo and redo do not")
        return self


Corrections = dict[str, tuple[Correction, ...]]
"""The lines of each image, in order, by the SHA-256 of its file."""

NO_CORRECTIONS: Final[Corrections] = {}


def read_corrections(path: Path) -> Corrections:
    """Read a list of corrections.

    A last line without its line break was cut off while being written and is left out.

    Raises:
        DataError: the file is missing, or a line is not a correction.
    """
    try:
        whole, _, _ = path.read_bytes().rpartition(b"\n")
    except OSError as error:
        raise DataError(f"{path}: these corrections cannot be read ({error.strerror}).") from None
    found: dict[str, list[Correction]] = {}
    for number, line in enumerate(whole.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            correction = Correction.model_validate_json(line)
        except ValidationError as error:
            problem = error.errors()[0]["msg"]
            raise DataError(f"{path}: line {number} is not a correction ({problem}).") from None
        found.setdefault(correction.image, []).append(correction)
    return {image: tuple(lines) for image, lines in found.items()}


def digest(corrections: Corrections) -> str:
    """Return a SHA-256, in hex, of what was corrected by hand in all images."""
    by_image = {
        image: [line.model_dump(mode="json") for line in lines]
        for image, lines in corrections.items()
    }
    return hashlib.sha256(json.dumps(by_image, sort_keys=True).encode()).hexdigest()


def history(lines: Iterable[Correction]) -> tuple[list[Correction], list[Correction]]:
    """Return the edits of one image that stand, oldest first, and those that can be redone.

    A new edit forgets what was undone before it. An undo or redo with nothing to act on does
    nothing.
    """
    done: list[Correction] = []
    undone: list[Correction] = []
    for line in lines:
        if line.kind == "edit":
            done.append(line)
            undone.clear()
        elif line.kind == "undo" and done:
            undone.append(done.pop())
        elif line.kind == "redo" and undone:
            done.append(undone.pop())
    return done, undone


def apply(
    lines: Iterable[Correction], found: Detections, classes: Sequence[str]
) -> tuple[NDArray[np.bool_], Detections]:
    """Apply the corrections of one image to what was found in it.

    Args:
        lines: the corrections of this image, in order.
        found: detections, boxes in image pixels.
        classes: class names in label order.

    Returns:
        which detections remain, shape (n,); and the cells added by hand, with score 1.

    Raises:
        DataError: a class is not among the model's.
    """
    kept = np.ones(len(found), dtype=np.bool_)
    added: list[Cell] = []
    for edit in history(lines)[0]:
        for cell in edit.remove:
            _remove(cell, found, kept, added, _label(cell, classes))
        added.extend(edit.add)
    by_hand = Detections(
        np.array([cell.box for cell in added], dtype=np.float32).reshape(-1, 4),
        np.ones(len(added), dtype=np.float32),
        np.array([_label(cell, classes) for cell in added], dtype=np.int64),
    )
    return kept, by_hand


def _label(cell: Cell, classes: Sequence[str]) -> int:
    try:
        return list(classes).index(cell.label) + 1
    except ValueError:
        raise DataError(
            f"a correction names the class {cell.label!r}; the model knows {', '.join(classes)}."
        ) from None


def _remove(
    cell: Cell, found: Detections, kept: NDArray[np.bool_], added: list[Cell], label: int
) -> None:
    """Take a cell away where it overlaps best, among those added and those detected."""
    wanted = np.array([cell.box], dtype=np.float32)
    mine = [place for place, other in enumerate(added) if other.label == cell.label]
    theirs = np.flatnonzero(kept & (found.labels == label))
    boxes = np.array([added[place].box for place in mine], dtype=np.float32).reshape(-1, 4)
    overlaps = iou(wanted, np.concatenate([boxes, found.boxes_xyxy_px[theirs]]))[0]
    if not len(overlaps) or overlaps.max() < SAME_CELL_IOU:
        return
    best = int(overlaps.argmax())
    if best < len(mine):
        del added[mine[best]]
    else:
        kept[theirs[best - len(mine)]] = False
