"""Write a data set into a folder, in any format of the table, images included."""

from __future__ import annotations

import os
from pathlib import Path

from smearcount.datasets.dataset import Dataset
from smearcount.datasets.formats.known_formats import format_to_write
from smearcount.errors import DataError


def write_dataset(
    dataset: Dataset, folder: str | os.PathLike[str], format: str, split: str | None = None
) -> None:
    """Write a data set into a folder, images included, beside the splits that it has already.

    Args:
        dataset: the images and boxes to write.
        folder: made if missing.
        format: the name of a format in :data:`smearcount.datasets.formats.known_formats.FORMATS`:
            ``coco`` writes ``SPLIT.bbox.json`` and ``images/``; ``voc`` and ``yolo`` their folders.
        split: such as ``train``; None writes all as one (COCO: ``all.bbox.json``).

    Raises:
        UsageError: there is no such format.
        DataError: two images have the same name, or the folder holds something else or cannot
            be made.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from smearcount.datasets import split_names, write_dataset
        >>> from smearcount.synthetic.dataset import draw_dataset
        >>> folder = Path(tempfile.mkdtemp())
        >>> write_dataset(draw_dataset(folder / "one", 2), folder / "yolo", "yolo", "train")
        >>> write_dataset(draw_dataset(folder / "two", 1, seed=2), folder / "yolo", "yolo", "val")
        >>> split_names(folder / "yolo")
        ('train', 'val')
    """
    target = Path(folder)
    form = format_to_write(format)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{target}: no folder can be made there ({error.strerror}).") from None
    assert form.write is not None
    form.write(dataset, target, split)
