"""COCO: one JSON file with ``images``, ``annotations`` and ``categories``.

A box is ``[left, top, width, height]`` in pixels, with half-open edges. Right and bottom are summed
in decimals, so that no digit is lost between the two forms. A ``score`` per annotation is kept.
Regions marked ``iscrowd`` are no single cells and are left out.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal, localcontext
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeGuard

import numpy as np

from smearcount.atomic_write import write_text
from smearcount.classes import canonical_name
from smearcount.datasets.dataset import AnnotatedImage, Dataset, order_classes
from smearcount.datasets.formats.files import copy_images, exact_decimal, image_size, read_text
from smearcount.errors import DataError

_FILE_NAMES: Final = (
    "{}.bbox.json",
    "{}.json",
    "instances_{}.json",
    "annotations/instances_{}.json",
)
_DIGITS: Final = 60
"""Decimal digits for sums and differences of coordinates, enough that none is rounded."""


def detect(path: Path) -> bool:
    """Tell whether a path is a COCO file, or a folder that holds COCO files."""
    return bool(_files(path)) or (path.is_file() and path.suffix.lower() == ".json")


def splits(path: Path) -> tuple[str, ...]:
    """Return the names of the splits in a folder, sorted; none for a file."""
    return tuple(sorted(_files(path)))


def read(path: Path, split: str | None = None) -> Dataset:
    """Read a COCO file, or the file of one split in a folder.

    The file of a split is ``SPLIT.bbox.json``, ``SPLIT.json`` or ``instances_SPLIT.json``. Images
    are looked up beside the file, in ``images/``, and one folder up.

    Args:
        path: the file or the folder.
        split: one of :func:`splits`; None for a file, or for a folder that holds only one.

    Raises:
        DataError: there is no such file, or it or an image is missing or broken, or ``split`` is
            None among several; the message names file and line.
    """
    if path.is_file():
        if split is not None:
            raise DataError(f"{path}: a COCO file has no splits; leave out {split!r}.")
        return _read_file(path)
    files = _files(path)
    if split is None and len(files) == 1:
        return _read_file(next(iter(files.values())))
    if split is None or split not in files:
        raise DataError(
            f"{path}: name one of its splits, {', '.join(files)}"
            + (f"; it has no split {split!r}." if split else ".")
        )
    return _read_file(files[split])


def _read_file(path: Path) -> Dataset:
    try:
        text = read_text(path)
        content = json.loads(text, parse_float=Decimal)
    except FileNotFoundError:
        raise DataError(f"{path}: this file is missing; check the path.") from None
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path} line {error.lineno}: not valid JSON ({error.msg}); "
            "correct it or export it anew."
        ) from None
    return _Reader(path, text, content).dataset()


def write(dataset: Dataset, folder: Path, split: str | None = None) -> None:
    """Write a data set as a COCO file in a folder, with its images in ``images/`` beside it.

    Images, boxes and classes keep the numbers that they came with; without, they count from 1.
    Images that lie below ``images/`` or beside the file already are left where they are.

    Args:
        dataset: the images and boxes to write.
        folder: must exist.
        split: names the file, ``SPLIT.bbox.json``; None stands for ``all``.

    Raises:
        DataError: two images have the same name.
        WriteError: the folder cannot be written to.
    """
    names = _copy_images_from_elsewhere(dataset, folder)
    category_ids = dataset.category_ids or tuple(range(1, len(dataset.classes) + 1))
    image_ids = _numbers([image.image_id for image in dataset.images])
    box_ids = iter(_numbers([number for image in dataset.images for number in _box_ids(image)]))
    images, annotations = [], []
    for image_id, image in zip(image_ids, dataset.images, strict=True):
        size = {"width": image.width, "height": image.height}
        images.append(_json({"id": image_id, "file_name": names[image.path], **size}))
        for row, xyxy in enumerate(image.boxes_xyxy_px.tolist()):
            width, height = max(xyxy[2] - xyxy[0], 0), max(xyxy[3] - xyxy[1], 0)
            annotation = {
                "id": next(box_ids),
                "image_id": image_id,
                "category_id": category_ids[image.labels[row] - 1],
                "iscrowd": 0,
                "area": round(width * height, 6),
                **({} if image.scores is None else {"score": float(image.scores[row])}),
            }
            annotations.append(f'{_json(annotation)[:-1]}, "bbox": {_box_text(xyxy)}}}')
    numbered = zip(category_ids, dataset.classes, strict=True)
    categories = [_json({"id": number, "name": name}) for number, name in numbered]
    tables = {"images": images, "annotations": annotations, "categories": categories}
    parts = [f'"{name}": [\n' + ",\n".join(rows) + "\n]" for name, rows in tables.items()]
    write_text(folder / f"{split or 'all'}.bbox.json", "{\n" + ",\n".join(parts) + "\n}\n")


def _copy_images_from_elsewhere(dataset: Dataset, folder: Path) -> dict[Path, str]:
    """Copy images that lie elsewhere into ``images/``; return the ``file_name`` of every image."""
    homes = (folder / "images", folder)
    names: dict[Path, str] = {}
    for path in (image.path for image in dataset.images):
        home = next((home for home in homes if home in path.parents), None)
        if home is not None:
            names[path] = path.relative_to(home).as_posix()
    elsewhere = tuple(image for image in dataset.images if image.path not in names)
    copied = copy_images(replace(dataset, images=elsewhere), homes[0])
    return names | {old: new.name for old, new in copied.items()}


def _box_ids(image: AnnotatedImage) -> Sequence[int | None]:
    return [None] * len(image) if image.box_ids is None else image.box_ids.tolist()


def _json(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False)


def _numbers(given: Sequence[int | None]) -> list[int]:
    """Return the numbers given, or 1, 2, 3 … where one is missing or stands twice."""
    numbers = [number for number in given if number is not None]
    whole = len(numbers) == len(given) == len(set(numbers))
    return numbers if whole else list(range(1, len(given) + 1))


def _box_text(xyxy: Sequence[float]) -> str:
    """Return left, top, width and height as JSON, in decimals that add up without a loss."""
    left, top, right, bottom = (Decimal(exact_decimal(value)) for value in xyxy)
    with localcontext(prec=_DIGITS):
        sides = (left, top, right - left, bottom - top)
    return "[" + ", ".join(f"{side:f}" for side in sides) + "]"


class _Reader:
    """Checks the content of one file and turns it into a data set; messages name the line."""

    def __init__(self, path: Path, text: str, content: Any) -> None:
        self.path = path
        self.text = text
        if not isinstance(content, dict):
            raise DataError(f"{path}: not a COCO file; it must be one object with images in it.")
        self.tables: dict[str, list[dict[str, Any]]] = {}
        for key in ("images", "annotations", "categories"):
            rows = content.get(key)
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise DataError(f"{path}: not a COCO file; it needs a list {key!r} of objects.")
            self.tables[key] = rows

    def dataset(self) -> Dataset:
        """Return the data set."""
        names: dict[int, str] = {}
        for row, category in enumerate(self.tables["categories"]):
            number = self._whole("categories", row, "id")
            if number in names:
                raise self._error("categories", row, f"category id {number} stands twice")
            names[number] = canonical_name(self._text("categories", row, "name", category))
        classes = order_classes(names.values())
        first_id = {name: number for number, name in reversed(names.items())}
        boxes = self._boxes({number: classes.index(name) + 1 for number, name in names.items()})
        images = []
        for row, image in enumerate(self.tables["images"]):
            number = self._whole("images", row, "id")
            found = boxes.pop(number)
            path = self._find(row, self._text("images", row, "file_name", image))
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
                    number,
                    np.array([i for *_, i in found], dtype=np.int64),
                )
            )
        ids = tuple(first_id[name] for name in classes)
        return Dataset(classes, tuple(images), str(self.path), ids)

    @cached_property
    def _scored(self) -> bool:
        return any("score" in row for row in self.tables["annotations"])

    def _boxes(
        self, labels: dict[int, int]
    ) -> dict[int, list[tuple[list[float], int, float | None, int]]]:
        """Return (xyxy, label, score, id) of each annotation by image id."""
        found: dict[int, list[tuple[list[float], int, float | None, int]]] = {}
        for row in range(len(self.tables["images"])):
            number = self._whole("images", row, "id")
            if number in found:
                raise self._error("images", row, f"image id {number} stands twice; renumber one")
            found[number] = []
        for row, annotation in enumerate(self.tables["annotations"]):
            if annotation.get("iscrowd"):
                continue
            image = self._whole("annotations", row, "image_id")
            if image not in found:
                raise self._error("annotations", row, f"no image has the id {image}; correct it")
            category = self._whole("annotations", row, "category_id")
            if category not in labels:
                raise self._error(
                    "annotations",
                    row,
                    f"category id {category} is unknown; the categories are "
                    f"{', '.join(str(number) for number in labels)}",
                )
            box = annotation.get("bbox")
            if not isinstance(box, list) or len(box) != 4 or not all(map(_is_number, box)):
                raise self._error(
                    "annotations", row, "bbox must be four numbers: left, top, width, height"
                )
            score = annotation.get("score")
            if self._scored and not (_is_number(score) and 0 <= score <= 1):
                raise self._error("annotations", row, "score must be a number from 0 to 1")
            number = self._whole("annotations", row, "id") if "id" in annotation else row + 1
            with localcontext(prec=_DIGITS):
                left, top, width, height = (Decimal(side) for side in box)
                xyxy = [float(side) for side in (left, top, left + width, top + height)]
            found[image].append((xyxy, labels[category], score, number))
        return found

    def _find(self, row: int, name: str) -> Path:
        beside = self.path.parent
        relative = name.replace("\\", "/")
        # Joining keeps an absolute path as it is; the last candidates use the name alone.
        folders = (beside / "images", beside, beside.parent / "images", beside.parent)
        candidates = [folder / relative for folder in folders]
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

    def _text(self, table: str, row: int, key: str, entry: dict[str, Any]) -> str:
        value = entry.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self._error(table, row, f"{key} must be a name, not {value!r}")
        return value

    def _error(self, table: str, row: int, what: str) -> DataError:
        line = _line_of(self.text, table, row)
        where = f"line {line}, " if line else ""
        return DataError(f"{self.path} {where}{table}[{row}]: {what}.")


def _is_number(value: object) -> TypeGuard[int | Decimal]:
    return isinstance(value, int | Decimal) and not isinstance(value, bool) and math.isfinite(value)


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


def _files(folder: Path) -> dict[str, Path]:
    """Return the COCO files of a folder by split."""
    found: dict[str, Path] = {}
    for pattern in reversed(_FILE_NAMES):
        before, after = pattern.split("{}")
        for path in sorted(folder.glob(f"{before}*{after}")):
            name = path.name.removeprefix(Path(before).name if before[-1:] != "/" else "")
            name = name.removeprefix("instances_").removesuffix(".json").removesuffix(".bbox")
            if name and _has_coco_keys(path):
                found[name] = path
    return dict(sorted(found.items()))


def _has_coco_keys(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8-sig") as file:
            head = file.read(1 << 16)
    except (OSError, UnicodeDecodeError):
        return False
    return any(f'"{key}"' in head for key in ("images", "annotations", "categories"))
