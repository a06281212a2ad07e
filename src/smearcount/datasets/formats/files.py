"""The files of a data set: find, measure and copy images, read text, write exact numbers."""

from __future__ import annotations

import filecmp
import os
import shutil
from pathlib import Path
from typing import Final

from PIL import Image, UnidentifiedImageError

from smearcount.datasets.dataset import Dataset
from smearcount.errors import DataError
from smearcount.image.file_types import SUFFIXES
from smearcount.image.orientation import orientation_of
from smearcount.image.raster import suppress_warnings

MAX_AREA: Final = 180_000_000
"""The largest image to train with, in pixels: training holds the whole of it in memory."""

SPLIT_FOLDERS: Final = ("test", "train", "val", "valid", "validation")
"""Names by which a folder inside a data set is taken for a split of it."""


def files_in(folder: Path, suffix: str, nested: bool = False) -> list[Path]:
    """Return the files in a folder with a suffix such as ``.xml``, in any case, sorted.

    Args:
        folder: where to look; it may be missing.
        suffix: in lower case, with its dot.
        nested: whether to look in its sub-folders, too.
    """
    return [path for path in _listed(folder, nested) if path.suffix.lower() == suffix]


def images_in(folder: Path, nested: bool = False) -> dict[str, Path]:
    """Return the images in a folder by their path in it without suffix, sorted by that path.

    Args:
        folder: where to look; it may be missing.
        nested: whether to look in its sub-folders, too.

    Raises:
        DataError: two images differ only in their suffix, so labels cannot tell them apart.
    """
    found: dict[str, Path] = {}
    for path in _listed(folder, nested):
        if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
            continue
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in found:
            raise DataError(
                f"{path}: {found[name].name} has the same name but for the suffix; "
                "rename one, or labels cannot tell them apart."
            )
        found[name] = path
    return found


def _listed(folder: Path, nested: bool) -> list[Path]:
    """Return the paths in a folder, sorted; none if it is missing.

    Raises:
        OSError: a folder may not be read; its files would be lost without a word.
    """
    if not folder.is_dir():
        return []
    if not nested:
        return sorted(folder.iterdir())

    def fail(error: OSError) -> None:
        raise error

    walk = os.walk(folder, onerror=fail)
    return sorted(Path(parent, name) for parent, _, names in walk for name in names)


def image_size(
    path: Path, declared: tuple[int, int] | None = None, annotation: str = ""
) -> tuple[int, int]:
    """Return width and height of an image in pixels, from its header, as it is shown upright.

    Args:
        path: the image file.
        declared: the size that the annotation file declares; None or zeros if it declares none.
        annotation: that annotation file, for the message.

    Raises:
        DataError: the image is missing, is not an image, or has another size than declared.
    """
    try:
        with suppress_warnings(), Image.open(path) as image:
            stored = image.size
            quarter_turn = orientation_of(image) in (5, 6, 7, 8)
    except FileNotFoundError:
        raise DataError(f"{path}: this image is missing; put it back or drop its labels.") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{path}: this is not an image that can be read ({error}).") from None
    if stored[0] * stored[1] > MAX_AREA:
        raise DataError(f"{path}: this image is too large to train with; cut it up.")
    width, height = stored[::-1] if quarter_turn else stored
    if declared is not None and all(declared) and tuple(declared) != (width, height):
        if declared == stored:
            raise DataError(
                f"{annotation or path}: it gives the size of {path.name} as it is stored, "
                f"{stored[0]}×{stored[1]} pixels, but its EXIF orientation turns it to "
                f"{width}×{height}; if the boxes fit it as stored, remove that tag from the image."
            )
        raise DataError(
            f"{annotation or path}: it says that {path.name} has {declared[0]}×{declared[1]} "
            f"pixels, but the image has {width}×{height}; restore the image or scale its boxes."
        )
    return width, height


def copy_images(dataset: Dataset, folder: Path, nested: bool = False) -> dict[Path, Path]:
    """Copy the images of a data set into one folder, where they are not there already.

    Args:
        dataset: its images are copied.
        folder: made if missing.
        nested: whether images of the same name are kept apart by the folders that they lie in;
            without, they are refused.

    Returns:
        the new place of each image of the data set, by its old place.

    Raises:
        DataError: two images would get the same name, or another image has it already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {image.path for image in dataset.images}
    same_names = len({path.stem for path in paths}) < len(paths)
    above = Path(os.path.commonpath([path.parent for path in paths])) if paths else folder
    copied: dict[Path, Path] = {}
    owners: dict[Path, Path] = {}
    for image in dataset.images:
        name = image.path.relative_to(above) if nested and same_names else Path(image.path.name)
        target = folder / name
        owner = owners.setdefault(target.with_suffix(""), image.path)
        if owner != image.path:
            raise DataError(f"{image.path}: {owner} has the same name; rename one of them.")
        if target.exists() and not target.samefile(image.path):
            if not filecmp.cmp(target, image.path, shallow=False):
                raise DataError(f"{target}: another image has this name; choose an empty folder.")
        elif not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(image.path, target)
        copied[image.path] = target
    return copied


def read_text(path: Path) -> str:
    """Read a UTF-8 text file, with or without the byte order mark that Windows puts first.

    Raises:
        DataError: it is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: byte {error.start + 1} is not UTF-8 text; save the file as UTF-8."
        ) from None


def exact_decimal(value: float) -> str:
    """Write a number so that it reads back exactly, whole numbers without a point."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))
