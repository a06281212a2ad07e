"""Find cells that the labels likely miss: a model is sure of them, and no label is near."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw
from PIL.Image import Image as PILImage

from smearcount.classes import class_color
from smearcount.datasets.dataset import Dataset
from smearcount.detections.boxes import iou
from smearcount.detector.detect import detect
from smearcount.detector.detector import Detector
from smearcount.image.draw import draw_box
from smearcount.image.read import open_image

MIN_SCORE: Final = 0.6
"""Score from which a detection is trusted more than the labels."""

NEAR_IOU: Final = 0.3
"""A label that overlaps a detection by this IoU is about the same cell."""

_CROP_PX: Final = 112
_TEXT_PX: Final = 14
_COLUMNS: Final = 10
_MARGIN: Final = 0.35
"""Surroundings shown on each side of a cell, as a share of its longer side."""


@dataclass(frozen=True)
class MissingLabel:
    """A cell that is likely not labeled.

    Attributes:
        path: the image.
        box_xyxy_px: left, top, right, bottom in image pixels.
        name: its class according to the model.
        label: that class as a label of the model.
        score: in [0.6, 1].

    Example:
        >>> from pathlib import Path
        >>> from smearcount.evaluation import MissingLabel
        >>> cell = MissingLabel(Path("a.jpg"), (10.0, 20.0, 50.0, 60.0), "RBC", 2, 0.93)
        >>> cell.name
        'RBC'
    """

    path: Path
    box_xyxy_px: tuple[float, float, float, float]
    name: str
    label: int
    score: float


def find_missing_labels(
    dataset: Dataset, detector: Detector, on_image: Callable[[], object] = lambda: None
) -> list[MissingLabel]:
    """Find the cells that are likely missing in the labels of a data set, highest score first.

    Args:
        dataset: with its labels; a label of any class near a detection explains it.
        detector: finds the cells.
        on_image: called after each image, for a progress bar.

    Raises:
        ImageError: an image cannot be read.

    Example:
        >>> from dataclasses import replace
        >>> from smearcount import load_detector
        >>> from smearcount.datasets import read_dataset
        >>> from smearcount.evaluation import find_missing_labels
        >>> dataset = read_dataset(drawn_smears)
        >>> unlabeled = replace(dataset, images=tuple(image[:0] for image in dataset.images))
        >>> missing = find_missing_labels(unlabeled, load_detector())
        >>> missing[0].name
        'RBC'
    """
    missing = []
    for image in dataset.images:
        detections = detect(open_image(image.path), detector).detections
        sure = detections[detections.scores >= MIN_SCORE]
        overlap = iou(sure.boxes_xyxy_px, image.boxes_xyxy_px.astype(np.float32))
        for box, score, label in sure[overlap.max(axis=1, initial=0) < NEAR_IOU]:
            left, top, right, bottom = (float(side) for side in box)
            name = detector.card.classes[label - 1]
            missing.append(MissingLabel(image.path, (left, top, right, bottom), name, label, score))
        on_image()
    return sorted(missing, key=lambda cell: -cell.score)


def contact_sheet(missing: Sequence[MissingLabel], at_most: int = 200) -> PILImage:
    """Return one picture of the cells with the highest scores, each with some surroundings.

    Args:
        missing: see :func:`find_missing_labels`.
        at_most: how many to show.
    """
    shown = missing[:at_most]
    step = _CROP_PX + _TEXT_PX
    rows = max(1, -(-len(shown) // _COLUMNS))
    sheet = Image.new("RGB", (_COLUMNS * step, rows * step), "white")
    pen = ImageDraw.Draw(sheet)
    places_by_path: dict[Path, list[int]] = {}
    for place, cell in enumerate(shown):
        places_by_path.setdefault(cell.path, []).append(place)
    for path, places in places_by_path.items():
        photograph = Image.fromarray(open_image(path).pixels())
        for place in places:
            cell = shown[place]
            left, top = place % _COLUMNS * step, place // _COLUMNS * step
            sheet.paste(_crop_around(photograph, cell), (left, top))
            text = f"{cell.name} {cell.score:.2f} {path.stem[-8:]}"
            pen.text((left + 1, top + _CROP_PX), text[:21], fill="black")
    return sheet


def _crop_around(photograph: PILImage, cell: MissingLabel) -> PILImage:
    """Return a square of the photograph around a cell, with its box, ``_CROP_PX`` wide."""
    left, top, right, bottom = cell.box_xyxy_px
    side = max(right - left, bottom - top, 8) * (1 + 2 * _MARGIN)
    x, y = (left + right - side) / 2, (top + bottom - side) / 2
    window = (round(x), round(y), round(x + side), round(y + side))
    crop = photograph.crop(window).resize((_CROP_PX, _CROP_PX), Image.Resampling.BILINEAR)
    zoom = _CROP_PX / side
    box = ((left - x) * zoom, (top - y) * zoom, (right - x) * zoom, (bottom - y) * zoom)
    draw_box(crop, box, class_color(cell.name, cell.label), 2)
    return crop
