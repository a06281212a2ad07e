"""TIFF files: 8 and 16 bits, the first page of several, in memory or strip by strip."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL.TiffImagePlugin import TiffImageFile

from smearcount.image.color import (
    raster_of,
    scaling_note,
    to_eight_bits,
    upper_bits,
    white_level,
)
from smearcount.image.image import Pixels, Region
from smearcount.image.pixel_size import tiff_pixel_size
from smearcount.image.raster import BAND_ROWS, LARGE_PIXELS, Raster, Spool, check_size, first_of

if TYPE_CHECKING:
    import tifffile

_WHITE_IS_ZERO: Final = 0
_BLACK_IS_ZERO: Final = 1
_RGB: Final = 2
_INTERLEAVED: Final = 1
_WITH_ALPHA: Final = 2
_TRANSPARENCY: Final = (1, 2)
_READ_AHEAD: Final = 1 << 23


def decode_tiff(handle: IO[bytes]) -> Raster:
    """Decode the first page of a TIFF file.

    Deep or large pages that are uncompressed, deflated or packed are decoded piece by piece with
    tifffile; the others with Pillow, within the memory that it takes.
    """
    import tifffile

    logging.getLogger("tifffile").addHandler(logging.NullHandler())
    with tifffile.TiffFile(handle) as file:
        page = file.pages[0].aspage()
        check_size(page.imagewidth, page.imagelength)
        pages = len(file.pages)
        size = _pixel_size(page)
        deep = page.dtype != np.uint8
        if not deep and page.imagewidth * page.imagelength <= LARGE_PIXELS:
            raster = _with_pillow(handle)
        elif _is_plain(page):
            raster = _by_pieces(page, handle)
        else:
            raster = _with_pillow(handle)
            if page.dtype == np.uint16 and page.samplesperpixel > _WITH_ALPHA:
                raster = upper_bits(raster)
    return first_of(pages, replace(raster, pixel_size_um=size))


def _with_pillow(handle: IO[bytes]) -> Raster:
    """Decode with Pillow, which applies the orientation itself."""
    handle.seek(0)
    image = TiffImageFile(handle)
    image.load()
    return raster_of(image)


def _is_plain(page: tifffile.TiffPage) -> bool:
    """Return whether tifffile can decode the page here, to gray or RGB of 8 or 16 bits."""
    import tifffile

    none = tifffile.COMPRESSION.NONE
    deflate = (tifffile.COMPRESSION.ADOBE_DEFLATE, tifffile.COMPRESSION.DEFLATE)
    return (
        page.dtype in (np.uint8, np.uint16)
        and page.compression in (none, *deflate, tifffile.COMPRESSION.PACKBITS)
        and page.predictor in (1, 2)
        and page.photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB)
        and page.imagedepth == 1
    )


def _by_pieces(page: tifffile.TiffPage, handle: IO[bytes]) -> Raster:
    width, height, samples = page.imagewidth, page.imagelength, page.samplesperpixel
    photometric, extra = int(page.photometric), tuple(int(kind) for kind in page.extrasamples)
    colors = 3 if photometric == _RGB else 1
    largest = 0
    spool = Spool(width, height, samples, page.dtype)
    for values, plane, top, left in _pieces(page, handle):
        rows, columns = min(values.shape[0], height - top), min(values.shape[1], width - left)
        kept = values[:rows, :columns]
        channels = slice(plane, plane + values.shape[2])
        spool.mapped()[top : top + rows, left : left + columns, channels] = kept
        largest = max(largest, int(kept[:, :, : max(0, colors - plane)].max(initial=0)))
    white = white_level(largest) if page.dtype == np.uint16 else None

    read = _SampleReader(spool, photometric, extra, white)
    orientation = page.tags.valueof(274, default=1)
    notes = (scaling_note(white),) if white else ()
    return Raster(width, height, read, int(orientation), notes=notes)


@dataclass(frozen=True, eq=False)
class _SampleReader:
    """Reads regions of spooled TIFF samples, each converted to RGB when it is read."""

    spool: Spool
    photometric: int
    extra: tuple[int, ...]
    white: int | None

    def __call__(self, region: Region) -> Pixels:
        return _as_rgb(self.spool.read(region), self.photometric, self.extra, self.white)


def _pieces(
    page: tifffile.TiffPage, handle: IO[bytes]
) -> Iterator[tuple[NDArray[Any], int, int, int]]:
    """Yield the page in pieces: samples (h, w, n), their first channel, top and left."""
    if page.is_memmappable and page.planarconfig == _INTERLEAVED:
        shape = (page.imagelength, page.imagewidth, page.samplesperpixel)
        dtype = page.dtype.newbyteorder(page.parent.byteorder)
        for top in range(0, shape[0], BAND_ROWS):
            stored = np.memmap(handle, dtype, "r", int(page.dataoffsets[0]), shape)
            yield np.array(stored[top : top + BAND_ROWS]), 0, top, 0
        return
    for values, (plane, _, top, left, _), _ in page.segments(maxworkers=1, buffersize=_READ_AHEAD):
        if values is not None:
            yield values[0], plane, top, left


def _as_rgb(
    values: NDArray[Any], photometric: int, extra: tuple[int, ...], white: int | None
) -> NDArray[np.uint8]:
    """Turn stored samples, shape (h, w, samples), into RGB."""
    eight = values if white is None else to_eight_bits(values, white)
    if photometric == _WHITE_IS_ZERO:
        eight = 255 - eight
    colors = 3 if photometric == _RGB else 1
    rgb = eight[:, :, :colors]
    if colors == 1:
        rgb = np.repeat(rgb, 3, axis=2)
    if extra and extra[0] in _TRANSPARENCY:
        alpha = eight[:, :, colors : colors + 1].astype(np.uint16)
        if photometric == _WHITE_IS_ZERO:
            alpha = 255 - alpha
        premultiplied = extra[0] == 1
        ink = rgb.astype(np.uint16) * (255 if premultiplied else alpha)
        rgb = np.minimum((ink + 255 * (255 - alpha) + 127) // 255, 255).astype(np.uint8)
    return np.ascontiguousarray(rgb)


def _pixel_size(page: tifffile.TiffPage) -> float | None:
    resolution = page.tags.valueof(282)
    unit = page.tags.valueof(296, default=2)
    return tiff_pixel_size(page.description, resolution, int(unit))
