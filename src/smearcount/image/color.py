"""Conversion of pixels of any kind, as files hold them, to 8-bit RGB."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from smearcount.errors import ImageError
from smearcount.image.image import Pixels, Region
from smearcount.image.raster import (
    BAND_ROWS,
    LARGE_PIXELS,
    ArrayReader,
    Raster,
    Spool,
    check_size,
    half_reader,
)

COMPACT_MODES = ("1", "L", "P", "I;16", "I;16B", "I;16L")
"""Pillow modes of at most two bytes per pixel; all others take four."""


def raster_of(image: Image.Image, orientation: int = 1) -> Raster:
    """Decode a Pillow image, within the memory that Pillow itself needs for its mode.

    Args:
        image: opened, not necessarily loaded.
        orientation: EXIF orientation still to be applied.

    Raises:
        ImageError: the image is too small or too large.
        ValueError: its mode cannot be converted.
    """
    width, height = image.size
    check_size(width, height)
    if width * height <= LARGE_PIXELS:
        pixels, notes = to_rgb(image)
        half = half_reader(pixels)
        return Raster(width, height, ArrayReader(pixels), orientation, notes=notes, half=half)
    image.load()
    white = white_level(image.getextrema()[1]) if _is_deep(image) else None
    notes = conversion_notes(image, white)
    if image.mode in COMPACT_MODES and not image.has_transparency_data:
        return Raster(width, height, _PillowReader(image, white), orientation, notes=notes)
    spool = Spool(width, height)
    for top in range(0, height, BAND_ROWS):
        bottom = min(top + BAND_ROWS, height)
        spool.mapped()[top:bottom] = to_rgb(image.crop((0, top, width, bottom)), white)[0]
    return Raster(width, height, spool.read, orientation, notes=notes)


@dataclass(frozen=True, eq=False)
class _PillowReader:
    """Reads regions of a Pillow image, each converted to RGB when it is read."""

    image: Image.Image
    white: int | None

    def __call__(self, region: Region) -> Pixels:
        return to_rgb(self.image.crop(region), self.white)[0]


def to_rgb(image: Image.Image, white: int | None = None) -> tuple[Pixels, tuple[str, ...]]:
    """Return 8-bit RGB pixels, shape (h, w, 3), and notes on how they were made.

    Gray and palette images become RGB, transparent parts are laid over white, CMYK is converted
    by Pillow, and 16-bit values are scaled as :func:`white_level` says.

    Args:
        image: of any Pillow mode.
        white: the 16-bit value that becomes 255; None finds it from this image.

    Raises:
        ValueError: the mode cannot be converted.
    """
    if _is_deep(image):
        values = np.asarray(image)
        if values.dtype.kind == "f" or values.min() < 0 or values.max() > 65535:
            raise ValueError(f"{image.mode} pixels are neither 8-bit nor 16-bit")
        white = white or white_level(int(values.max()))
        gray = to_eight_bits(values.astype(np.uint16), white)
        return np.repeat(gray[:, :, None], 3, axis=2), conversion_notes(image, white)
    notes = conversion_notes(image, None)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    if image.mode != "RGB":
        image = image.convert("RGB")
    return np.array(image), notes


def upper_bits(raster: Raster) -> Raster:
    """Return a raster of 16-bit colors that Pillow cut to their upper 8 bits, with a note.

    Raises:
        ImageError: the upper bits are empty, as those of a 12-bit camera: almost nothing is left.
    """
    brightest = max(
        int(raster.read((0, top, raster.width, min(top + BAND_ROWS, raster.height))).max())
        for top in range(0, raster.height, BAND_ROWS)
    )
    if brightest < 128:
        raise ImageError(
            "its 16-bit colors leave their upper bits empty, and only those can be decoded here; "
            "save it as a TIFF without compression or with deflate."
        )
    return replace(raster, notes=(*raster.notes, "16-bit values cut to their upper 8 bits"))


def conversion_notes(image: Image.Image, white: int | None) -> tuple[str, ...]:
    """Return notes on what :func:`to_rgb` changes, beyond turning gray or palette pixels to RGB."""
    if white is not None:
        return (scaling_note(white),)
    if image.has_transparency_data:
        return ("transparent parts laid over white",)
    if image.mode in ("CMYK", "LAB", "HSV"):
        return (f"converted from {image.mode} to RGB",)
    return ()


def white_level(largest: Any) -> int:
    """Return the 16-bit value that becomes white (255).

    It is the largest value of the fewest bits, at least 8, that hold the brightest pixel: 4095 for
    a 12-bit camera, 65535 for full 16 bits. Black stays 0 and the color balance is kept.
    """
    return int((1 << max(8, int(largest).bit_length())) - 1)


def scaling_note(white: int) -> str:
    """Return the note on how 16-bit values were scaled."""
    return f"16-bit values scaled to 8 bits: 0..{white} to 0..255"


def to_eight_bits(values: NDArray[np.uint16], white: int) -> NDArray[np.uint8]:
    """Scale 16-bit values linearly so that ``white`` becomes 255."""
    table = np.minimum(np.rint(np.arange(65536) * (255 / white)), 255).astype(np.uint8)
    return np.asarray(table[values])


def _is_deep(image: Image.Image) -> bool:
    return image.mode.startswith(("I", "F"))
