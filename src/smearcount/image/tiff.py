"""TIFF files: integers and floating point, the first page of several, or the full resolution."""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL.TiffImagePlugin import TiffImageFile

from smearcount.errors import ImageError
from smearcount.image.color import (
    EMPTY_ALPHA_NOTE,
    TRANSPARENCY_NOTE,
    Levels,
    levels_of,
    raster_of,
    to_eight_bits,
    upper_bits,
)
from smearcount.image.image import Pixels, Region, RegionReader
from smearcount.image.pixel_size import tiff_pixel_size
from smearcount.image.raster import (
    BAND_ROWS,
    LARGE_PIXELS,
    ArrayReader,
    Raster,
    Spool,
    check_size,
    first_of,
    half_reader,
)

if TYPE_CHECKING:
    import tifffile

_WHITE_IS_ZERO: Final = 0
_BLACK_IS_ZERO: Final = 1
_RGB: Final = 2
_CMYK: Final = 5
_RAW: Final = (32803, 34892)
"""Photometric interpretations of raw camera data, before and after its colors are put together."""
_INTERLEAVED: Final = 1
_WITH_ALPHA: Final = 2
_TRANSPARENCY: Final = (1, 2)
_READ_AHEAD: Final = 1 << 23
_DEEP: Final = ("u2", "u4", "i1", "i2", "i4", "f2", "f4", "f8")

_MAX_PAGES: Final = 100_000
_SEARCHED_PAGES: Final = 8
_THUMBNAIL_RATIO: Final = 4
"""A first page is a thumbnail if another of the same shape has at least this many times its
pixels."""

THUMBNAIL_NOTE: Final = "the first page is a thumbnail; the full-resolution one was read"


def decode_tiff(handle: IO[bytes]) -> Raster:
    """Decode the first page of a TIFF file, or the full-resolution one if that is a thumbnail.

    Pages that are uncompressed, deflated or packed are decoded with tifffile, large ones piece by
    piece; the others with Pillow, within the memory that it takes.
    """
    import tifffile

    logging.getLogger("tifffile").addHandler(logging.NullHandler())
    with tifffile.TiffFile(handle) as file:
        pages = _count_pages(file)
        first = file.pages[0].aspage()
        page, index = _full_resolution(file, first, pages)
        check_size(page.imagewidth, page.imagelength)
        _check_kind(page)
        size = _pixel_size(page, first.description)
        if _is_plain(page):
            raster = _by_pieces(page, handle)
        elif index is None:
            raise ImageError(
                "its first page is a thumbnail, and the full-resolution picture is of a kind that "
                "cannot be decoded; save it as a plain TIFF, PNG or JPEG."
            )
        else:
            raster = _with_pillow(handle, index)
            if page.dtype == np.uint16 and page.samplesperpixel > _WITH_ALPHA:
                raster = upper_bits(raster)
    raster = replace(raster, pixel_size_um=size)
    if page is not first:
        return replace(raster, notes=(THUMBNAIL_NOTE, *raster.notes))
    return first_of(pages, raster)


def _count_pages(file: tifffile.TiffFile) -> int:
    """Return the number of pages, by following their chain without reading them.

    Raises:
        ImageError: the chain runs in a circle, or is longer than any real file's.
    """
    form, handle = file.tiff, file.filehandle
    seen: set[int] = set()
    try:
        handle.seek(form.offsetsize if form.version == 42 else 2 * form.offsetsize - 8)
        (offset,) = struct.unpack(form.offsetformat, handle.read(form.offsetsize))
        while offset:
            if offset in seen or len(seen) >= _MAX_PAGES:
                raise ImageError(
                    "its chain of pages runs in a circle or has no end, so the file is damaged; "
                    "copy it again."
                )
            seen.add(offset)
            handle.seek(offset)
            (tags,) = struct.unpack(form.tagnoformat, handle.read(form.tagnosize))
            handle.seek(tags * form.tagsize, 1)
            (offset,) = struct.unpack(form.offsetformat, handle.read(form.offsetsize))
    except (struct.error, ValueError, OSError):  # the chain ends in nothing
        pass
    return len(seen)


def _full_resolution(
    file: tifffile.TiffFile, first: tifffile.TiffPage, pages: int
) -> tuple[tifffile.TiffPage, int | None]:
    """Return the page to count, and its index; None for the index of a page below another.

    Raises:
        ImageError: the file holds only a preview.
    """
    found: list[tuple[tifffile.TiffPage, int | None]] = [(first, 0)]
    for index in range(1, min(pages, _SEARCHED_PAGES)):
        with suppress(Exception):  # of a damaged page; the first may still be read
            found.append((file.pages[index].aspage(), index))
    for index in range(min(len(first.subifds or ()), _SEARCHED_PAGES)):
        with suppress(Exception):
            found.append((first.pages[index].aspage(), None))
    full = [each for each in found if not each[0].is_reduced]
    if not full:
        raise ImageError(
            "it holds only a preview of a picture that is stored elsewhere; export the picture "
            "itself as TIFF, PNG or JPEG."
        )
    largest = max(full, key=lambda each: _area(each[0]))
    if first.is_reduced:
        return largest
    same_shape = abs(_aspect(largest[0]) / _aspect(first) - 1) < 0.1
    if same_shape and _area(largest[0]) >= _THUMBNAIL_RATIO * _area(first):
        return largest
    return found[0]


