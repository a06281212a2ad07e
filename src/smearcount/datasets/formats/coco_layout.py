"""COCO: one JSON file with ``images``, ``annotations`` and ``categories``.

A box is ``[left, top, width, height]`` in pixels, with half-open edges. Right and bottom are summed
in decimals, so that no digit is lost between the two forms. A ``score`` per annotation is kept.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any, Final

from smearcount.atomic_write import write_text
from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.datasets.formats.coco_json import DIGITS, read_file
from smearcount.datasets.formats.files import copy_images, exact_decimal
from smearcount.errors import DataError

_FILE_NAMES: Final = (
    "{}.bbox.json",
    "{}.json",
    "instances_{}.json",
    "annotations/instances_{}.json",
)
_ROBOFLOW_NAME: Final = "_annotations.coco.json"
"""In a folder of each split, beside its images."""


def detect(path: Path) -> bool:
    """Tell whether a path is a COCO file, or a folder that holds COCO files."""
    return bool(_files(path)) or (path.is_file() and path.suffix.lower() == ".json")


def splits(path: Path) -> tuple[str, ...]:
    """Return the names of the splits in a folder, sorted; none for a file."""
    return tuple(sorted(_files(path)))


def read(path: Path, split: str | None = None) -> Dataset:
    """Read a COCO file, or the file of one split in a folder.

    The file of a split is ``SPLIT.bbox.json``, ``SPLIT.json`` or ``instances_SPLIT.json``. Images
    are looked up beside the file, in ``images/``, and one folder up, in this order.

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
        return read_file(path)
    files = _files(path)
    if split is None and len(files) == 1:
        return read_file(next(iter(files.values())))
    if split is None or split not in files:
        raise DataError(
            f"{path}: name one of its splits, {', '.join(files)}"
            + (f"; it has no split {split!r}." if split else ".")
        )
    return read_file(files[split])


def write(dataset: Dataset, folder: Path, split: str | None = None) -> None:
    """Write a data set as a COCO file in a folder, with its images in ``images/`` beside it.

    A ``file_name`` is the image's path in the folder, such as ``images/a.png``, so that the folder
    is the root that ``torchvision.datasets.CocoDetection`` asks for. Images, boxes and classes keep
    the numbers that they came with; without, they count from 1. Images that lie in the folder
    already are left where they are.

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
    elsewhere = tuple(image for image in dataset.images if folder not in image.path.parents)
    copied = copy_images(replace(dataset, images=elsewhere), folder / "images", nested=True)
    places = {image.path: copied.get(image.path, image.path) for image in dataset.images}
    return {path: place.relative_to(folder).as_posix() for path, place in places.items()}


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
    with localcontext(prec=DIGITS):
        sides = (left, top, right - left, bottom - top)
    return "[" + ", ".join(f"{side:f}" for side in sides) + "]"


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
    for path in sorted(folder.glob(f"*/{_ROBOFLOW_NAME}")):
        found.setdefault(path.parent.name, path)
    return dict(sorted(found.items()))


def _has_coco_keys(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8-sig") as file:
            head = file.read(1 << 16)
    except (OSError, UnicodeDecodeError):
        return False
    return any(f'"{key}"' in head for key in ("images", "annotations", "categories"))
