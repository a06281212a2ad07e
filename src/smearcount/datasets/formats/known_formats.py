"""The table of annotation formats: what recognizes, reads and writes each.

A new format is one module with these functions and one entry here: reading, writing, the messages
and the help of the command line all ask this table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from smearcount.datasets.dataset import Dataset
from smearcount.datasets.formats import coco_layout, labelme, voc_layout, yolo_layout
from smearcount.errors import UsageError


@dataclass(frozen=True)
class Format:
    """One annotation format.

    Attributes:
        name: by which commands and functions call it.
        title: as people write it.
        layout: the files that a folder of it holds, for help and messages.
        detect: tells whether a file or folder holds this format.
        splits: returns the names of the splits in a file or folder, sorted.
        read: reads a split of it, or all of it for None.
        write: writes a data set into a folder, as a split or as all of it; None if this format
            can only be read.
        shares_images: whether several splits may list the same image.
    """

    name: str
    title: str
    layout: str
    detect: Callable[[Path], bool]
    splits: Callable[[Path], tuple[str, ...]]
    read: Callable[[Path, str | None], Dataset]
    write: Callable[[Dataset, Path, str | None], None] | None
    shares_images: bool


FORMATS: Final = (
    Format(
        name="voc",
        title="Pascal VOC",
        layout="Annotations/ with JPEGImages/, or each .xml beside its image",
        detect=voc_layout.detect,
        splits=voc_layout.splits,
        read=voc_layout.read,
        write=voc_layout.write,
        shares_images=True,
    ),
    Format(
        name="yolo",
        title="YOLO",
        layout="images/ with labels/, or labels beside images and classes.txt",
        detect=yolo_layout.detect,
        splits=yolo_layout.splits,
        read=yolo_layout.read,
        write=yolo_layout.write,
        shares_images=False,
    ),
    Format(
        name="coco",
        title="COCO",
        layout="SPLIT.bbox.json files, or one .json file",
        detect=coco_layout.detect,
        splits=coco_layout.splits,
        read=coco_layout.read,
        write=coco_layout.write,
        shares_images=True,
    ),
    Format(
        name="labelme",
        title="labelme",
        layout="a .json beside each image; read only",
        detect=labelme.detect,
        splits=labelme.splits,
        read=labelme.read,
        write=None,
        shares_images=False,
    ),
)
"""In the order in which they are tried on a folder."""


def format_to_write(name: str) -> Format:
    """Return the format of a name, if it can be written.

    Raises:
        UsageError: there is no such format; the message lists those that can be written.
    """
    writable = {form.name: form for form in FORMATS if form.write is not None}
    if name in writable:
        return writable[name]
    known = ", ".join(sorted(writable))
    raise UsageError(f"format must be one of {known}, not {name!r}.")
