"""YOLO text labels: ``class x_center y_center width height``, relative to the image, per line.

Folders are ``images/SPLIT`` with ``labels/SPLIT``, or ``SPLIT/images`` with ``SPLIT/labels``, or
``images`` with ``labels`` without splits. Class names come from ``data.yaml`` or ``classes.txt``.
A sixth number is a score. Pixel coordinates are rounded to a millionth of a pixel: relative
numbers hold no more than rounding errors beyond that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import yaml
from numpy.typing import NDArray

from smearcount.atomic_write import write_text
from smearcount.classes import canonical_name
from smearcount.datasets.dataset import AnnotatedImage, Dataset, order_classes
from smearcount.datasets.formats.files import (
    copy_images,
    exact_decimal,
    files_in,
    image_size,
    images_in,
    read_text,
)
from smearcount.datasets.formats.ids import Ids, read_ids, write_ids
from smearcount.errors import DataError

_NAME_FILES: Final = ("data.yaml", "data.yml", "dataset.yaml", "classes.txt", "obj.names")
_DECIMALS_PX: Final = 6
_YAML_SUFFIXES: Final = (".yaml", ".yml")
_LINE: Final = "class x_center y_center width height"


def detect(folder: Path) -> bool:
    """Tell whether a folder is laid out as YOLO."""
    return bool(_pairs(folder))


def splits(folder: Path) -> tuple[str, ...]:
    """Return the names of the splits, sorted; none where images and labels are not split."""
    return tuple(name for name in _pairs(folder) if name)


def read(folder: Path, split: str | None = None) -> Dataset:
    """Read a YOLO folder; an image without a label file, or with an empty one, has no cells.

    Args:
        folder: holds the images, the labels and the class names.
        split: such as ``train``; None reads every split.

    Raises:
        DataError: a file is missing or broken; the message names it, the line and the remedy.
    """
    pairs = _pairs(folder)
    if split is not None and split not in pairs:
        known = ", ".join(name for name in pairs if name) or "none"
        raise DataError(f"{folder}: it has no split {split!r}; the splits here are: {known}.")
    names = class_names(folder)
    classes = order_classes(names.values())
    labels = {number: classes.index(canonical_name(name)) + 1 for number, name in names.items()}
    images: list[AnnotatedImage] = []
    for name in pairs if split is None else (split,):
        images += _read_split(*pairs[name], labels, read_ids(folder, name))
    category_ids = read_ids(folder, split).category_ids_of(classes)
    return Dataset(classes, tuple(images), str(folder), category_ids)


def write(dataset: Dataset, folder: Path, split: str | None = None) -> None:
    """Write a data set as a YOLO folder with ``data.yaml``, images included; other splits stay.

    Args:
        dataset: the images and boxes to write.
        folder: made if missing.
        split: such as ``train``; None writes ``images/`` and ``labels/`` without splits.

    Raises:
        DataError: two images have the same name, or the folder has other classes already.
        WriteError: the folder cannot be written to.
    """
    data_yaml = folder / _NAME_FILES[0]
    if data_yaml.is_file() and class_names(folder) != dict(enumerate(dataset.classes)):
        raise DataError(f"{data_yaml}: it names other classes; choose an empty folder.")
    copied = copy_images(dataset, folder / "images" / (split or ""))
    labels = folder / "labels" / (split or "")
    labels.mkdir(parents=True, exist_ok=True)
    for image in dataset.images:
        text = "".join(f"{line}\n" for line in _lines(image))
        write_text(labels / f"{copied[image.path].stem}.txt", text)
    write_text(data_yaml, _data_yaml(splits(folder), dataset.classes))
    write_ids(folder, dataset, split)


def _lines(image: AnnotatedImage) -> list[str]:
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


def class_names(folder: Path) -> dict[int, str]:
    """Return the class names by their numbers, from ``data.yaml`` or ``classes.txt``.

    Raises:
        DataError: there is no such file, it is broken, or it names no class.
    """
    for name in _NAME_FILES:
        path = folder / name
        if path.is_file():
            if path.suffix in _YAML_SUFFIXES:
                names = _names_in_yaml(path)
            else:
                lines = (line.strip() for line in read_text(path).splitlines())
                names = dict(enumerate(line for line in lines if line))
            if names:
                return names
            raise DataError(f"{path}: it names no class; add for instance names: [WBC, RBC].")
    raise DataError(
        f"{folder}: the class names are missing; add classes.txt with one name per line, "
        "in the order of the class numbers from 0."
    )


def _pairs(folder: Path) -> dict[str, tuple[Path, Path]]:
    """Return the folders of images and labels by split."""
    images, labels = folder / "images", folder / "labels"
    found = {}
    if images.is_dir() and labels.is_dir():
        names = sorted(path.name for path in labels.iterdir() if path.is_dir())
        found = {name: (images / name, labels / name) for name in names}
        if not found:
            found = {"": (images, labels)}
    elif folder.is_dir():
        for path in sorted(folder.iterdir()):
            if (path / "images").is_dir() and (path / "labels").is_dir():
                found[path.name] = (path / "images", path / "labels")
    return found


def _names_in_yaml(path: Path) -> dict[int, str]:
    """Return the class names under ``names``: a list, or a mapping from numbers to names.

    The base loader leaves every value a string, so that a class called ``no`` or ``1`` keeps its
    name, and it builds nothing but strings, lists and mappings.
    """
    try:
        content = yaml.load(read_text(path), Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path} line {mark.line + 1}" if mark else str(path)
        problem = getattr(error, "problem", None) or "forbidden characters or deep nesting"
        raise DataError(f"{where}: not valid YAML ({problem}); correct it.") from None
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, str):
        names = names.split(",")
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict):
        return {}
    found = {}
    for number, name in names.items():
        if not isinstance(name, str) or not str(number).strip().isdecimal():
            raise DataError(
                f"{path}: names must be a list of names, or a mapping from class numbers to names, "
                f"not {str(number)[:40]!r}: {str(name)[:40]!r}."
            )
        found[int(number)] = name.strip()
    return {number: name for number, name in sorted(found.items()) if name}


def _data_yaml(split_names: tuple[str, ...], classes: tuple[str, ...]) -> str:
    """Return the text of ``data.yaml``."""
    places = {_yaml_key(name): f"images/{name}" for name in split_names} or {"train": "images"}
    head = {"path": ".", **places, "nc": len(classes)}
    lines = [
        yaml.safe_dump(head, allow_unicode=True, sort_keys=False) + "names:\n",
        *(
            "  - " + yaml.safe_dump(name, default_style='"', width=math.inf, allow_unicode=True)
            for name in classes
        ),
    ]
    return "".join(lines)


def _yaml_key(split: str) -> str:
    return "val" if split in ("valid", "validation") else split


def _read_split(
    image_folder: Path,
    label_folder: Path,
    labels: Mapping[int, int],
    ids: Ids,
) -> list[AnnotatedImage]:
    images = images_in(image_folder)
    label_files = {path.stem: path for path in files_in(label_folder, ".txt")}
    label_files.pop("classes", None)
    for name, path in label_files.items():
        if name not in images:
            raise DataError(f"{path}: {image_folder} has no image {name}; add it or drop the file.")
    order = [name for name in ids.images if name in images]
    order += [name for name in images if name not in ids.images]
    found = []
    for name in order:
        width, height = image_size(images[name])
        rows = _rows(label_files[name], labels) if name in label_files else np.zeros((0, 5))
        image_id, box_ids = ids.ids_of_image(name, len(rows))
        found.append(
            AnnotatedImage(
                images[name],
                width,
                height,
                to_pixels(rows[:, 1:5], width, height),
                np.array([labels[int(number)] for number in rows[:, 0]], dtype=np.int64),
                rows[:, 5] if rows.shape[1] == 6 else None,
                image_id,
                box_ids,
            )
        )
    return found


def _rows(path: Path, classes: Mapping[int, int]) -> NDArray[np.float64]:
    """Return the numbers of a label file, shape (n, 5), or (n, 6) with scores."""
    rows: list[list[float]] = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        where = f"{path} line {number}"
        try:
            row = [float(word) for word in words]
        except ValueError:
            raise DataError(
                f"{where}: {line.strip()[:80]!r} is not all numbers; write: {_LINE}."
            ) from None
        if len(row) not in (5, 6):
            raise DataError(f"{where}: {len(row)} numbers stand here instead of 5; write: {_LINE}.")
        if not np.isfinite(row).all():
            wrong = next(
                word for word, value in zip(words, row, strict=True) if not np.isfinite(value)
            )
            raise DataError(f"{where}: {wrong[:80]!r} is no finite number; write: {_LINE}.")
        if row[0] not in classes:
            raise DataError(
                f"{where}: class {words[0][:80]} is unknown, for only {len(classes)} are named; "
                "add its name to data.yaml or classes.txt, or use one of "
                f"{', '.join(str(known) for known in classes)}."
            )
        if np.abs(row[1:5]).max() > 2:
            raise DataError(
                f"{where}: coordinates must be fractions of the image's width and height "
                "(0 to 1), not pixels; divide them by the image's size."
            )
        if len(row) == 6 and not 0 <= row[5] <= 1:
            raise DataError(
                f"{where}: the sixth number must be a score from 0 to 1, not {words[5][:80]}; "
                "delete this column if it holds something else, such as track numbers."
            )
        if rows and len(row) != len(rows[0]):
            raise DataError(f"{where}: some lines have a score and some not; make them alike.")
        rows.append(row)
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(rows[0]) if rows else 5)


def to_pixels(relative: NDArray[np.float64], width: int, height: int) -> NDArray[np.float64]:
    """Return relative centers and sizes, shape (n, 4), as xyxy pixels."""
    size = np.array([width, height], dtype=np.float64)
    center, half = relative[:, :2] * size, relative[:, 2:4] * size / 2
    return np.round(np.concatenate([center - half, center + half], axis=1), _DECIMALS_PX)
