"""Class names and image files as data sets write them, brought to one form."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from PIL import Image, UnidentifiedImageError

from smearcount.classes import CLASS_NAMES, canonical_name
from smearcount.errors import DataError

IMAGE_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
"""What counts as an image beside a label file, in the order of preference."""


def order_classes(names: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct canonical names, the package's three first and in their order.

    Args:
        names: class names as the data set writes and orders them.
    """
    canonical = list(dict.fromkeys(canonical_name(name) for name in names))
    ours = [name for name in CLASS_NAMES if name in canonical]
    return (*ours, *(name for name in canonical if name not in CLASS_NAMES))


def images_in(folder: Path) -> dict[str, Path]:
    """Return the images directly in a folder by their stem, sorted by name.

    Raises:
        DataError: two images differ only in their suffix, so labels cannot tell them apart.
    """
    found: dict[str, Path] = {}
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() not in IMAGE_SUFFIXES or path.name.startswith("."):
                continue
            if path.stem in found:
                raise DataError(
                    f"{path}: {found[path.stem].name} has the same name but for the suffix; "
                    "rename one, or labels cannot tell them apart."
                )
            found[path.stem] = path
    return found


def image_size(
    path: Path, declared: tuple[int, int] | None = None, by: str = ""
) -> tuple[int, int]:
    """Return width and height of an image in pixels, from its header, as it is shown upright.

    Args:
        path: the image file.
        declared: the size that the annotation file tells; None or zeros if it tells none.
        by: the annotation file, for the message.

    Raises:
        DataError: the image is missing, is not an image, or has another size than declared.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                width, height = image.size
                if image.getexif().get(0x0112, 1) in (5, 6, 7, 8):  # turned by a quarter
                    width, height = height, width
    except FileNotFoundError:
        raise DataError(f"{path}: this image is missing; put it back or drop its labels.") from None
    except Image.DecompressionBombError:
        raise DataError(f"{path}: this image is too large to train with; cut it up.") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{path}: this is not an image that can be read ({error}).") from None
    if declared is not None and all(declared) and tuple(declared) != (width, height):
        raise DataError(
            f"{by or path}: it says that {path.name} has {declared[0]}×{declared[1]} pixels, but "
            f"the image has {width}×{height}; restore the image or scale its boxes."
        )
    return width, height
