"""Annotated data sets, whatever their format: one door to read them, and one broom."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from smearcount.datasets.archive import unpacked_beside
from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.datasets.formats import coco, voc, yolo
from smearcount.detections.boxes import iou
from smearcount.errors import DataError

__all__ = [
    "DOUBLED_IOU",
    "AnnotatedImage",
    "Dataset",
    "Format",
    "clean",
    "disjoint_splits",
    "doubled",
    "read_dataset",
    "splits",
    "write_dataset",
]

Format = Literal["coco", "voc", "yolo"]
"""The formats that can be written."""

DOUBLED_IOU: Final = 0.8
"""Two boxes of one class that overlap this much mark the same cell twice."""

_SPLIT_NAMES: Final = (("val", "valid", "validation"), ("trainval", "trainvalid"))


def read_dataset(path: str | os.PathLike[str], split: str | None = None) -> Dataset:
    """Read annotated images from a COCO file or from a COCO, VOC or YOLO folder.

    The format is told from the content. Class names are brought to the package's own (``rbc``,
    ``Red_Blood_Cell`` and ``RBCs`` are all RBC), and any other class keeps its name.

    Args:
        path: a COCO ``.json``; or a folder with ``SPLIT.bbox.json`` files, with ``Annotations/``
            or with ``images/`` and ``labels/``; or a folder that holds only such a folder; or a
            ``.zip`` of one, which is unpacked beside itself into ``NAME.unpacked``.
        split: such as ``train``; ``val``, ``valid`` and ``validation`` mean the same, whichever
            the data set writes. None takes the whole folder.

    Returns:
        the data set, with every box as the files have it; see :func:`clean`.

    Raises:
        DataError: something is missing or broken; the sentence names file, line and what to do.
    """
    root = Path(path)
    if root.is_file() and root.suffix.lower() == ".json":
        if split is not None:
            raise DataError(f"{root}: a COCO file has no splits; leave out {split!r}.")
        return coco.read(root)
    folder = _folder(root)
    chosen = _split_here(folder, split)
    if voc.is_voc(folder):
        return voc.read(folder, chosen)
    if yolo.is_yolo(folder):
        return yolo.read(folder, chosen)
    return coco.read_split(folder, chosen)


def write_dataset(
    dataset: Dataset, folder: str | os.PathLike[str], form: Format, split: str | None = None
) -> None:
    """Write a data set into a folder, images included, beside the splits that it has already.

    Args:
        dataset: what to write.
        folder: made if missing.
        form: ``coco`` writes ``SPLIT.bbox.json`` and ``images/``; ``voc`` and ``yolo`` their
            folders.
        split: such as ``train``; None writes all as one (COCO: ``all.bbox.json``).

    Raises:
        DataError: two images have the same name, or the folder holds something else or cannot
            be made.
    """
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{target}: no folder can be made there ({error.strerror}).") from None
    if form == "coco":
        coco.write(dataset, target / f"{split or 'all'}.bbox.json")
    elif form == "voc":
        voc.write(dataset, target, split)
    else:
        yolo.write(dataset, target, split)


def splits(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Return the names of a data set's splits, sorted; none for a file or an unsplit folder.

    Raises:
        DataError: there is no data set at ``path``.
    """
    root = Path(path)
    if root.is_file() and root.suffix.lower() == ".json":
        return ()
    folder = _folder(root)
    if voc.is_voc(folder):
        return voc.splits(folder)
    if yolo.is_yolo(folder):
        return yolo.splits(folder)
    return coco.splits(folder)


def disjoint_splits(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Return the splits without those that only join others, such as ``trainval``.

    Raises:
        DataError: there is no data set at ``path``.
    """
    here = splits(path)
    joined = ("trainval", "trainvalid") if "train" in here else ()
    return tuple(name for name in here if name not in joined)


def clean(dataset: Dataset) -> Dataset:
    """Return the data set with its boxes clipped to their images, each once, none without area.

    Images stay even when they lose their last box.
    """
    return replace(dataset, images=tuple(_clean(image) for image in dataset.images))


def doubled(image: AnnotatedImage) -> NDArray[np.bool_]:
    """Tell which boxes repeat an earlier box of the same class, shape (n,)."""
    boxes = image.boxes_xyxy_px.astype(np.float32)
    same = (iou(boxes, boxes) >= DOUBLED_IOU) & (image.labels[:, None] == image.labels[None, :])
    return np.asarray(np.tril(same, k=-1).any(axis=1))


def _clean(image: AnnotatedImage) -> AnnotatedImage:
    limits = np.array([image.width, image.height] * 2, dtype=np.float64)
    clipped = replace(image, boxes_xyxy_px=np.clip(image.boxes_xyxy_px, 0, limits))
    boxes = clipped.boxes_xyxy_px
    whole = clipped[(boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])]
    return whole[~doubled(whole)]


def _is_dataset(folder: Path) -> bool:
    return voc.is_voc(folder) or yolo.is_yolo(folder) or coco.is_coco(folder)


def _folder(root: Path) -> Path:
    """Return the folder of the data set: ``root``, or the only data set directly below it."""
    if root.is_file() and root.suffix.lower() == ".zip":
        root = unpacked_beside(root)
    if not root.is_dir():
        raise DataError(f"{root}: there is no such folder or .json file; check the path.")
    if _is_dataset(root):
        return root
    below = [path for path in sorted(root.iterdir()) if path.is_dir() and _is_dataset(path)]
    if len(below) == 1:
        return below[0]
    if below:
        names = ", ".join(path.name for path in below)
        raise DataError(f"{root}: it holds several data sets; name one of {names}.")
    raise DataError(
        f"{root}: no data set found; it needs SPLIT.bbox.json files (COCO), Annotations/ with "
        "JPEGImages/ (VOC), or images/ with labels/ (YOLO)."
    )


def _split_here(folder: Path, split: str | None) -> str | None:
    """Return the split under the name that this data set gives it."""
    if split is None:
        return None
    here = splits(folder)
    for names in _SPLIT_NAMES:
        if split in names and split not in here:
            return next((name for name in names if name in here), split)
    return split
