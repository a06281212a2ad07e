"""YOLO text labels: ``class x_centre y_centre width height``, relative to the image, per line.

Folders are ``images/SPLIT`` with ``labels/SPLIT``, or ``SPLIT/images`` with ``SPLIT/labels``, or
``images`` with ``labels`` without splits. Class names come from ``data.yaml`` or ``classes.txt``.
A sixth number is a score. Pixel coordinates are rounded to a millionth of a pixel, beyond which
relative numbers carry only noise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from smearcount.classes import canonical_name
from smearcount.errors import DataError
from smearcount.formats.annotated import AnnotatedImage, Dataset
from smearcount.formats.naming import image_size, images_in, order_classes

_NAME_FILES: Final = ("data.yaml", "data.yml", "dataset.yaml", "classes.txt", "obj.names")
_DECIMALS_PX: Final = 6
IDS_FILE: Final = "ids.json"


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
    ids = _ids(folder)
    images: list[AnnotatedImage] = []
    for name in pairs if split is None else (split,):
        images += _split(*pairs[name], to_label, ids.get("images", {}).get(name, {}))
    category_ids = ids.get("category_ids")
    return Dataset(classes, tuple(images), str(folder), category_ids and tuple(category_ids))


def class_names(folder: Path) -> tuple[str, ...]:
    """Return the class names in the order of their numbers, from ``data.yaml`` or ``classes.txt``.

    Raises:
        DataError: there is no such file, or it names no class.
    """
    for name in _NAME_FILES:
        path = folder / name
        if path.is_file():
            text = path.read_text(encoding="utf-8")
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
    ids: Mapping[str, tuple[int | None, Sequence[int] | None]],
) -> list[AnnotatedImage]:
    images = images_in(image_folder)
    label_files = {path.stem: path for path in sorted(label_folder.glob("*.txt"))}
    label_files.pop("classes", None)
    for name, path in label_files.items():
        if name not in images:
            raise DataError(f"{path}: {image_folder} has no image {name}; add it or drop the file.")
    order = [name for name in ids if name in images]
    order += [name for name in images if name not in ids]
    found = []
    for name in order:
        width, height = image_size(images[name])
        rows = _rows(label_files[name], len(to_label)) if name in label_files else np.zeros((0, 5))
        image_id, box_ids = ids.get(name, (None, None))
        found.append(
            AnnotatedImage(
                images[name],
                width,
                height,
                to_pixels(rows[:, 1:5], width, height),
                to_label[rows[:, 0].astype(np.int64)],
                rows[:, 5] if rows.shape[1] == 6 else None,
                image_id,
                np.array(box_ids) if box_ids and len(box_ids) == len(rows) else None,
            )
        )
    return found


def _rows(path: Path, n_classes: int) -> NDArray[np.float64]:
    """Return the numbers of a label file, shape (n, 5), or (n, 6) with scores."""
    rows: list[list[float]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
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
    lines = [re.sub(r"(^|\s)#.*$", "", line).rstrip() for line in text.splitlines()]
    start = next((i for i, line in enumerate(lines) if re.match(r"names\s*:", line)), None)
    if start is None:
        return []
    parts = [lines[start].split(":", 1)[1].strip()]
    for line in lines[start + 1 :]:
        if line and not line[0].isspace() and line[0] not in "-]}":
            break
        parts.append(line.strip())
    body = "\n".join(part for part in parts if part)
    if body[:1] in ("[", "{"):
        entries = body.strip("[]{}\n ").replace("\n", " ").split(",")
    else:
        entries = [entry.removeprefix("-") for entry in body.splitlines()]
    numbered = [re.match(r"\s*(\d+)\s*:\s*(.+)$", entry) for entry in entries]
    if entries and all(numbered):
        pairs = sorted((int(m[1]), m[2]) for m in numbered if m)
        entries = [name for _, name in pairs]
    return [entry.strip().strip("'\"") for entry in entries]


def _ids(folder: Path) -> dict[str, Any]:
    """Return what ``write`` noted beside labels that came from COCO with numbers."""
    path = folder / IDS_FILE
    if not path.is_file():
        return {}
    try:
        ids = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise DataError(f"{path}: not valid JSON; delete this file to number anew.") from None
    return ids if isinstance(ids, dict) else {}
