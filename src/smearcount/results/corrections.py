"""Corrections by hand: the file that lists them, and their effect on a result.

The file is append-only, one JSON object per line. Each line belongs to one image,
identified by the SHA-256 of its file::

    {"image": "<sha256>", "name": "slide1/a.jpg", "time": "2026-01-31T12:00:00+00:00",
     "kind": "edit", "remove": [{"box": [x0, y0, x1, y1], "label": "RBC"}],
     "add": [{"box": [x0, y0, x1, y1], "label": "WBC"}]}

An ``edit`` removes cells, adds cells, or both: relabeling, moving or resizing a cell removes the
old one and adds the new one. ``undo`` takes back the latest edit of its image that is in effect,
and ``redo`` restores the latest that was undone; both have no cells. Lines are only appended, so
what reached the disk is kept, and the history of the corrections can be read afterwards.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from smearcount.counts.edge_rule import is_counted
from smearcount.detections.boxes import iou
from smearcount.detections.detections import Detections
from smearcount.errors import DataError
from smearcount.results.result import CountResult

SAME_CELL_IOU = 0.75
"""IoU from which a removed cell and a detection are the same cell: more than two neighbors have
after non-maximum suppression, and less than a box and its rounded copy have."""

Box = tuple[float, float, float, float]


def _check_box(box: Box) -> Box:
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

    box: Annotated[Box, AfterValidator(_check_box)]
    label: str = Field(min_length=1)


class Correction(BaseModel):
    """One line of the list.

    Attributes:
        image: SHA-256 of the image file, lower-case hex.
        name: what the image was called; only for readers of the file.
        time: ISO 8601 with time zone; only for readers of the file.
        kind: ``edit``, ``undo`` or ``redo``.
        remove: cells that the image does not show; only in an edit.
        add: cells that the model missed; only in an edit.
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

    A last line without a line break was cut off while it was written, and is ignored.

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


def corrections_digest(corrections: Corrections) -> str:
    """Return a SHA-256, in hex, of all corrections."""
    by_image = {
        image: [line.model_dump(mode="json") for line in lines]
        for image, lines in corrections.items()
    }
    return hashlib.sha256(json.dumps(by_image, sort_keys=True).encode()).hexdigest()


def history(lines: Iterable[Correction]) -> tuple[list[Correction], list[Correction]]:
    """Return the edits of an image that are in effect, oldest first, and those that can be redone.

    After a new edit, what was undone before it can no longer be redone. An undo or redo with
    nothing to act on does nothing.
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


def correct_detections(
    lines: Iterable[Correction], detections: Detections, classes: Sequence[str]
) -> tuple[NDArray[np.bool_], Detections]:
    """Apply the corrections of one image to its detections.

    Args:
        lines: the corrections of this image, in order.
        detections: boxes in image pixels.
        classes: class names in label order.

    Returns:
        which detections remain, shape (n,), bool; and the cells added by hand, with score 1.

    Raises:
        DataError: a class is not among the model's.
    """
    kept = np.ones(len(detections), dtype=np.bool_)
    added: list[Cell] = []
    for edit in history(lines)[0]:
        for cell in edit.remove:
            _remove(cell, detections, kept, added, _label(cell, classes))
        added.extend(edit.add)
    by_hand = Detections(
        np.array([cell.box for cell in added], dtype=np.float32).reshape(-1, 4),
        np.ones(len(added), dtype=np.float32),
        np.array([_label(cell, classes) for cell in added], dtype=np.int64),
    )
    return kept, by_hand


def apply_corrections(result: CountResult, lines: Iterable[Correction]) -> CountResult:
    """Apply corrections by hand to a result.

    Cells removed by hand are gone whatever their score; cells added by hand have the score 1 and
    follow the edge rule like any other. ``candidates`` stays what the model found.

    Args:
        result: what the model found.
        lines: the corrections of this image, in order.

    Raises:
        DataError: a correction names a class that the model does not know.
    """
    lines = tuple(lines)
    edits, _ = history(lines)
    # Removals are matched among all candidates, so that what they mean depends on no threshold.
    kept, added = correct_detections(lines, result.candidates, result.card.classes)
    thresholds = result.settings.thresholds(result.card.thresholds, result.card.classes)
    limits = np.asarray(thresholds, dtype=np.float32)
    candidates = result.candidates
    remaining = candidates[kept & (candidates.scores >= limits[candidates.labels - 1])]
    cells = Detections(
        np.concatenate([remaining.boxes_xyxy_px, added.boxes_xyxy_px]),
        np.concatenate([remaining.scores, added.scores]),
        np.concatenate([remaining.labels, added.labels]),
    )
    counted = is_counted(result.settings.edge, cells, result.image, result.scale)
    return replace(result, detections=cells, counted=counted, corrections=len(edits))


def _label(cell: Cell, classes: Sequence[str]) -> int:
    try:
        return list(classes).index(cell.label) + 1
    except ValueError:
        raise DataError(
            f"a correction names the class {cell.label!r}; the model knows {', '.join(classes)}."
        ) from None


def _remove(
    cell: Cell, detections: Detections, kept: NDArray[np.bool_], added: list[Cell], label: int
) -> None:
    """Remove the cell that overlaps most, among those added by hand and those detected."""
    box = np.array([cell.box], dtype=np.float32)
    by_hand = [index for index, other in enumerate(added) if other.label == cell.label]
    detected = np.flatnonzero(kept & (detections.labels == label))
    boxes = np.array([added[index].box for index in by_hand], dtype=np.float32).reshape(-1, 4)
    overlaps = iou(box, np.concatenate([boxes, detections.boxes_xyxy_px[detected]]))[0]
    if not len(overlaps) or overlaps.max() < SAME_CELL_IOU:
        return
    best = int(overlaps.argmax())
    if best < len(by_hand):
        del added[by_hand[best]]
    else:
        kept[detected[best - len(by_hand)]] = False
