"""The lines of a YOLO label file: ``class x_center y_center width height``, relative to the image.

A sixth number is a score. A class with three or more points is a polygon, and is read as the box
around it. Pixel coordinates are rounded to a millionth of a pixel: relative numbers hold only
rounding errors beyond that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.datasets.dataset import AnnotatedImage
from smearcount.datasets.formats.files import exact_decimal, read_text
from smearcount.errors import DataError

_DECIMALS_PX: Final = 6
_LINE: Final = "class x_center y_center width height"


def read_labels(path: Path, classes: Mapping[int, int]) -> tuple[NDArray[np.float64], int]:
    """Read a label file.

    Args:
        path: the file.
        classes: the numbers of the known classes are its keys.

    Returns:
        class, center, size and maybe score of each box, shape (n, 5) or (n, 6); and how many of
        the boxes were polygons.

    Raises:
        DataError: a line is broken; the message names it.
    """
    rows: list[list[float]] = []
    polygons = 0
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        row = _row(words, classes, f"{path} line {number}")
        if len(row) > 6:
            polygons += 1
            row = [row[0], *_box_around(np.array(row[1:]).reshape(-1, 2))]
        if rows and len(row) != len(rows[0]):
            raise DataError(
                f"{path} line {number}: some lines have a score and some not; make them alike."
            )
        rows.append(row)
    columns = len(rows[0]) if rows else 5
    return np.array(rows, dtype=np.float64).reshape(len(rows), columns), polygons


def _row(words: list[str], classes: Mapping[int, int], where: str) -> list[float]:
    """Return the checked numbers of one line: class, box and maybe a score; or class and points."""
    try:
        row = [float(word) for word in words]
    except ValueError:
        line = " ".join(words)[:80]
        raise DataError(f"{where}: {line!r} is not all numbers; write: {_LINE}.") from None
    if len(row) not in (5, 6) and (len(row) < 7 or len(row) % 2 == 0):
        raise DataError(f"{where}: {len(row)} numbers stand here instead of 5; write: {_LINE}.")
    for word, value in zip(words, row, strict=True):
        if not math.isfinite(value):
            raise DataError(f"{where}: {word[:80]!r} is no finite number; write: {_LINE}.")
    if row[0] not in classes:
        raise DataError(
            f"{where}: class {words[0][:80]} is unknown, for only {len(classes)} are named; add "
            "its name to data.yaml or classes.txt, or use one of "
            f"{', '.join(str(known) for known in classes)}."
        )
    coordinates = row[1:] if len(row) > 6 else row[1:5]
    if max(map(abs, coordinates)) > 2:
        raise DataError(
            f"{where}: coordinates must be fractions of the image's width and height "
            "(0 to 1), not pixels; divide them by the image's size."
        )
    if len(row) == 6 and not 0 <= row[5] <= 1:
        raise DataError(
            f"{where}: the sixth number must be a score from 0 to 1, not {words[5][:80]}; "
            "delete this column if it holds something else, such as track numbers."
        )
    return row


def _box_around(points: NDArray[np.float64]) -> list[float]:
    """Return center and size of the box around points, shape (n, 2)."""
    low, high = points.min(axis=0), points.max(axis=0)
    return [*((low + high) / 2).tolist(), *(high - low).tolist()]


def to_pixels(relative: NDArray[np.float64], width: int, height: int) -> NDArray[np.float64]:
    """Return relative centers and sizes, shape (n, 4), as xyxy pixels."""
    size = np.array([width, height], dtype=np.float64)
    center, half = relative[:, :2] * size, relative[:, 2:4] * size / 2
    return np.round(np.concatenate([center - half, center + half], axis=1), _DECIMALS_PX)


def label_lines(image: AnnotatedImage) -> list[str]:
    """Return the label lines, with the fewest decimals (at least 6) that read back exactly."""
    boxes = np.round(image.boxes_xyxy_px, _DECIMALS_PX)
    size = np.array([image.width, image.height], dtype=np.float64)
    center, extent = (boxes[:, :2] + boxes[:, 2:]) / 2 / size, (boxes[:, 2:] - boxes[:, :2]) / size
    relative = np.concatenate([center, extent], axis=1)
    texts: list[str] = [""] * len(boxes)
    open_rows = np.arange(len(boxes))
    for decimals in range(6, 18):
        for row in open_rows:
            texts[row] = " ".join(f"{value:.{decimals}f}" for value in relative[row])
        read_back = np.array([texts[row].split() for row in open_rows], np.float64).reshape(-1, 4)
        found = to_pixels(read_back, image.width, image.height)
        open_rows = open_rows[(found != boxes[open_rows]).any(axis=1)]
    scores = [""] * len(boxes)
    if image.scores is not None:
        scores = [f" {exact_decimal(score)}" for score in image.scores]
    return [
        f"{label - 1} {text}{score}"
        for label, text, score in zip(image.labels, texts, scores, strict=True)
    ]
