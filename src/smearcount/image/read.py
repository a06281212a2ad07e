"""Opening an image: any file of a known type, as upright 8-bit RGB."""

from __future__ import annotations

import hashlib
import logging
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from smearcount.errors import ImageError
from smearcount.image.color import raster_of
from smearcount.image.file_types import (
    MAGIC_BYTES,
    PREVIEW_SUFFIXES,
    file_type,
    readable_types,
)
from smearcount.image.image import Pixels, Region, SmearImage
from smearcount.image.orientation import orientation_of, upright
from smearcount.image.raster import (
    BAND_ROWS,
    ArrayReader,
    Raster,
    check_size,
    half_reader,
    suppress_warnings,
)
from smearcount.sha256 import sha256_of_file

_log = logging.getLogger(__name__)


def open_image(source: str | PathLike[str] | Image.Image | NDArray[np.uint8]) -> SmearImage:
    """Open an image.

    A file is decoded here, once, so that damage shows at once. Up to 25 megapixels are kept in
    memory; of a larger image only a part is, and regions are read from a temporary file.

    Args:
        source: a path, a PIL image, or an RGB array of shape (height, width, 3), uint8, which
            must not be changed while the image is in use.

    Raises:
        ImageError: the file is missing, empty, damaged, too small or too large, or no image; or
            the array has another shape or type.

    Example:
        >>> from smearcount import open_image
        >>> open_image("smear.png").pixels().shape
        (480, 640, 3)
    """
    if isinstance(source, np.ndarray):
        return _from_array(source)
    if isinstance(source, Image.Image):
        return _from_pillow(source)
    return _from_file(os.fspath(source))


@dataclass(frozen=True)
class FileReader:
    """Reads regions of an image file by opening it anew, for an image whose pixels are not kept.

    Each call decodes the file; see :func:`reopened` for reading several regions.

    Attributes:
        path: the image file.
    """

    path: str

    def __call__(self, region: Region) -> Pixels:
        """Return the pixels of a region, shape (h, w, 3), uint8 RGB."""
        return open_image(self.path).read(region)


def reopened(image: SmearImage) -> SmearImage:
    """Return an image whose regions are read without decoding its file each time.

    Raises:
        ImageError: the file is gone, cannot be read, or has changed since it was opened first.
    """
    if not isinstance(image.read, FileReader):
        return image
    opened = open_image(image.read.path)
    if opened.sha256 != image.sha256:
        raise ImageError(f"{opened.name}: the file has changed since it was opened first.")
    return replace(image, read=opened.read, half=opened.half, reread=image.read)


def _from_file(name: str) -> SmearImage:
    try:
        if stat.S_ISFIFO(os.stat(name).st_mode):  # noqa: PTH116 (opening it would wait for ever)
            raise ImageError(f"{name}: this is a pipe, not a file; save the image to a file.")
        if Path(name).suffix.lower() in PREVIEW_SUFFIXES:
            raise ImageError(
                f"{name}: this file holds only a preview of a slide that is stored beside it; "
                "export the field itself as TIFF, PNG or JPEG."
            )
        with Path(name).open("rb") as handle:
            decode = _decoder(name, handle)
            digest = sha256_of_file(handle)
            handle.seek(0)
            raster = upright(_decoded(name, handle, decode))
    except FileNotFoundError:
        raise ImageError(f"{name}: there is no such file; check the path.") from None
    except IsADirectoryError:
        raise ImageError(f"{name}: this is a folder; name an image file.") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise ImageError(f"{name}: the file cannot be read ({reason}).") from None
    return SmearImage(
        name=name,
        width=raster.width,
        height=raster.height,
        sha256=digest,
        read=raster.read,
        pixel_size_um=raster.pixel_size_um,
        notes=raster.notes,
        half=raster.half,
        reread=FileReader(name),
    )


def _decoder(name: str, handle: IO[bytes]) -> Callable[[IO[bytes]], Raster]:
    """Return the decoder of a file by its first bytes."""
    start = handle.read(MAGIC_BYTES)
    handle.seek(0)
    if not start:
        raise ImageError(f"{name}: the file is empty; copy or save it again.")
    found = file_type(start)
    if found is None:
        raise ImageError(f"{name}: this is not an image that can be read; give {readable_types()}.")
    return found.decode


def _decoded(name: str, handle: IO[bytes], decode: Callable[[IO[bytes]], Raster]) -> Raster:
    try:
        with suppress_warnings():
            return decode(handle)
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from None
    except MemoryError:
        raise ImageError(f"{name}: there is not enough memory to decode it.") from None
    except Exception as error:  # decoders raise all kinds of errors for damaged bytes
        _log.debug("%s cannot be decoded", name, exc_info=error)
        raise ImageError(
            f"{name}: the file is cut short, damaged or of a kind that cannot be decoded; "
            f"copy it again, or save it as {readable_types()}."
        ) from None


def _from_pillow(picture: Image.Image) -> SmearImage:
    try:
        picture.load()  # Pillow turns a TIFF upright here, and drops its orientation
        raster = upright(raster_of(picture, orientation_of(picture)))
    except ImageError as error:
        raise ImageError(f"The PIL image cannot be used: {error}") from None
    except (OSError, ValueError, SyntaxError) as error:
        raise ImageError(f"The PIL image cannot be decoded ({error}).") from None
    return SmearImage(
        name="array",
        width=raster.width,
        height=raster.height,
        sha256=_pixel_digest(raster),
        read=raster.read,
        notes=raster.notes,
        half=raster.half,
    )


def _from_array(pixels: NDArray[np.uint8]) -> SmearImage:
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ImageError(
            f"The array has type {pixels.dtype} and shape {pixels.shape}; "
            "give uint8 RGB of shape (height, width, 3)."
        )
    height, width = pixels.shape[:2]
    try:
        check_size(width, height)
    except ImageError as error:
        raise ImageError(f"The array cannot be used: {error}") from None
    raster = Raster(width, height, ArrayReader(pixels))
    digest = _pixel_digest(raster)
    return SmearImage("array", width, height, digest, raster.read, half=half_reader(pixels))


def _pixel_digest(raster: Raster) -> str:
    """Return the SHA-256 of upright RGB pixels, band by band."""
    digest = hashlib.sha256()
    for top in range(0, raster.height, BAND_ROWS):
        bottom = min(top + BAND_ROWS, raster.height)
        digest.update(np.ascontiguousarray(raster.read((0, top, raster.width, bottom))).data)
    return digest.hexdigest()
