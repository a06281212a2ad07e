"""YOLO: a text file of labels per image, and the class names in ``data.yaml`` or ``classes.txt``.

The folders are ``images/SPLIT`` with ``labels/SPLIT``, or ``SPLIT/images`` with ``SPLIT/labels``,
or ``images`` with ``labels`` without splits, each with sub-folders or without. Also read, with the
labels beside the images: ``obj_SPLIT_data`` (CVAT), and a folder with ``classes.txt`` (labelImg).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Final

import numpy as np

from smearcount.atomic_write import write_text
from smearcount.classes import canonical_name
from smearcount.datasets.dataset import AnnotatedImage, Dataset, order_classes
from smearcount.datasets.formats.files import (
    copy_images,
    files_in,
    image_size,
    images_in,
    read_text,
)
from smearcount.datasets.formats.ids import Ids, read_ids, write_ids
from smearcount.datasets.formats.yolo_txt import label_lines, read_labels, to_pixels
from smearcount.errors import DataError, UsageError

_NAME_FILES: Final = ("data.yaml", "data.yml", "dataset.yaml", "classes.txt", "obj.names")
_YAML_SUFFIXES: Final = (".yaml", ".yml")
_CVAT_FOLDER: Final = re.compile(r"obj_(\w+?)_data", re.IGNORECASE)


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
    polygons = 0
    for name in pairs if split is None else (split,):
        found, n = _read_split(*pairs[name], labels, read_ids(folder, name))
        images += found
        polygons += n
    category_ids = read_ids(folder, split).category_ids_of(classes)
    notes = (f"{folder}: {polygons} polygons were read as the boxes around them.",)
    return Dataset(classes, tuple(images), str(folder), category_ids, notes if polygons else ())


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
    home, labels = folder / "images" / (split or ""), folder / "labels" / (split or "")
    copied = copy_images(dataset, home, nested=True)
    names = {old: new.relative_to(home).with_suffix("").as_posix() for old, new in copied.items()}
    labels.mkdir(parents=True, exist_ok=True)
    for image in dataset.images:
        path = labels / f"{names[image.path]}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, "".join(f"{line}\n" for line in label_lines(image)))
    write_text(data_yaml, _data_yaml(data_yaml, splits(folder), dataset.classes))
    write_ids(folder, dataset, split, names)


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
        if not found or any(path.stem != "classes" for path in files_in(labels, ".txt")):
            found = {"": (images, labels)}  # labels beside the folders: these are no splits
    elif folder.is_dir():
        for path in sorted(path for path in folder.iterdir() if path.is_dir()):
            if (path / "images").is_dir() and (path / "labels").is_dir():
                found[path.name] = (path / "images", path / "labels")
            elif cvat := _CVAT_FOLDER.fullmatch(path.name):
                found[cvat[1]] = (path, path)
        if not found and any((folder / name).is_file() for name in ("classes.txt", "obj.names")):
            texts = {path.stem for path in files_in(folder, ".txt")}
            if not texts.isdisjoint(images_in(folder)):
                found[""] = (folder, folder)
    return found


def _names_in_yaml(path: Path) -> dict[int, str]:
    """Return the class names under ``names``: a list, or a mapping from numbers to names.

    The base loader leaves every value a string, so that a class called ``no`` or ``1`` keeps its
    name, and it builds nothing but strings, lists and mappings.
    """
    yaml = _yaml_for(path)
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


def _yaml_for(path: Path) -> ModuleType:
    """Return PyYAML, which the base install does not have.

    Raises:
        UsageError: it is not installed.
    """
    try:
        import yaml
    except ModuleNotFoundError:
        raise UsageError(
            f'{path}: a YOLO data set needs PyYAML; pip install "smearcount[evaluate]".'
        ) from None
    return yaml


def _data_yaml(path: Path, split_names: tuple[str, ...], classes: tuple[str, ...]) -> str:
    """Return the text of ``data.yaml``."""
    yaml = _yaml_for(path)
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
) -> tuple[list[AnnotatedImage], int]:
    """Return the images of a split, and how many polygons were read as boxes."""
    images = images_in(image_folder, nested=True)
    label_files = {
        path.relative_to(label_folder).with_suffix("").as_posix(): path
        for path in files_in(label_folder, ".txt", nested=True)
    }
    label_files.pop("classes", None)
    for name, path in label_files.items():
        if name not in images and label_folder != image_folder:
            raise DataError(f"{path}: {image_folder} has no image {name}; add it or drop the file.")
    order = [name for name in ids.images if name in images]
    order += [name for name in images if name not in ids.images]
    found = []
    polygons = 0
    for name in order:
        width, height = image_size(images[name])
        rows = np.zeros((0, 5))
        if name in label_files:
            rows, n = read_labels(label_files[name], labels)
            polygons += n
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
    return found, polygons