def _area(page: tifffile.TiffPage) -> int:
    return int(page.imagewidth * page.imagelength)


def _aspect(page: tifffile.TiffPage) -> float:
    return float(max(page.imagewidth, 1) / max(page.imagelength, 1))


def _check_kind(page: tifffile.TiffPage) -> None:
    """Refuse what would be decoded to other colors than the file's."""
    photometric = int(page.photometric)
    if photometric in _RAW:
        raise ImageError(
            "it holds raw data of a camera; save it as JPEG, PNG or TIFF with the camera's program."
        )
    if photometric == _CMYK and page.dtype != np.uint8:
        raise ImageError("it has CMYK colors of more than 8 bits; save it as RGB.")
    deep = page.dtype is None or (page.dtype.str[1:] in _DEEP and page.dtype != np.uint16)
    if deep and not _is_plain(page):
        raise ImageError(
            f"its pixels are {page.dtype or 'of an unknown type'} in a compression that cannot be "
            "decoded; save it as TIFF without compression or with deflate."
        )


def _with_pillow(handle: IO[bytes], index: int) -> Raster:
    """Decode a page with Pillow, which applies the orientation itself."""
    handle.seek(0)
    image = TiffImageFile(handle)
    if index:
        image.seek(index)
    image.load()
    return raster_of(image)


def _is_plain(page: tifffile.TiffPage) -> bool:
    """Return whether tifffile can decode the page here, to gray or RGB."""
    import tifffile

    none = tifffile.COMPRESSION.NONE
    deflate = (tifffile.COMPRESSION.ADOBE_DEFLATE, tifffile.COMPRESSION.DEFLATE)
    return (
        page.dtype is not None
        and page.dtype.str[1:] in ("u1", *_DEEP)
        and page.bitspersample == 8 * page.dtype.itemsize
        and page.compression in (none, *deflate, tifffile.COMPRESSION.PACKBITS)
        and page.predictor in (1, 2)
        and page.photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB)
        and page.samplesperpixel >= (3 if page.photometric == _RGB else 1)
        and page.imagedepth == 1
    )


def _by_pieces(page: tifffile.TiffPage, handle: IO[bytes]) -> Raster:
    width, height, samples = page.imagewidth, page.imagelength, page.samplesperpixel
    photometric, extra = int(page.photometric), tuple(int(kind) for kind in page.extrasamples)
    colors = 3 if photometric == _RGB else 1
    transparent = bool(extra) and extra[0] in _TRANSPARENCY
    empty_alpha = transparent
    spool = Spool(width, height, samples, page.dtype)
    for values, plane, top, left in _pieces(page, handle):
        rows, columns = min(values.shape[0], height - top), min(values.shape[1], width - left)
        kept = values[:rows, :columns]
        channels = slice(plane, plane + values.shape[2])
        spool.mapped()[top : top + rows, left : left + columns, channels] = kept
        if empty_alpha and plane <= colors < plane + values.shape[2]:
            empty_alpha = not kept[:, :, colors - plane].any()
    notes: tuple[str, ...] = ()
    levels = None
    if page.dtype != np.uint8:
        levels = levels_of(spool.mapped()[:, :, :colors])
        notes = (levels.note,)
    if empty_alpha:
        extra, notes = (), (EMPTY_ALPHA_NOTE, *notes)
    elif transparent:
        notes = (TRANSPARENCY_NOTE, *notes)
    read: RegionReader = _SampleReader(spool, photometric, extra, levels)
    orientation = int(page.tags.valueof(274, default=1))
    if width * height > LARGE_PIXELS or levels is not None:
        return Raster(width, height, read, orientation, notes=notes)
    pixels = read((0, 0, width, height))
    half = half_reader(pixels)
    return Raster(width, height, ArrayReader(pixels), orientation, notes=notes, half=half)


@dataclass(frozen=True, eq=False)
class _SampleReader:
    """Reads regions of spooled TIFF samples, each converted to RGB when it is read."""

    spool: Spool
    photometric: int
    extra: tuple[int, ...]
    levels: Levels | None

    def __call__(self, region: Region) -> Pixels:
        return _as_rgb(self.spool.read(region), self.photometric, self.extra, self.levels)


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
    values: NDArray[Any], photometric: int, extra: tuple[int, ...], levels: Levels | None
) -> NDArray[np.uint8]:
    """Turn stored samples, shape (h, w, samples), into RGB."""
    eight = values if levels is None else to_eight_bits(values, levels)
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


def _pixel_size(page: tifffile.TiffPage, description: str) -> float | None:
    """Return micrometers per pixel by a page's resolution and the first page's description."""
    resolution = page.tags.valueof(282)
    unit = page.tags.valueof(296, default=2)
    return tiff_pixel_size(description, resolution, int(unit))
