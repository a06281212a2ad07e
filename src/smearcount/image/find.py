"""Find the image files that a user names by files, folders and patterns."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from smearcount.errors import UsageError
from smearcount.image.file_types import OTHER_IMAGE_SUFFIXES, SUFFIXES, readable_suffixes

ANNOTATED: Final = "annotated"
"""The folder, inside the results of a batch, that holds the pictures drawn by this package."""


def find_images(paths: Sequence[str]) -> list[str]:
    """Return the image files that paths name, in the order of the paths, each once.

    A file is taken as it is, whatever it is called; a missing one too, so that its failure gets
    its own row. A folder is walked: its images and those of its sub-folders, sorted by name,
    without hidden ones and without the pictures of earlier results; a sub-folder that may not be
    read stands for its images, so that it gets a row, too. A pattern such as
    ``slides/*.png`` or ``**/*.tif`` stands for the images that match it.

    Args:
        paths: files, folders and patterns.

    Raises:
        UsageError: no path is given, or a folder or pattern holds no image.
    """
    if not paths:
        raise UsageError("Name at least one image file, folder or pattern.")
    found: dict[str, str] = {}
    for path in paths:
        for image in _named_by(path):
            found.setdefault(os.path.abspath(image), image)  # noqa: PTH100 (keeps links apart)
    return list(found.values())


def _named_by(path: str) -> list[str]:
    if os.path.isdir(path):  # noqa: PTH112 (Path.is_dir raises where nobody may look)
        images = list(_walk(path, _is_image))
        if not images:
            others = other_images([path])
            left_out = f", but {kinds(others)}, which cannot be read" if others else ""
            raise UsageError(
                f"{path}: this folder holds no image ({readable_suffixes()}){left_out}."
            )
        return images
    if glob.has_magic(path) and not os.path.exists(path):  # noqa: PTH110 (likewise)
        images = sorted(
            match
            for match in glob.glob(path, recursive=True)  # noqa: PTH207 (keeps the path as typed)
            if _is_image(match) and Path(match).is_file()
        )
        if not images:
            raise UsageError(f"{path}: no image matches this pattern ({readable_suffixes()}).")
        return images
    return [path]


def other_images(paths: Sequence[str]) -> list[str]:
    """Return the files in the folders among ``paths`` that look like images of unreadable types."""
    folders = [path for path in paths if os.path.isdir(path)]  # noqa: PTH112 (as above)
    walked = (file for folder in folders for file in _walk(folder, _is_other_image))
    return [file for file in walked if _is_other_image(file)]  # not the unreadable folders


def kinds(files: Sequence[str]) -> str:
    """Return how many files there are of each kind, in words: ``2 DNG and 1 HEIC``."""
    counts = Counter(Path(file).suffix[1:].upper() for file in files)
    named = [f"{number} {kind}" for kind, number in sorted(counts.items())]
    return " and ".join(filter(None, (", ".join(named[:-1]), named[-1])))


def _walk(folder: str, wanted: Callable[[str], bool]) -> Iterator[str]:
    """Yield the wanted files, and the folders that may not be read; links are followed once.

    Of a folder and a link to it side by side, the folder is taken.
    """
    unreadable: list[str] = []
    visited: set[str] = set()
    walk = os.walk(folder, onerror=lambda e: unreadable.append(e.filename), followlinks=True)
    for parent, folders, files in walk:
        real = os.path.realpath(parent)
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        inner = [name for name in folders if not name.startswith(".")]
        links = {name: os.path.islink(os.path.join(parent, name)) for name in inner}  # noqa: PTH114, PTH118
        folders[:] = sorted(inner, key=lambda name: (links[name], name))
        if parent != folder and _is_own_output(real):
            folders.clear()
            continue
        for name in sorted(files):
            if not name.startswith(".") and wanted(name):
                yield os.path.join(parent, name)  # noqa: PTH118 (keeps the path as typed)
    yield from unreadable


def _is_own_output(folder: str) -> bool:
    """Return whether a folder holds the pictures that this package drew in an earlier run."""
    path = Path(folder)
    return path.name == ANNOTATED and (path.parent / "counts.csv").is_file()


def _is_image(name: str) -> bool:
    return Path(name).suffix.lower() in SUFFIXES


def _is_other_image(name: str) -> bool:
    return Path(name).suffix.lower() in OTHER_IMAGE_SUFFIXES
