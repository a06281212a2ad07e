"""JPEG files, decoded no further than needed.

At half its size a JPEG is decoded in four fifths of the time or less and in a quarter of the
memory, and more is seldom needed: where red cells are large, the detector never sees the image at
its full size. A very large JPEG is kept in a third of the memory that its RGB pixels would take:
brightness is decoded in full and color at half the resolution, which is how most cameras store it
anyway. Each region is converted to RGB when it is read.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from functools import partial
from typing import IO, Final

import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from smearcount.image.color import conversion_notes, raster_of, to_rgb
from smearcount.image.image import Pixels, Region
from smearcount.image.jpeg_damage import MISSING_END_NOTE, check_complete, with_end_marker
from smearcount.image.orientation import orientation_of
from smearcount.image.raster import (
    LARGE_PIXELS,
    ArrayReader,
    LazyReader,
    Raster,
    check_size,
    half_reader,
    suppress_warnings,
)

MIN_HALF_FIRST_SIDE: Final = 512
"""An image with a side of at least this many pixels is first decoded at half its size."""


def decode_jpeg(handle: IO[bytes]) -> Raster:
    """Decode a JPEG file, a progressive or CMYK one within the memory that libjpeg takes."""
    content = handle.read()
    closed = with_end_marker(content)
    if closed is None:
        return _decode(content)
    raster = _decode(closed)
    return replace(raster, notes=(*raster.notes, MISSING_END_NOTE))


def _decode(content: bytes) -> Raster:
    """Decode a file that has its end marker."""
    handle = io.BytesIO(content)
    image = JpegImageFile(handle)
    orientation = orientation_of(image)
    width, height = image.size
    check_size(width, height)
    stored_as_rgb = image.info.get("adobe_transform") == 0
    if width * height <= LARGE_PIXELS and max(width, height) >= MIN_HALF_FIRST_SIDE:
        return _half_first(content, image, orientation)
    if width * height <= LARGE_PIXELS:
        pixels, notes = to_rgb(image)
        check_complete(content, pixels, lambda again: to_rgb(again)[0])
        half = half_reader(pixels)
        return Raster(width, height, ArrayReader(pixels), orientation, notes=notes, half=half)
    check_complete(content, _eighth(image), _eighth)
    handle.seek(0)
    image = JpegImageFile(handle)
    if image.mode != "RGB" or stored_as_rgb:
        return raster_of(image, orientation)
    image.draft("YCbCr", (width // 2, height // 2))
    chroma = (image.getchannel("Cb"), image.getchannel("Cr"))
    handle.seek(0)
    image = JpegImageFile(handle)
    image.draft("L", None)
    image.load()
    notes = ("large JPEG: brightness read in full, color at half resolution",)
    return Raster(width, height, _PlaneReader(image, chroma), orientation, notes=notes)


@dataclass(frozen=True, eq=False)
class _PlaneReader:
    """Reads regions from full brightness and from color at half the resolution."""

    brightness: Image.Image
    chroma: tuple[Image.Image, Image.Image]

    def __call__(self, region: Region) -> Pixels:
        left, top, right, bottom = region
        size = (right - left, bottom - top)
        width, height = self.chroma[0].size
        near = (
            max(left // 2 - 2, 0),
            max(top // 2 - 2, 0),
            min((right + 1) // 2 + 2, width),
            min((bottom + 1) // 2 + 2, height),
        )
        box = (
            left / 2 - near[0],
            top / 2 - near[1],
            min(right / 2, width) - near[0],
            min(bottom / 2, height) - near[1],
        )
        planes = [
            plane.crop(near).resize(size, Image.Resampling.BILINEAR, box=box)
            for plane in self.chroma
        ]
        merged = Image.merge("YCbCr", [self.brightness.crop(region), *planes])
        return np.array(merged.convert("RGB"))


def _half_first(content: bytes, image: JpegImageFile, orientation: int) -> Raster:
    """Decode at half the size, which shows any damage; the whole only if it is asked for."""
    width, height = image.size
    notes = conversion_notes(image, None)
    half = _half(image)
    check_complete(content, half, _half)
    whole = LazyReader(partial(_decode_whole, content))
    return Raster(width, height, whole, orientation, notes=notes, half=ArrayReader(half))


def _half(image: JpegImageFile) -> Pixels:
    image.draft(image.mode, (image.width // 2, image.height // 2))
    return to_rgb(image)[0]


def _eighth(image: JpegImageFile) -> Pixels:
    image.draft(image.mode, (image.width // 8, image.height // 8))
    return to_rgb(image)[0]


def _decode_whole(content: bytes) -> Pixels:
    with suppress_warnings():
        return to_rgb(JpegImageFile(io.BytesIO(content)))[0]
