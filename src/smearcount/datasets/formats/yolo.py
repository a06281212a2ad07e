"""YOLO text labels: ``class x_centre y_centre width height``, relative to the image, per line.

Folders are ``images/SPLIT`` with ``labels/SPLIT``, or ``SPLIT/images`` with ``SPLIT/labels``, or
``images`` with ``labels`` without splits. Class names come from ``data.yaml`` or ``classes.txt``.
A sixth number is a score. Pixel coordinates are rounded to a millionth of a pixel, beyond which
relative numbers carry only noise.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.atomic_write import write_text
from smearcount.classes import canonical_name
from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.datasets.formats.ids import Ids, note_ids, read_ids
from smearcount.datasets.formats.naming import (
    image_size,
    images_in,
    order_classes,
    plain,
    put_images,
)
from smearcount.datasets.formats.text import read_text
from smearcount.errors import DataError

_NAME_FILES: Final = ("data.yaml", "data.yml", "dataset.yaml", "classes.txt", "obj.names")
_DECIMALS_PX: Final = 6
_ENTRY: Final = re.compile(
    r"""[\s\[{,]*(?:-\s+)?(?:(?P<number>\d+)\s*:\s*)?"""
    r"""(?P<name>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s,\[\]{}#'"][^,\[\]{}#]*)"""
    r"""[\s\]},]*(?:#.*$)?"""
)


def is_yolo(folder: Path) -> bool:
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
        DataError: a file is missing or broken; the sentence names it, the line and what to do.
    """
    pairs = _pairs(folder)
    if split is not None and split not in pairs:
        known = ", ".join(name for name in pairs if name) or "none"
        raise DataError(f"{folder}: it has no split {split!r}; the splits here are: {known}.")
    written = class_names(folder)
    classes = order_classes(written)
    to_label = np.array([classes.index(canonical_name(name)) + 1 for name in written], np.int64)
    images: list[AnnotatedImage] = []
    for name in pairs if split is None else (split,):
        images += _split(*pairs[name], to_label, read_ids(folder, name))
    category_ids = read_ids(folder, split).of_classes(classes)
    return Dataset(classes, tuple(images), str(folder), category_ids)


def write(dataset: Dataset, folder: Path, split: str | None = None) -> None:
    """Write a data set as a YOLO folder with ``data.yaml``, images included; other splits stay.

    Args:
        dataset: what to write.
        folder: made if missing.
        split: such as ``train``; None writes ``images/`` and ``labels/`` without splits.

    Raises:
        DataError: two images have the same name, or the folder has other classes already.
        UsageError: the folder cannot be written to.
    """
    yaml = folder / _NAME_FILES[0]
    if yaml.is_file() and class_names(folder) != dataset.classes:
        raise DataError(f"{yaml}: it names other classes; choose an empty folder.")
    placed = put_images(dataset, folder / "images" / (split or ""))
    labels = folder / "labels" / (split or "")
    labels.mkdir(parents=True, exist_ok=True)
    for image in dataset.images:
        text = "".join(f"{line}\n" for line in _lines(image))
        write_text(labels / f"{placed[image.path].stem}.txt", text)
    parts = [f"{_yaml_key(name)}: images/{name}" for name in splits(folder)] or ["train: images"]
    names = [f"  - {json.dumps(name, ensure_ascii=False)}" for name in dataset.classes]
    text = "\n".join(["path: .", *parts, f"nc: {len(names)}", "names:", *names, ""])
    write_text(yaml, text)
    note_ids(folder, dataset, split)


def _lines(image: AnnotatedImage) -> list[str]:
    """Return the label lines, with as few decimals (6 or more) as bring each box back exactly."""
    boxes = np.round(image.boxes_xyxy_px, _DECIMALS_PX)
    size = np.array([image.width, image.height], dtype=np.float64)
    centre, extent = (boxes[:, :2] + boxes[:, 2:]) / 2 / size, (boxes[:, 2:] - boxes[:, :2]) / size
    relative = np.concatenate([centre, extent], axis=1)
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
        scores = [f" {plain(score)}" for score in image.scores]
    return [
        f"{label - 1} {text}{score}"
        for label, text, score in zip(image.labels, texts, scores, strict=True)
    ]


def _yaml_key(split: str) -> str:
    return "val" if split in ("valid", "validation") else split


def class_names(folder: Path) -> tuple[str, ...]:
    """Return the class names in the order of their numbers, from ``data.yaml`` or ``classes.txt``.

    Raises:
        DataError: there is no such file, or it names no class.
    """
    for name in _NAME_FILES:
        path = folder / name
        if path.is_file():
            text = read_text(path)
            names = _yaml_names(text) if "yaml" in name or "yml" in name else text.splitlines()
            names = [name.strip() for name in names if name.strip()]
            if names:
                return tuple(names)
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


def _split(
    image_folder: Path,
    label_folder: Path,
    to_label: NDArray[np.int64],
    ids: Ids,
) -> list[AnnotatedImage]:
    images = images_in(image_folder)
    label_files = {path.stem: path for path in sorted(label_folder.glob("*.txt"))}
    label_files.pop("classes", None)
    for name, path in label_files.items():
        if name not in images:
            raise DataError(f"{path}: {image_folder} has no image {name}; add it or drop the file.")
    order = [name for name in ids.images if name in images]
    order += [name for name in images if name not in ids.images]
    found = []
    for name in order:
        width, height = image_size(images[name])
        rows = _rows(label_files[name], len(to_label)) if name in label_files else np.zeros((0, 5))
        image_id, box_ids = ids.of_image(name, len(rows))
        found.append(
            AnnotatedImage(
                images[name],
                width,
                height,
                to_pixels(rows[:, 1:5], width, height),
                to_label[rows[:, 0].astype(np.int64)],
                rows[:, 5] if rows.shape[1] == 6 else None,
                image_id,
                box_ids,
            )
        )
    return found


def _rows(path: Path, n_classes: int) -> NDArray[np.float64]:
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
                f"{where}: {line.strip()!r} is not all numbers; "
                "write: class x_centre y_centre width height."
            ) from None
        if len(row) not in (5, 6) or not np.isfinite(row).all():
            raise DataError(
                f"{where}: {len(row)} numbers stand here instead of 5; "
                "write: class x_centre y_centre width height."
            )
        if row[0] not in range(n_classes):
            raise DataError(
                f"{where}: class {words[0]} is unknown, for only {n_classes} are named; "
                f"add its name to data.yaml or classes.txt, or use 0 to {n_classes - 1}."
            )
        if np.abs(row[1:5]).max() > 2:
            raise DataError(
                f"{where}: coordinates must be fractions of the image's width and height "
                "(0 to 1), not pixels; divide them by the image's size."
            )
        if rows and len(row) != len(rows[0]):
            raise DataError(f"{where}: some lines have a score and some not; make them alike.")
        rows.append(row)
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(rows[0]) if rows else 5)


def to_pixels(relative: NDArray[np.float64], width: int, height: int) -> NDArray[np.float64]:
    """Turn relative centre and size, shape (n, 4), into xyxy pixels."""
    size = np.array([width, height], dtype=np.float64)
    centre, half = relative[:, :2] * size, relative[:, 2:4] * size / 2
    return np.round(np.concatenate([centre - half, centre + half], axis=1), _DECIMALS_PX)


def _yaml_names(text: str) -> list[str]:
    """Return ``names`` of a data.yaml: a list or a numbered mapping, on one line or on many."""
    lines = text.split("\n")
    start = next((i for i, line in enumerate(lines) if re.match(r"names\s*:", line)), None)
    if start is None:
        return []
    body = [lines[start].split(":", 1)[1]]
    for line in lines[start + 1 :]:
        if line.strip() and not line[0].isspace() and line[0] not in "-]}#":
            break
        body.append(line)
    found = []
    for line in body:
        if line.lstrip()[:1] != "#":
            found += [match for match in _ENTRY.finditer(line) if match["name"].strip()]
    if found and all(match["number"] for match in found):
        found.sort(key=lambda match: int(match["number"]))
    return [_unquoted(match["name"].strip()) for match in found]


def _unquoted(name: str) -> str:
    if name.startswith('"'):
        try:
            return str(json.loads(name))
        except ValueError:
            return name.strip('"')
    return name[1:-1].replace("''", "'") if name.startswith("'") else name
