"""JPEG files, decoded as far as somebody looks.

At half its size a JPEG is decoded in four fifths of the time or less and a quarter of the memory,
and more is seldom asked for: where red cells are large, a detector never sees the whole. A very
large one is kept in a third of the memory that its RGB pixels would take: brightness is decoded in
full, colour at half the resolution, which is how most cameras store it anyway; each region becomes
RGB when it is read.
"""

from __future__ import annotations

import functools
import io
from typing import IO, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from smearcount.image.color import raster_of, to_rgb
from smearcount.image.image import Region
from smearcount.image.raster import (
    LARGE_PIXELS,
    Raster,
    check_size,
    orientation_of,
    reading,
    suppress_warnings,
)

HALF_FIRST: Final = 512
"""A picture with a side of so many pixels is first decoded at half its size."""


def decode_jpeg(handle: IO[bytes]) -> Raster:
    """Decode a JPEG file, a progressive or CMYK one within the memory that libjpeg takes."""
    image = JpegImageFile(handle)
    orientation = orientation_of(image)
    width, height = image.size
    stored_as_rgb = image.info.get("adobe_transform") == 0
    if width * height <= LARGE_PIXELS and max(width, height) >= HALF_FIRST:
        check_size(width, height)
        return _half_first(handle, image, orientation)
    if width * height <= LARGE_PIXELS or image.mode != "RGB" or stored_as_rgb:
        return raster_of(image, orientation)

    check_size(width, height)
    image.draft("YCbCr", (width // 2, height // 2))
    colour = [image.getchannel("Cb"), image.getchannel("Cr")]
    handle.seek(0)
    image = JpegImageFile(handle)
    image.draft("L", None)
    image.load()
    brightness: Image.Image = image

    def read(region: Region) -> NDArray[np.uint8]:
        left, top, right, bottom = region
        size = (right - left, bottom - top)
        near = (
            max(left // 2 - 2, 0),
            max(top // 2 - 2, 0),
            min((right + 1) // 2 + 2, colour[0].width),
            min((bottom + 1) // 2 + 2, colour[0].height),
        )
        box = (
            left / 2 - near[0],
            top / 2 - near[1],
            min(right / 2, colour[0].width) - near[0],
            min(bottom / 2, colour[0].height) - near[1],
        )
        planes = [
            plane.crop(near).resize(size, Image.Resampling.BILINEAR, box=box) for plane in colour
        ]
        merged = Image.merge("YCbCr", [brightness.crop(region), *planes])
        return np.array(merged.convert("RGB"))

    notes = ("large JPEG: brightness read in full, colour at half resolution",)
    return Raster(width, height, read, orientation, notes=notes)


def _half_first(handle: IO[bytes], image: JpegImageFile, orientation: int) -> Raster:
    """Decode at half the size, which shows any damage; decode the whole when it is asked for."""
    handle.seek(0)
    content = handle.read()
    width, height = image.size
    image.draft(image.mode, (width // 2, height // 2))
    half, notes = to_rgb(image)

    @functools.cache
    def whole() -> NDArray[np.uint8]:
        with suppress_warnings():
            return to_rgb(JpegImageFile(io.BytesIO(content)))[0]

    return Raster(
        width,
        height,
        lambda region: reading(whole())(region),
        orientation,
        notes=notes,
        half=reading(half),
    )
