"""labelme: a JSON file beside each image, with its shapes. Read only.

Rectangles are boxes; polygons, circles and masks are read as the box around them. Points and lines
mark no cell and are left out; the data set's notes count both.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from smearcount.classes import canonical_name
from smearcount.datasets.dataset import AnnotatedImage, Dataset, order_classes
from smearcount.datasets.formats.files import SPLIT_FOLDERS, files_in, image_size
from smearcount.errors import DataError

_Point = tuple[FiniteFloat, FiniteFloat]

_BOXED: Final = ("rectangle", "polygon", "circle", "mask")
_HEAD_BYTES: Final = 1 << 16


class _Shape(BaseModel):
    label: str = Field(min_length=1)
    points: list[_Point]
    shape_type: str = "polygon"


class _File(BaseModel):
    shapes: list[_Shape]
    imagePath: str = Field(min_length=1)  # noqa: N815 (the file's own key)
    imageHeight: int | None = None  # noqa: N815
    imageWidth: int | None = None  # noqa: N815


def detect(folder: Path) -> bool:
    """Tell whether a folder, or a folder of a split in it, holds labelme files."""
    return bool(_folders(folder))


def splits(folder: Path) -> tuple[str, ...]:
    """Return the names of the split folders, sorted; none if the files lie in the folder itself."""
    return tuple(name for name in _folders(folder) if name)


def read(folder: Path, split: str | None = None) -> Dataset:
    """Read the labelme files of a folder.

    Args:
        folder: holds each ``.json`` beside its image, directly or in ``train/``, ``valid/`` ...
        split: one of :func:`splits`; None reads all.

    Raises:
        DataError: a file is missing or broken; the message names it and the remedy.
    """
    folders = _folders(folder)
    if split is not None and split not in folders:
        known = ", ".join(name for name in folders if name) or "none"
        raise DataError(f"{folder}: it has no split {split!r}; the splits here are: {known}.")
    files = {path: _parse(path) for place in folders.values() for path in _files(place)}
    classes = order_classes(shape.label for file in files.values() for shape in _boxed(file))
    chosen = list(files) if split is None else _files(folders[split])
    images = tuple(_image(path, files[path], classes) for path in chosen)
    return Dataset(classes, images, str(folder), notes=_notes(folder, [files[p] for p in chosen]))


def _image(path: Path, file: _File, classes: tuple[str, ...]) -> AnnotatedImage:
    image = path.parent / Path(file.imagePath.replace("\\", "/")).name
    width, height = image_size(image, (file.imageWidth or 0, file.imageHeight or 0), str(path))
    shapes = _boxed(file)
    return AnnotatedImage(
        image,
        width,
        height,
        np.array([_box(shape, path) for shape in shapes], dtype=np.float64),
        np.array([classes.index(canonical_name(s.label)) + 1 for s in shapes], dtype=np.int64),
    )


def _box(shape: _Shape, path: Path) -> list[float]:
    """Return left, top, right and bottom of a shape."""
    points = np.array(shape.points, dtype=np.float64).reshape(-1, 2)
    if len(points) < (3 if shape.shape_type == "polygon" else 2):
        raise DataError(
            f"{path}: a {shape.shape_type} of class {shape.label!r} has only {len(points)} points; "
            "draw it anew."
        )
    if shape.shape_type == "circle":  # its center and a point on its edge
        center, radius = points[0], np.hypot(*(points[1] - points[0]))
        return [*(center - radius).tolist(), *(center + radius).tolist()]
    return [*points.min(axis=0).tolist(), *points.max(axis=0).tolist()]


def _boxed(file: _File) -> list[_Shape]:
    return [shape for shape in file.shapes if shape.shape_type in _BOXED]


def _notes(folder: Path, files: Iterable[_File]) -> tuple[str, ...]:
    kinds = [shape.shape_type for file in files for shape in file.shapes]
    around = sum(kind in _BOXED and kind != "rectangle" for kind in kinds)
    others = [kind for kind in kinds if kind not in _BOXED]
    notes = []
    if around:
        notes.append(f"{folder}: {around} shapes were read as the boxes around them.")
    if others:
        named = ", ".join(sorted(set(others)))
        notes.append(f"{folder}: {len(others)} shapes mark no area ({named}); left out.")
    return tuple(notes)


def _parse(path: Path) -> _File:
    try:
        return _File.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DataError(
            f"{path}: not as labelme writes it ({where + ': ' if where else ''}{first['msg']}); "
            "save it anew."
        ) from None


def _folders(folder: Path) -> dict[str, Path]:
    """Return the folders with labelme files by split, "" for the folder itself."""
    if _files(folder):
        return {"": folder}
    return {name: folder / name for name in SPLIT_FOLDERS if _files(folder / name)}


def _files(folder: Path) -> list[Path]:
    return [path for path in files_in(folder, ".json") if _is_labelme(path)]


def _is_labelme(path: Path) -> bool:
    """Tell whether a JSON file begins with keys of labelme; the picture in it may be long."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return False
    return (b'"shapes"' in head or b'"imagePath"' in head) and b'"images"' not in head
