"""The course exercise's data: 50, 20 and 20 images of BCCD in the layout that it uses.

The split is a list of names kept in ``exercise/``: 50 images of BCCD's official train list, 20 and
20 of its official val list, drawn once with a seed from the images that have red cell labels, no
faulty box and no near-duplicate in another part.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Final

from smearcount.datasets.read import Dataset, clean, read_dataset, write_dataset
from smearcount.errors import DataError

PARTS: Final = ("train", "valid", "test")


def exercise_names(part: str) -> tuple[str, ...]:
    """Return the names, without suffix, of the images of ``train``, ``valid`` or ``test``."""
    text = (files("smearcount.datasets") / "exercise" / f"{part}.txt").read_text(encoding="utf-8")
    return tuple(text.split())


def write_exercise(bccd: Path, folder: Path) -> dict[str, int]:
    """Write the exercise's layout, which ``torchvision.datasets.CocoDetection`` reads.

    It is ``images/``, ``train.bbox.json``, ``valid.bbox.json``, ``trainvalid.bbox.json`` and
    ``test.bbox.json``: COCO with the category ids 1 WBC, 2 RBC and 3 Platelets.

    Args:
        bccd: the public BCCD folder, as ``smearcount data fetch bccd`` leaves it.
        folder: made if missing.

    Returns:
        how many images each file lists.

    Raises:
        DataError: ``bccd`` is not BCCD, or lacks images of the exercise.
    """
    whole = clean(read_dataset(bccd))
    parts = {part: _chosen(whole, exercise_names(part)) for part in PARTS}
    both = (*parts["train"].images, *parts["valid"].images)
    parts["trainvalid"] = replace(whole, images=both)
    for part, dataset in parts.items():
        write_dataset(dataset, folder, "coco", part)
    return {part: len(dataset) for part, dataset in parts.items()}


def _chosen(whole: Dataset, names: tuple[str, ...]) -> Dataset:
    by_name = {image.path.stem: image for image in whole.images}
    for name in names:
        if name not in by_name:
            raise DataError(
                f"{whole.source}: {name} is missing; fetch the whole of BCCD with "
                "smearcount data fetch bccd."
            )
    return replace(whole, images=tuple(by_name[name] for name in names))
