"""Read annotated data sets: find the format of a path, its splits, and its images with boxes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from smearcount.datasets.archive import unpacked_beside
from smearcount.datasets.dataset import Dataset
from smearcount.datasets.formats.known_formats import FORMATS, Format
from smearcount.errors import DataError

_SAME_SPLIT: Final = (("val", "valid", "validation"), ("trainval", "trainvalid"))
"""Names that data sets use for one and the same split."""

_JOINED_SPLITS: Final = ("trainval", "trainvalid")
"""Splits that only join others."""


def read_dataset(path: str | os.PathLike[str], split: str | None = None) -> Dataset:
    """Read annotated images from a file or folder in any format of the table.

    The format is recognized from the content. Class names are brought to the package's own
    (``rbc``, ``Red_Blood_Cell`` and ``RBCs`` all become RBC); any other class keeps its name.

    Args:
        path: a COCO ``.json``; a folder in one of the layouts of
            :data:`smearcount.datasets.formats.known_formats.FORMATS`; a folder that holds only such
            a folder; or a ``.zip`` of one, which is unpacked beside itself into ``NAME.unpacked``.
        split: such as ``train``; ``val``, ``valid`` and ``validation`` mean the same, whichever
            the data set writes. None reads the whole folder.

    Returns:
        the data set, with every box as the files have it; see
        :func:`smearcount.datasets.clean_dataset`.

    Raises:
        DataError: something is missing or broken; the message names file, line and remedy.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from smearcount.datasets import read_dataset, write_dataset
        >>> from smearcount.synthetic.dataset import draw_dataset
        >>> folder = Path(tempfile.mkdtemp())
        >>> write_dataset(draw_dataset(folder / "drawn", 2), folder / "voc", "voc", "train")
        >>> dataset = read_dataset(folder / "voc", "train")
        >>> len(dataset), dataset.classes
        (2, ('WBC', 'RBC', 'Platelets'))
    """
    place, form = _find(Path(path))
    return form.read(place, _split_as_named_here(form.splits(place), split))


def split_names(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Return the names of a data set's splits, sorted; none for a file or an unsplit folder.

    Args:
        path: as for :func:`read_dataset`.

    Raises:
        DataError: there is no data set at ``path``.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from smearcount.datasets import split_names, write_dataset
        >>> from smearcount.synthetic.dataset import draw_dataset
        >>> folder = Path(tempfile.mkdtemp())
        >>> write_dataset(draw_dataset(folder / "drawn", 1), folder / "coco", "coco", "train")
        >>> split_names(folder / "coco")
        ('train',)
    """
    place, form = _find(Path(path))
    return form.splits(place)


def disjoint_split_names(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Return the names of the splits without those that only join others, such as ``trainval``.

    Args:
        path: as for :func:`read_dataset`.

    Raises:
        DataError: there is no data set at ``path``.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from smearcount.datasets import disjoint_split_names, write_dataset
        >>> from smearcount.synthetic.dataset import draw_dataset
        >>> folder = Path(tempfile.mkdtemp())
        >>> for split in ("train", "trainval"):
        ...     write_dataset(draw_dataset(folder / "drawn", 1), folder / "coco", "coco", split)
        >>> disjoint_split_names(folder / "coco")
        ('train',)
    """
    names = split_names(path)
    return tuple(name for name in names if "train" not in names or name not in _JOINED_SPLITS)


def _find(path: Path) -> tuple[Path, Format]:
    """Return the file or folder of the data set, and its format.

    It is ``path`` itself, or the only data set directly below it.
    """
    if path.is_file() and path.suffix.lower() == ".zip":
        path = unpacked_beside(path)
    if (form := _format_of(path)) is not None:
        return path, form
    if not path.is_dir():
        raise DataError(f"{path}: there is no such folder or .json file; check the path.")
    folders = [folder for folder in sorted(path.iterdir()) if folder.is_dir()]
    below = [(folder, form) for folder in folders if (form := _format_of(folder)) is not None]
    if len(below) == 1:
        return below[0]
    if below:
        names = ", ".join(folder.name for folder, _ in below)
        raise DataError(f"{path}: it holds several data sets; name one of {names}.")
    layouts = ", or ".join(f"{form.layout} ({form.title})" for form in FORMATS)
    raise DataError(f"{path}: no data set found; it needs {layouts}.")


def _format_of(path: Path) -> Format | None:
    return next((form for form in FORMATS if form.detect(path)), None)


def _split_as_named_here(names: tuple[str, ...], split: str | None) -> str | None:
    """Return the name that this data set uses for a split."""
    if split is None or split in names:
        return split
    same = next((group for group in _SAME_SPLIT if split in group), ())
    return next((name for name in same if name in names), split)
