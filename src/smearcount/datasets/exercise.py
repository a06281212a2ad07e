"""The course exercise's data: 50, 20 and 20 images of BCCD in the layout that it uses.

The split is fixed by lists of names, ``public/exercise-PART.txt``: 50 images of BCCD's official
train list, 20 and 20 of its official val list, drawn once with a seed from the images that have
red cell labels, no faulty box and no near-duplicate in another part.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Final

from smearcount.datasets.clean import clean_dataset
from smearcount.datasets.dataset import Dataset
from smearcount.datasets.read import read_dataset
from smearcount.datasets.write import write_dataset
from smearcount.errors import DataError

EXERCISE_SPLITS: Final = ("train", "valid", "test")


def exercise_names(split: str) -> tuple[str, ...]:
    """Return the names, without suffix, of the images of ``train``, ``valid`` or ``test``."""
    path = files("smearcount.datasets") / "public" / f"exercise-{split}.txt"
    return tuple(path.read_text(encoding="utf-8").split())


def write_exercise(bccd: Path, folder: Path) -> dict[str, int]:
    """Write the exercise's layout, which ``torchvision.datasets.CocoDetection`` reads.

    It is ``images/``, ``train.bbox.json``, ``valid.bbox.json``, ``trainvalid.bbox.json`` and
    ``test.bbox.json``: COCO with the category ids 1 WBC, 2 RBC and 3 Platelets. The root of all
    four is ``folder``: a ``file_name`` is ``images/NAME.jpg``.

    Args:
        bccd: the folder of the public BCCD; see :func:`smearcount.datasets.fetch`.
        folder: made if missing.

    Returns:
        how many images each file lists.

    Raises:
        DataError: ``bccd`` is not BCCD, or lacks images of the exercise.
    """
    everything = clean_dataset(read_dataset(bccd))
    splits = {split: _chosen(everything, exercise_names(split)) for split in EXERCISE_SPLITS}
    both = (*splits["train"].images, *splits["valid"].images)
    splits["trainvalid"] = replace(everything, images=both)
    for split, dataset in splits.items():
        write_dataset(dataset, folder, "coco", split)
    return {split: len(dataset) for split, dataset in splits.items()}


def _chosen(dataset: Dataset, names: tuple[str, ...]) -> Dataset:
    by_name = {image.path.stem: image for image in dataset.images}
    for name in names:
        if name not in by_name:
            raise DataError(f"{dataset.source}: {name} is missing; fetch the whole of BCCD anew.")
    return replace(dataset, images=tuple(by_name[name] for name in names))
