"""Opening an image: any file that people have, turned into upright 8-bit RGB."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import IO, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.WebPImagePlugin import WebPImageFile

from smearcount.errors import ImageError
from smearcount.image.color import raster_of
from smearcount.image.image import Pixels, Region, SmearImage
from smearcount.image.jpeg import decode_jpeg
from smearcount.image.png import decode_png
from smearcount.image.raster import (
    BAND_ROWS,
    Raster,
    check_size,
    first_of,
    halving,
    orientation_of,
    reading,
    suppress_warnings,
    upright,
)
from smearcount.image.tiff import decode_tiff
from smearcount.sha256 import sha256_of_file

READABLE: Final = "JPEG, PNG, TIFF, BMP or WebP"


def open_image(source: str | PathLike[str] | Image.Image | NDArray[np.uint8]) -> SmearImage:
    """Open an image.

    A file is decoded here, once, so that damage shows at once. Up to 25 megapixels are kept in
    memory; of larger ones only a part is, and regions are read from a temporary file.

    Args:
        source: a path, a PIL image, or an RGB array of shape (height, width, 3), uint8, which
            must not be changed while the image is in use.

    Raises:
        ImageError: the file is missing, empty, damaged, too small or too large, or no image; or
            the array has another shape or type.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source)
    if isinstance(source, Image.Image):
        return _from_pillow(source)
    return _from_file(os.fspath(source))


@dataclass(frozen=True)
class FileReader:
    """Reads regions of an image file by opening it anew, for an image that is no longer in memory.

    Each call decodes the whole file; see :func:`reopened` for several regions.

    Attributes:
        path: the image file.
    """

    path: str

    def __call__(self, region: Region) -> Pixels:
        """Return the pixels of a region, shape (height, width, 3), uint8 RGB."""
        return open_image(self.path).read(region)


def reopened(image: SmearImage) -> SmearImage:
    """Return an image whose regions are read without decoding its file each time.

    Raises:
        ImageError: the file is gone or no longer readable.
    """
    if not isinstance(image.read, FileReader):
        return image
    opened = open_image(image.read.path)
    return replace(image, read=opened.read, half=opened.half)


def _from_file(name: str) -> SmearImage:
    try:
        if stat.S_ISFIFO(os.stat(name).st_mode):  # noqa: PTH116 (opening it would wait for ever)
            raise ImageError(f"{name}: this is a pipe, not a file; save the image to a file.")
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
    )


def _decoder(name: str, handle: IO[bytes]) -> Callable[[IO[bytes]], Raster]:
    """Choose a decoder by the first bytes of a file, and refuse sizes that make no sense."""
    start = handle.read(33)
    handle.seek(0)
    if not start:
        raise ImageError(f"{name}: the file is empty; copy or save it again.")
    if start.startswith(b"\xff\xd8\xff"):
        return decode_jpeg
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return decode_png
    if start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return decode_tiff
    if start.startswith(b"BM"):
        return lambda file: raster_of(BmpImageFile(file))
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return _decode_webp
    raise ImageError(f"{name}: this is not an image that can be read; give {READABLE}.")


def _decode_webp(handle: IO[bytes]) -> Raster:
    image = WebPImageFile(handle)
    return first_of(image.n_frames, raster_of(image, orientation_of(image)))


def _decoded(name: str, handle: IO[bytes], decode: Callable[[IO[bytes]], Raster]) -> Raster:
    try:
        with suppress_warnings():
            return decode(handle)
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from None
    except MemoryError:
        raise ImageError(f"{name}: there is not enough memory to decode it.") from None
    except Exception as error:  # decoders of foreign bytes raise whatever they meet
        reason = str(error).strip().rstrip(".") or type(error).__name__
        raise ImageError(
            f"{name}: the file is cut short, damaged or of a kind that cannot be decoded "
            f"({reason}); copy it again, or save it as {READABLE}."
        ) from None


def _from_pillow(picture: Image.Image) -> SmearImage:
    try:
        picture.load()  # a TIFF turns itself upright here, and forgets its orientation
        raster = upright(raster_of(picture, orientation_of(picture)))
    except ImageError as error:
        raise ImageError(f"The PIL image cannot be used: {error}") from None
    except (OSError, ValueError, SyntaxError) as error:
        raise ImageError(f"The PIL image cannot be decoded ({error}).") from None
    return SmearImage(
        name="array",
        width=raster.width,
        height=raster.height,
        sha256=_digest(raster),
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
    raster = Raster(width, height, reading(pixels))
    digest = _digest(raster)
    return SmearImage("array", width, height, digest, raster.read, half=halving(pixels))


def _digest(raster: Raster) -> str:
    """Return the SHA-256 of upright RGB pixels, band by band."""
    digest = hashlib.sha256()
    for top in range(0, raster.height, BAND_ROWS):
        bottom = min(top + BAND_ROWS, raster.height)
        digest.update(np.ascontiguousarray(raster.read((0, top, raster.width, bottom))).data)
    return digest.hexdigest()
