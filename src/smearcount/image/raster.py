"""Decoded pixels in the order of the file, in memory or in a temporary file on disk.

The decoder of each file type returns a :class:`Raster`.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import threading
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray
from PIL import Image

from smearcount.errors import ImageError
from smearcount.image.image import Pixels, Region, RegionReader

LARGE_PIXELS: Final = 25_000_000
"""Images with more pixels are not kept in memory as RGB."""

MIN_SIDE: Final = 16
"""In pixels; a smaller image shows no cell."""

MAX_AREA: Final = 400_000_000
"""In pixels; a larger image is refused before any of its pixels are decoded."""

FIRST_OF: Final = "the first of"
"""How the note on a file with several pages begins."""

BAND_ROWS: Final = 256
"""Rows handled at once where a large image is converted."""


@dataclass(frozen=True, eq=False)
class Raster:
    """The pixels of one file in the order in which they are stored.

    Attributes:
        width: in stored pixels.
        height: in stored pixels.
        read: returns the pixels of a region.
        orientation: the EXIF orientation, 1 to 8, that is still to be applied.
        pixel_size_um: micrometers per pixel if the file says so.
        notes: what was done to the pixels.
        half: returns the pixels of a region of the image at half its size; see ``SmearImage``.
    """

    width: int
    height: int
    read: RegionReader = field(repr=False)
    orientation: int = 1
    pixel_size_um: float | None = None
    notes: tuple[str, ...] = ()
    half: RegionReader | None = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class ArrayReader:
    """Reads regions of pixels in memory; what it returns is a view of them.

    Attributes:
        pixels: shape (h, w, 3), uint8.
    """

    pixels: Pixels

    def __call__(self, region: Region) -> Pixels:
        """Return the pixels of a region."""
        left, top, right, bottom = region
        return self.pixels[top:bottom, left:right]


class LazyReader:
    """Reads regions of pixels that are computed when the first region is read, and then kept.

    Args:
        compute: returns all pixels, shape (h, w, 3), uint8.
    """

    def __init__(self, compute: Callable[[], Pixels]) -> None:
        self._compute = compute
        self._pixels: Pixels | None = None

    def __call__(self, region: Region) -> Pixels:
        """Return the pixels of a region."""
        if self._pixels is None:
            self._pixels = self._compute()
        return ArrayReader(self._pixels)(region)


def half_reader(pixels: Pixels) -> LazyReader:
    """Return a reader of pixels in memory at half their size, each the mean of four."""
    return LazyReader(partial(_halve, pixels))


def _halve(pixels: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(pixels).reduce(2))


def check_size(width: int, height: int) -> None:
    """Refuse sizes at which nothing can be counted.

    Raises:
        ImageError: a side is under 16 px, or the area above 400 megapixels.
    """
    if min(width, height) < MIN_SIDE:
        raise ImageError(
            f"it has {width} × {height} pixels, too few to show a cell; give at least "
            f"{MIN_SIDE} × {MIN_SIDE}."
        )
    if width * height > MAX_AREA:
        raise ImageError(
            f"it has {width:,} × {height:,} pixels, more than {MAX_AREA // 1_000_000} "
            "megapixels; cut it into smaller pictures."
        )


def first_of(pages: int, raster: Raster) -> Raster:
    """Return the raster with a note if its file holds further pages or frames."""
    if pages <= 1:
        return raster
    return replace(raster, notes=(f"{FIRST_OF} {pages} pages", *raster.notes))


class Spool:
    """Pixels in a temporary file, which is deleted together with this object.

    The file is mapped into memory only while a region is read or written, so that pages already
    done with do not count as memory of this process.

    Args:
        width: in pixels.
        height: in pixels.
        channels: samples per pixel.
        dtype: of each sample.

    Raises:
        ImageError: there is no room on the disk for temporary files.
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
        try:  # reserve the room now: a full disk at a later page write would kill the process
            os.posix_fallocate(self._file.fileno(), 0, size)
        except (AttributeError, OSError) as error:
            if getattr(error, "errno", 0) == errno.ENOSPC:
                raise self._no_room(size) from None
            self._file.truncate(size)  # this system cannot reserve room

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

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the pixels; they get a temporary file of their own where they are unpickled."""
        height, width, _ = self._shape
        return _spool_of, (self.read((0, 0, width, height)),)


def _spool_of(pixels: NDArray[Any]) -> Spool:
    height, width, channels = pixels.shape
    spool = Spool(width, height, channels, pixels.dtype)
    spool.mapped()[:] = pixels
    return spool


class _WarningFilters:
    """The warning filters of the process, and Pillow's limit, while any thread decodes."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.threads_inside = 0
        self.saved = warnings.catch_warnings()
        self.saved_limit = Image.MAX_IMAGE_PIXELS


_FILTERS: Final = _WarningFilters()


@contextmanager
def suppress_warnings() -> Iterator[None]:
    """Suppress warnings while decoding: they are about odd metadata that is not used.

    Pillow's limit on the size of images is lifted, too: :func:`check_size` has its own.

    Python keeps one list of warning filters for the whole process. So the first thread that enters
    saves it and the last one that leaves restores it. It may be entered inside itself.
    """
    with _FILTERS.lock:
        _FILTERS.threads_inside += 1
        if _FILTERS.threads_inside == 1:
            _FILTERS.saved = warnings.catch_warnings()
            _FILTERS.saved.__enter__()
            warnings.simplefilter("ignore")
            _FILTERS.saved_limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        with _FILTERS.lock:
            _FILTERS.threads_inside -= 1
            if not _FILTERS.threads_inside:
                _FILTERS.saved.__exit__(None, None, None)
                Image.MAX_IMAGE_PIXELS = _FILTERS.saved_limit
