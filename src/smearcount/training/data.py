"""The data of a training: annotated images read, cleaned and separated from one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from smearcount.datasets.clean import clean_dataset
from smearcount.datasets.dataset import Dataset
from smearcount.datasets.near_duplicates import without_duplicates_of
from smearcount.datasets.read import read_dataset, split_names
from smearcount.errors import DataError, UsageError


@dataclass(frozen=True)
class DataSource:
    """Where training and validation images come from.

    Attributes:
        data: a COCO file, or the folder of a VOC or YOLO data set.
        val: the same for validation; None takes another split of ``data``.
        split: the split of ``data`` to learn from; None: ``train`` of a folder, all of a file.
        val_split: the split to validate on; None: ``val`` of a folder, all of a file.

    Example:
        >>> from smearcount.training import DataSource
        >>> DataSource("bccd", val="other-slides", val_split="test").split is None
        True
    """

    data: str
    val: str | None = None
    split: str | None = None
    val_split: str | None = None


def as_source(data: str | Path | DataSource) -> DataSource:
    """Return where the images come from; a path means a data set with splits of its own."""
    return data if isinstance(data, DataSource) else DataSource(str(data))


@dataclass(frozen=True)
class TrainingData:
    """Cleaned training and validation images with the same classes and no photograph in common.

    Attributes:
        train: to learn from.
        val: to validate on.
        dropped: how many validation images nearly duplicate a training image and were left out.
    """

    train: Dataset
    val: Dataset
    dropped: int


def read_training_data(source: DataSource) -> TrainingData:
    """Read, clean and separate the images of a training.

    Raises:
        UsageError: there is nothing to validate on.
        DataError: a data set is broken, the two have different classes, or every validation
            image is a training image too.
    """
    if source.val is None and source.val_split is None and not split_names(source.data):
        raise UsageError(f"{source.data}: it has no splits; name another data set to validate on.")
    train = _read(source.data, source.split, "train")
    _refuse_empty(train, "to learn from")
    val = _read(source.val or source.data, source.val_split, "val")
    _refuse_empty(val, "to validate on")
    val = with_classes(val, train.classes)
    separate = without_duplicates_of(val, train)
    if not separate.images:
        raise DataError(
            f"{val.source}: every image to validate on nearly duplicates one to learn from; "
            "name other images to validate on."
        )
    _refuse_empty(separate, "to validate on")
    return TrainingData(train, separate, len(val.images) - len(separate.images))


def _refuse_empty(dataset: Dataset, purpose: str) -> None:
    """Raise where there is no image, or no cell in any."""
    if not dataset.images:
        raise DataError(f"{dataset.source}: there is no image {purpose}; check the split.")
    if not any(len(image) for image in dataset.images):
        raise DataError(f"{dataset.source}: no cell is labeled in any image {purpose}.")


def _read(path: str, split: str | None, default_split: str) -> Dataset:
    return clean_dataset(
        read_dataset(path, split or (default_split if split_names(path) else None))
    )


def with_classes(dataset: Dataset, classes: Sequence[str]) -> Dataset:
    """Return a data set whose labels are positions in ``classes``, counted from 1.

    Raises:
        DataError: it has cells of a class that is not among them.
    """
    if tuple(dataset.classes) == tuple(classes):
        return dataset
    occurring = {int(label) for image in dataset.images for label in image.labels}
    for label, name in enumerate(dataset.classes, start=1):
        if name not in classes and label in occurring:
            raise DataError(
                f"{dataset.source}: class {name} does not occur in the training data, "
                f"which have {', '.join(classes)}; rename or remove it."
            )
    known = [classes.index(name) + 1 if name in classes else 0 for name in dataset.classes]
    new_label = np.array([0, *known])
    images = tuple(
        replace(image, labels=new_label[np.asarray(image.labels, dtype=np.int64)])
        for image in dataset.images
    )
    return replace(dataset, classes=tuple(classes), images=images)


def merge(data: TrainingData) -> Dataset:
    """Return training and validation images as one data set, for the final training."""
    return Dataset(
        data.train.classes,
        data.train.images + data.val.images,
        f"{data.train.source} + {data.val.source}",
    )
