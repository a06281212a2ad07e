"""What a training learns from and what it is measured on, read and put in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from smearcount.datasets.clean import clean_dataset
from smearcount.datasets.dataset import Dataset
from smearcount.datasets.near_duplicates import without_duplicates_of
from smearcount.datasets.read import read_dataset, split_names
from smearcount.errors import DataError, UsageError


@dataclass(frozen=True)
class DataChoice:
    """Where training and validation images come from, as it was asked for.

    Attributes:
        data: a COCO file, or the folder of a VOC or YOLO data set.
        val: the same for validation; None takes another split of ``data``.
        split: the split of ``data`` to learn from; None: ``train`` of a folder, all of a file.
        val_split: the split to validate on; None: ``val`` of a folder, all of a file.
    """

    data: str
    val: str | None = None
    split: str | None = None
    val_split: str | None = None


@dataclass(frozen=True)
class TrainingData:
    """Cleaned images of both kinds, with one list of classes and no photograph in common.

    Attributes:
        train: to learn from.
        val: to validate on.
        dropped: how many validation images nearly duplicate a training image and were left out.
    """

    train: Dataset
    val: Dataset
    dropped: int


def read_training_data(choice: DataChoice) -> TrainingData:
    """Read, clean and separate the images of a training.

    Raises:
        UsageError: there is nothing to validate on.
        DataError: a data set is broken, the two have different classes, or every validation
            image is a training image too.
    """
    if choice.val is None and choice.val_split is None and not split_names(choice.data):
        raise UsageError(
            f"{choice.data}: it has no splits; name images to validate on by --val DATA."
        )
    train = _read(choice.data, choice.split, "train")
    _refuse_empty(train, "to learn from")
    val = _read(choice.val or choice.data, choice.val_split, "val")
    _refuse_empty(val, "to validate on")
    val = with_classes(val, train.classes)
    kept = without_duplicates_of(val, train)
    if not kept.images:
        raise DataError(
            f"{val.source}: every image to validate on shows the picture of one to learn from; "
            "name other images by --val or --val-split."
        )
    _refuse_empty(kept, "to validate on")
    return TrainingData(train, kept, len(val.images) - len(kept.images))


def _refuse_empty(dataset: Dataset, purpose: str) -> None:
    """Raise where there is no image, or no cell in any."""
    if not dataset.images:
        raise DataError(f"{dataset.source}: there is no image {purpose}; check the split.")
    if not any(len(image) for image in dataset.images):
        raise DataError(f"{dataset.source}: no cell is labelled in any image {purpose}.")


def _read(path: str, split: str | None, usual: str) -> Dataset:
    wanted = split or (usual if split_names(path) else None)
    return clean_dataset(read_dataset(path, wanted))


def with_classes(dataset: Dataset, classes: Sequence[str]) -> Dataset:
    """Return a data set whose labels count in ``classes``.

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


def joined(data: TrainingData) -> Dataset:
    """Return training and validation images as one data set, for the final training."""
    return Dataset(
        data.train.classes,
        data.train.images + data.val.images,
        f"{data.train.source} + {data.val.source}",
    )
