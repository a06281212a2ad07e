"""Read one COCO file: check its tables and turn them into a data set.

Regions marked ``iscrowd`` are no single cells and are left out; an annotation with a polygon and no
box gets the box around the polygon; the data set's notes count both. Ids may be whole numbers or
texts, as for pycocotools; texts, and numbers beyond 64 bits, are numbered anew when written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from decimal import Decimal, localcontext
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeGuard

import numpy as np
from numpy.typing import NDArray

from smearcount.classes import canonical_name
from smearcount.datasets.dataset import AnnotatedImage, Dataset, order_classes
from smearcount.datasets.formats.files import image_size, read_text
from smearcount.errors import DataError

_Id = int | str

_ANNOTATION_KEYS: Final = ("id", "image_id", "category_id", "bbox", "score", "iscrowd")

_MAX_EXPONENT: Final = 40
"""Numbers from 10 to this power on are refused: they are no coordinates, and cost time."""

DIGITS: Final = 60
"""Decimal digits for sums and differences of coordinates, enough that none is rounded."""


def read_file(path: Path) -> Dataset:
    """Read a COCO file; images are looked up beside it, in ``images/``, and one folder up.

    Raises:
        DataError: the file or an image is missing or broken; the message names file and line.
    """
    try:
        content = json.loads(read_text(path), parse_float=Decimal, object_hook=_only_needed_keys)
    except FileNotFoundError:
        raise DataError(f"{path}: this file is missing; check the path.") from None
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path} line {error.lineno}: not valid JSON ({error.msg}); "
            "correct it or export it anew."
        ) from None
    except (ValueError, RecursionError):
        raise DataError(
            f"{path}: its numbers are too long or its lists too deep to be COCO; export it anew."
        ) from None
    return _Reader(path, content).dataset()


def _only_needed_keys(row: dict[str, Any]) -> dict[str, Any]:
    """Return an annotation with a box without its outline, while the file is read.

    Outlines are most of a large file: without this they would be kept in memory as decimals.
    """
    if "bbox" not in row:
        return row
    return {key: row[key] for key in _ANNOTATION_KEYS if key in row}


class _Reader:
    """Checks the content of one file and turns it into a data set; messages name the line."""

    def __init__(self, path: Path, content: Any) -> None:
        self.path = path
        if not isinstance(content, dict):
            raise DataError(f"{path}: not a COCO file; it must be one object with images in it.")
        self.tables: dict[str, list[dict[str, Any]]] = {}
        for key in ("images", "annotations", "categories"):
            rows = content.get(key)
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise DataError(f"{path}: not a COCO file; it needs a list {key!r} of objects.")
            self.tables[key] = rows
        self.notes: list[str] = []

    def dataset(self) -> Dataset:
        """Return the data set."""
        names = self._class_names()
        classes = order_classes(names.values())
        first_id = {name: number for number, name in reversed(names.items())}
        boxes = self._boxes({number: classes.index(name) + 1 for number, name in names.items()})
        images = []
        id_of_file: dict[Path, _Id] = {}
        for row, image in enumerate(self.tables["images"]):
            number = self._id("images", row, "id")
            found = boxes.pop(number)
            path = self._find(row, self._text("images", row, "file_name", image))
            if path in id_of_file:
                raise self._error(
                    "images",
                    row,
                    f"{path.name} stands under two ids, {id_of_file[path]!r} and {number!r}; "
                    "join them into one image",
                )
            id_of_file[path] = number
            sides = ("width", "height")
            size = [self._whole("images", row, side) if image.get(side) else 0 for side in sides]
            width, height = image_size(path, (size[0], size[1]), str(self.path))
            images.append(
                AnnotatedImage(
                    path,
                    width,
                    height,
                    np.array([box for box, *_ in found], dtype=np.float64),
                    np.array([label for _, label, *_ in found], dtype=np.int64),
                    np.array([s for *_, s, _ in found]) if self._scored else None,
                    number if isinstance(number, int) else None,
                    _as_integers([i for *_, i in found]),
                )
            )
        ids = [first_id[name] for name in classes]
        category_ids = tuple(number for number in ids if isinstance(number, int))
        return Dataset(
            classes,
            tuple(images),
            str(self.path),
            category_ids if len(category_ids) == len(ids) else None,
            tuple(f"{self.path}: {note}." for note in self.notes),
        )

    def _class_names(self) -> dict[_Id, str]:
        """Return the class names by category id.

        A category that has no box and only groups others, as Roboflow exports it, is left out.
        """
        rows = self.tables["categories"]
        groups = {row.get("supercategory") for row in rows if row.get("supercategory")}
        used = {str(row.get("category_id")) for row in self.tables["annotations"]}
        names: dict[_Id, str] = {}
        for row, category in enumerate(rows):
            number = self._id("categories", row, "id")
            name = self._text("categories", row, "name", category)
            if number in names:
                raise self._error("categories", row, f"category id {number} stands twice")
            if name in groups and str(number) not in used and category["supercategory"] != name:
                self.notes.append(f"category {name!r} only groups others and was left out")
                continue
            names[number] = canonical_name(name)
        return names

    @cached_property
    def _scored(self) -> bool:
        return any("score" in row for row in self.tables["annotations"])

    def _boxes(
        self, labels: dict[_Id, int]
    ) -> dict[_Id, list[tuple[list[float], int, float | None, _Id]]]:
        """Return (xyxy, label, score, id) of each annotation by image id."""
        found: dict[_Id, list[tuple[list[float], int, float | None, _Id]]] = {}
        crowds = polygons = 0
        for row in range(len(self.tables["images"])):
            number = self._id("images", row, "id")
            if number in found:
                raise self._error("images", row, f"image id {number} stands twice; renumber one")
            found[number] = []
        for row, annotation in enumerate(self.tables["annotations"]):
            if annotation.get("iscrowd"):
                crowds += 1
                continue
            image = self._id("annotations", row, "image_id")
            if image not in found:
                raise self._error("annotations", row, f"no image has the id {image!r}; correct it")
            category = self._id("annotations", row, "category_id")
            if category not in labels:
                raise self._error(
                    "annotations",
                    row,
                    f"category id {category!r} is unknown; the categories are "
                    f"{', '.join(str(number) for number in labels)}",
                )
            box = annotation.get("bbox")
            if box is None and (box := _box_around(annotation.get("segmentation"))) is not None:
                polygons += 1
            if not isinstance(box, list) or len(box) != 4 or not all(map(_is_number, box)):
                raise self._error(
                    "annotations", row, "bbox must be four numbers: left, top, width, height"
                )
            score = annotation.get("score")
            if self._scored and not (_is_number(score) and 0 <= score <= 1):
                raise self._error("annotations", row, "score must be a number from 0 to 1")
            number = self._id("annotations", row, "id") if "id" in annotation else row + 1
            with localcontext(prec=DIGITS):
                left, top, width, height = (Decimal(side) for side in box)
                xyxy = [float(side) for side in (left, top, left + width, top + height)]
            found[image].append((xyxy, labels[category], score, number))
        if crowds:
            self.notes.append(f"{crowds} regions marked iscrowd are no single cells; left out")
        if polygons:
            self.notes.append(f"{polygons} polygons without a box were read as the box around them")
        return found

    def _find(self, row: int, name: str) -> Path:
        beside = self.path.parent
        relative = name.replace("\\", "/")
        # Joining keeps an absolute path as it is; the last candidates use the name alone.
        above, split = beside.parent, self.path.stem.removeprefix("instances_")
        folders = [beside, beside / "images", above, above / "images"]
        folders += [above / split, above / "images" / split]  # COCO's own layout, and CVAT's
        inside = ".." not in Path(relative).parts
        candidates = [folder / relative for folder in folders if inside]
        candidates += [folder / Path(relative).name for folder in folders[:2]]
        for path in candidates:
            if path.is_file():
                return path
        raise self._error(
            "images", row, f"{name} is neither beside this file nor in images/; put it there"
        )

    def _whole(self, table: str, row: int, key: str) -> int:
        value = self.tables[table][row].get(key)
        if not _is_number(value) or value != int(value):
            shown = value if isinstance(value, Decimal) else repr(value)
            raise self._error(table, row, f"{key} must be a whole number, not {shown}")
        return int(value)

    def _id(self, table: str, row: int, key: str) -> _Id:
        value = self.tables[table][row].get(key)
        return value if isinstance(value, str) and value else self._whole(table, row, key)

    def _text(self, table: str, row: int, key: str, entry: dict[str, Any]) -> str:
        value = entry.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self._error(table, row, f"{key} must be a name, not {value!r}")
        return value

    def _error(self, table: str, row: int, what: str) -> DataError:
        line = _line_of(read_text(self.path), table, row)
        where = f"line {line}, " if line else ""
        return DataError(f"{self.path} {where}{table}[{row}]: {what}.")


def _is_number(value: object) -> TypeGuard[int | Decimal]:
    if isinstance(value, Decimal):
        return value.is_finite() and value.adjusted() < _MAX_EXPONENT
    return isinstance(value, int) and not isinstance(value, bool)


def _as_integers(ids: Sequence[_Id]) -> NDArray[np.int64] | None:
    """Return ids as numbers, None if one is a text or beyond 64 bits."""
    limits = np.iinfo(np.int64)
    numbers = [number for number in ids if isinstance(number, int)]
    if len(numbers) < len(ids) or not all(limits.min <= n <= limits.max for n in numbers):
        return None
    return np.array(numbers, dtype=np.int64)


def _box_around(segmentation: object) -> list[Decimal] | None:
    """Return left, top, width and height around polygons, None if there is no polygon."""
    if not isinstance(segmentation, list) or not segmentation:
        return None
    xs: list[Decimal] = []
    ys: list[Decimal] = []
    for polygon in segmentation:
        if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
            return None
        if not all(map(_is_number, polygon)):
            return None
        xs += map(Decimal, polygon[0::2])
        ys += map(Decimal, polygon[1::2])
    with localcontext(prec=DIGITS):
        return [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]


def _line_of(text: str, table: str, row: int) -> int | None:
    """Return the line on which an entry of a table starts, 1-based; None if it is not found."""
    start = re.search(rf'"{table}"\s*:\s*\[\s*', text)
    if start is None:
        return None
    decoder = json.JSONDecoder()
    at = start.end()
    try:
        for _ in range(row):
            _, at = decoder.raw_decode(text, at)
            comma = re.compile(r"\s*,\s*").match(text, at)
            if comma is None:
                return None
            at = comma.end()
    except json.JSONDecodeError:
        return None
    return text.count("\n", 0, at) + 1
