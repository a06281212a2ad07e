"""``ids.json``: the numbers of COCO images, boxes and classes, kept beside formats without any.

VOC and YOLO identify images by name and boxes by order. With this file beside them, a data set
that came from COCO returns to COCO with its own numbers. It may be deleted: then COCO numbers
from 1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from smearcount.atomic_write import write_text
from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.errors import DataError

FILE: Final = "ids.json"


@dataclass(frozen=True)
class Ids:
    """The numbers of one split.

    Attributes:
        category_ids: one per class in label order, or None.
        images: by the image's name without suffix, its number and those of its boxes; in file
            order.
    """

    category_ids: tuple[int, ...] | None = None
    images: Mapping[str, tuple[int | None, list[int] | None]] = field(default_factory=dict)

    def category_ids_of(self, classes: tuple[str, ...]) -> tuple[int, ...] | None:
        """Return the numbers of the classes, None if classes were added since."""
        fits = self.category_ids is not None and len(self.category_ids) == len(classes)
        return self.category_ids if fits else None

    def ids_of_image(self, name: str, n: int) -> tuple[int | None, NDArray[np.int64] | None]:
        """Return the number of an image and of its ``n`` boxes, None if boxes were added since."""
        image_id, box_ids = self.images.get(name, (None, None))
        fits = box_ids is not None and len(box_ids) == n
        return image_id, np.array(box_ids, dtype=np.int64) if fits else None


def read_ids(folder: Path, split: str | None) -> Ids:
    """Return the numbers kept for a split (None: for all images); empty where there are none.

    Raises:
        DataError: the file is broken.
    """
    content = _content(folder)
    try:
        category_ids = content.get("category_ids")
        parts = content.get("images", {})
        chosen = parts.values() if split is None else [parts.get(split, {})]
        images = {name: (row[0], row[1]) for part in chosen for name, row in part.items()}
        return Ids(None if category_ids is None else tuple(category_ids), images)
    except (AttributeError, TypeError, LookupError):
        raise DataError(f"{folder / FILE}: not as written; delete it to number anew.") from None


def write_ids(folder: Path, dataset: Dataset, split: str | None, names: Mapping[Path, str]) -> None:
    """Write the numbers of a split into ``ids.json``, beside those of other splits.

    Args:
        folder: of the written data set.
        dataset: its images, boxes and classes may have numbers.
        split: None for an unsplit data set.
        names: the name of each image in the written data set, by its path.
    """
    rows = {names[image.path]: [image.image_id, _list(image)] for image in dataset.images}
    if dataset.category_ids is None and all(row == [None, None] for row in rows.values()):
        return
    content = _content(folder)
    if dataset.category_ids is not None:
        content["category_ids"] = list(dataset.category_ids)
    content.setdefault("images", {})[split or ""] = rows
    write_text(folder / FILE, json.dumps(content) + "\n")


def _list(image: AnnotatedImage) -> list[int] | None:
    return None if image.box_ids is None else [int(number) for number in image.box_ids]


def _content(folder: Path) -> dict[str, Any]:
    path = folder / FILE
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise DataError(f"{path}: not valid JSON; delete this file to number anew.")
    return content
