"""Decoded pixels as they lie in a file, before orientation: in memory, or spooled to disk."""

from __future__ import annotations

import errno
import functools
import os
import shutil
import tempfile
import threading
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray
from PIL import Image

from smearcount.errors import ImageError
from smearcount.image.image import Region

LARGE_PIXELS: Final = 25_000_000
"""Images with more pixels are not kept in memory as RGB."""

SMALLEST_SIDE: Final = 16
"""In pixels; a smaller picture shows no cell."""

LARGEST_AREA: Final = 400_000_000
"""In pixels; a larger image is refused before any of its pixels are decoded."""

FIRST_OF: Final = "the first of"
"""How the note on a file with several pages begins."""

BAND_ROWS: Final = 256
"""Rows handled at once where a large image is converted."""

ReadRegion = Callable[[Region], NDArray[np.uint8]]
"""Returns the pixels of a region, shape (h, w, 3), uint8 RGB."""


@dataclass(frozen=True, eq=False)
class Raster:
    """The pixels of one file in the order in which they are stored.

    Attributes:
        width: in stored pixels.
        height: in stored pixels.
        read: returns the pixels of a region.
        orientation: the EXIF orientation, 1 to 8, that is still to be applied.
        pixel_size_um: micrometres per pixel if the file says so.
        notes: what was done to the pixels.
        half: returns the pixels of a region of the picture at half its size; see ``SmearImage``.
    """

    width: int
    height: int
    read: ReadRegion = field(repr=False)
    orientation: int = 1
    pixel_size_um: float | None = None
    notes: tuple[str, ...] = ()
    half: ReadRegion | None = field(default=None, repr=False)


_decoding = threading.Lock()
_decoders_active = 0
_filters = warnings.catch_warnings()


@contextmanager
def suppress_warnings() -> Iterator[None]:
    """Suppress the warnings of decoders, about odd metadata that is not used, in several threads.

    Python keeps one list of warning filters for the whole process: the first thread that enters
    puts it aside and the last one that leaves restores it. It may be entered inside itself.
    """
    global _decoders_active, _filters
    with _decoding:
        _decoders_active += 1
        if _decoders_active == 1:
            _filters = warnings.catch_warnings()
            _filters.__enter__()
            warnings.simplefilter("ignore")
    try:
        yield
    finally:
        with _decoding:
            _decoders_active -= 1
            if not _decoders_active:
                _filters.__exit__(None, None, None)


def check_size(width: int, height: int) -> None:
    """Refuse sizes at which nothing can be counted.

    Raises:
        ImageError: a side is under 16 px, or the area above 400 megapixels.
    """
    if min(width, height) < SMALLEST_SIDE:
        raise ImageError(
            f"it has {width} × {height} pixels, too few to show a cell; give at least "
            f"{SMALLEST_SIDE} × {SMALLEST_SIDE}."
        )
    if width * height > LARGEST_AREA:
        raise ImageError(
            f"it has {width:,} × {height:,} pixels, more than {LARGEST_AREA // 1_000_000} "
            "megapixels; cut it into smaller pictures."
        )


def reading(pixels: NDArray[np.uint8]) -> ReadRegion:
    """Return a reader of pixels in memory, shape (h, w, 3); what it returns is a view."""

    def read(region: Region) -> NDArray[np.uint8]:
        left, top, right, bottom = region
        return pixels[top:bottom, left:right]

    return read


def halving(pixels: NDArray[np.uint8]) -> ReadRegion:
    """Return a reader of pixels in memory at half their size, averaged when first asked for."""

    @functools.cache
    def halved() -> NDArray[np.uint8]:
        return np.asarray(Image.fromarray(pixels).reduce(2))

    return lambda region: reading(halved())(region)


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF orientation of an opened image; 1, upright, where its EXIF is damaged."""
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # the parser of foreign bytes raises whatever it meets
        return 1


def first_of(pages: int, raster: Raster) -> Raster:
    """Return the raster with a note if its file holds further pages or frames."""
    if pages <= 1:
        return raster
    return replace(raster, notes=(f"{FIRST_OF} {pages} pages", *raster.notes))


def upright(raster: Raster) -> Raster:
    """Return the raster turned and mirrored as its EXIF orientation asks."""
    if raster.orientation == 1:
        return raster
    width, height = raster.width, raster.height
    if raster.orientation in (5, 6, 7, 8):
        width, height = height, width
    half = None
    if raster.half and not width % 2 and not height % 2:  # else the pairs would be others
        half = _turned(raster.half, raster.orientation, width // 2, height // 2)
    return replace(
        raster,
        width=width,
        height=height,
        read=_turned(raster.read, raster.orientation, width, height),
        orientation=1,
        half=half,
    )


def _turned(stored: ReadRegion, orientation: int, width: int, height: int) -> ReadRegion:
    """Return a reader of the upright picture, ``width`` by ``height``, from that of the stored."""
    turned = orientation in (5, 6, 7, 8)
    mirror_x = orientation in (2, 3, 6, 7)
    mirror_y = orientation in (3, 4, 7, 8)

    def read(region: Region) -> NDArray[np.uint8]:
        left, top, right, bottom = region
        if mirror_x:
            left, right = width - right, width - left
        if mirror_y:
            top, bottom = height - bottom, height - top
        if turned:
            left, top, right, bottom = top, left, bottom, right
        pixels = stored((left, top, right, bottom))
        if turned:
            pixels = pixels.swapaxes(0, 1)
        return np.ascontiguousarray(pixels[:: -1 if mirror_y else 1, :: -1 if mirror_x else 1])

    return read


class Spool:
    """Pixels in a temporary file, which vanishes with this object.

    The file is mapped into memory only while a region is read or written, so that pages already
    done with do not count as memory of this process.
    """

    def __init__(
        self, width: int, height: int, channels: int = 3, dtype: DTypeLike = np.uint8
    ) -> None:
        self._shape = (height, width, channels)
        self._dtype: np.dtype[Any] = np.dtype(dtype)
        size = height * width * channels * self._dtype.itemsize
        if shutil.disk_usage(tempfile.gettempdir()).free < size:
            raise self._no_room(size)
        self._file = tempfile.TemporaryFile(prefix="smearcount-")  # noqa: SIM115 (it lives on)
        weakref.finalize(self, self._file.close)
        try:  # the room is taken now: a page that finds none when it is written kills the process
            os.posix_fallocate(self._file.fileno(), 0, size)
        except (AttributeError, OSError) as error:
            if getattr(error, "errno", 0) == errno.ENOSPC:
                raise self._no_room(size) from None
            self._file.truncate(size)  # this system cannot take it now

    @staticmethod
    def _no_room(size: int) -> ImageError:
        return ImageError(
            f"it needs {size / 1e6:.0f} MB of temporary space in {tempfile.gettempdir()}; "
            "free some, or set TMPDIR to a folder with room."
        )

    def mapped(self) -> NDArray[Any]:
        """Return the pixels, shape (height, width, channels), to write; let go of it soon."""
        return np.memmap(self._file, self._dtype, mode="r+", shape=self._shape)

    def read(self, region: Region) -> NDArray[Any]:
        """Return a copy of the pixels of a region, shape (h, w, channels)."""
        left, top, right, bottom = region
        stored = np.memmap(self._file, self._dtype, mode="r", shape=self._shape)
        return np.array(stored[top:bottom, left:right])
