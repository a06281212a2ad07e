"""Cells that the labels probably miss: a model is sure of them, and no label is near."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from smearcount.classes import class_color
from smearcount.datasets.dataset import Dataset
from smearcount.detections.boxes import iou
from smearcount.detector.detect import detect
from smearcount.detector.detector import Detector
from smearcount.image.read import open_image

SURE: Final = 0.6
"""Score from which a detection is believed rather than the labels."""

NEAR_IOU: Final = 0.3
"""A label that overlaps a detection this much is about the same cell."""

_CELL_PX: Final = 112
_COLUMNS: Final = 10
_MARGIN: Final = 0.35


@dataclass(frozen=True)
class MissingLabel:
    """A cell that is probably not labelled.

    Attributes:
        path: the image.
        box_xyxy_px: left, top, right, bottom in image pixels.
        name: its class as the model sees it.
        label: that class as a number of the model, for its colour.
        score: in [0.6, 1].
    """

    path: Path
    box_xyxy_px: tuple[float, float, float, float]
    name: str
    label: int
    score: float


def find_missing_labels(
    dataset: Dataset, detector: Detector, done: Callable[[], object] = lambda: None
) -> list[MissingLabel]:
    """Return the cells that the labels of a data set probably miss, surest first.

    Args:
        dataset: with its labels; labels of any class near a detection clear it.
        detector: whose word is taken.
        done: called after each image.

    Raises:
        ImageError: an image cannot be read.
    """
    suspects = []
    for image in dataset.images:
        found = detect(open_image(image.path), detector).detections
        sure = found[found.scores >= SURE]
        overlap = iou(sure.boxes_xyxy_px, image.boxes_xyxy_px.astype(np.float32))
        for box, score, label in sure[overlap.max(axis=1, initial=0) < NEAR_IOU]:
            left, top, right, bottom = (float(value) for value in box)
            name = detector.card.classes[label - 1]
            corners = (left, top, right, bottom)
            suspects.append(MissingLabel(image.path, corners, name, label, score))
        done()
    return sorted(suspects, key=lambda suspect: -suspect.score)


def contact_sheet(suspects: list[MissingLabel], at_most: int = 200) -> Image.Image:
    """Return one picture of the surest suspects, each framed and with some surroundings.

    Args:
        suspects: see :func:`find_missing_labels`.
        at_most: how many to show.
    """
    shown = suspects[:at_most]
    step = _CELL_PX + 14
    rows = max(1, -(-len(shown) // _COLUMNS))
    sheet = Image.new("RGB", (_COLUMNS * step, rows * step), "white")
    pen = ImageDraw.Draw(sheet)
    by_path: dict[Path, list[int]] = {}
    for place, suspect in enumerate(shown):
        by_path.setdefault(suspect.path, []).append(place)
    for path, places in by_path.items():
        picture = Image.fromarray(open_image(path).pixels())
        for place in places:
            at = (place % _COLUMNS * step, place // _COLUMNS * step)
            sheet.paste(_portrait(picture, shown[place]), at)
            text = f"{shown[place].name} {shown[place].score:.2f} {path.stem[-8:]}"
            pen.text((at[0] + 1, at[1] + _CELL_PX), text[:21], fill="black")
    return sheet


def _portrait(picture: Image.Image, suspect: MissingLabel) -> Image.Image:
    left, top, right, bottom = suspect.box_xyxy_px
    side = max(right - left, bottom - top, 8) * (1 + 2 * _MARGIN)
    corner = ((left + right - side) / 2, (top + bottom - side) / 2)
    window = tuple(round(value) for value in (*corner, corner[0] + side, corner[1] + side))
    cut = picture.crop((window[0], window[1], window[2], window[3]))
    portrait = cut.resize((_CELL_PX, _CELL_PX), Image.Resampling.BILINEAR)
    scale = _CELL_PX / side
    frame = [
        (x - origin) * scale for x, origin in zip(suspect.box_xyxy_px, corner * 2, strict=True)
    ]
    ImageDraw.Draw(portrait).rectangle(frame, outline=class_color(suspect.label), width=2)
    return portrait
