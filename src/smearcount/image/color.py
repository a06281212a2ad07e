"""Conversion of pixels of any kind, as files hold them, to 8-bit RGB."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

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

LEFT_OUT_SHARE: Final = 1e-4
"""The share of the brightest values that may be brighter than white."""

MIN_LEFT_OUT: Final = 16
"""How many of the brightest values may be brighter than white in a small image."""

SAMPLED_PIXELS: Final = 25_000_000
"""About how many pixels are looked at to find the brightest."""

NEGATIVE_SHARE: Final = 0.05
"""Values below zero by less than this share of the brightest are noise around black."""

TRANSPARENCY_NOTE: Final = "transparent parts laid over white"

EMPTY_ALPHA_NOTE: Final = "alpha is zero everywhere and was ignored"

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
    if has_empty_alpha(image):
        opaque = raster_of(image.convert("RGB"), orientation)
        return replace(opaque, notes=(EMPTY_ALPHA_NOTE, *opaque.notes))
    if width * height <= LARGE_PIXELS:
        pixels, notes = to_rgb(image)
        half = half_reader(pixels)
        return Raster(width, height, ArrayReader(pixels), orientation, notes=notes, half=half)
    image.load()
    levels = None
    if _is_deep(image):
        levels = levels_of(np.asarray(image))
    notes = conversion_notes(image, levels)
    if image.mode in COMPACT_MODES and not image.has_transparency_data:
        return Raster(width, height, _PillowReader(image, levels), orientation, notes=notes)
    spool = Spool(width, height)
    for top in range(0, height, BAND_ROWS):
        bottom = min(top + BAND_ROWS, height)
        spool.mapped()[top:bottom] = to_rgb(image.crop((0, top, width, bottom)), levels)[0]
    return Raster(width, height, spool.read, orientation, notes=notes)


@dataclass(frozen=True, eq=False)
class _PillowReader:
    """Reads regions of a Pillow image, each converted to RGB when it is read."""

    image: Image.Image
    levels: Levels | None

    def __call__(self, region: Region) -> Pixels:
        return to_rgb(self.image.crop(region), self.levels)[0]


def to_rgb(image: Image.Image, levels: Levels | None = None) -> tuple[Pixels, tuple[str, ...]]:
    """Return 8-bit RGB pixels, shape (h, w, 3), and notes on how they were made.

    Gray and palette images become RGB, transparent parts are laid over white, CMYK is converted
    by Pillow, and deeper values are scaled as :func:`levels_of` says.

    Args:
        image: of any Pillow mode.
        levels: how deep values become 8 bits; None finds them from this image.

    Raises:
        ValueError: the mode cannot be converted.
    """
    if _is_deep(image):
        values = np.asarray(image)
        if (
            values.dtype == np.int32
            and values.min() >= 0
            and values.max() <= np.iinfo(np.uint16).max
        ):
            values = values.astype(np.uint16)  # how Pillow holds some 16-bit files
        levels = levels or levels_of(values)
        gray = to_eight_bits(values, levels)
        return np.repeat(gray[:, :, None], 3, axis=2), conversion_notes(image, levels)
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


def conversion_notes(image: Image.Image, levels: Levels | None) -> tuple[str, ...]:
    """Return notes on what :func:`to_rgb` changes, beyond turning gray or palette pixels to RGB."""
    if levels is not None:
        return (levels.note,)
    if image.has_transparency_data:
        return (TRANSPARENCY_NOTE,)
    if image.mode in ("CMYK", "LAB", "HSV"):
        return (f"converted from {image.mode} to RGB",)
    return ()


@dataclass(frozen=True)
class Levels:
    """How values beyond 8 bits become 8 bits: linearly from ``black``..``white`` to 0..255.

    Attributes:
        kind: of the values, such as ``16-bit`` or ``float32``.
        black: the value that becomes 0; darker ones do, too.
        white: the value that becomes 255; brighter ones do, too.
        cut: whether any value is brighter.
    """

    kind: str
    black: float
    white: float
    cut: bool

    @property
    def note(self) -> str:
        """How the values were scaled, in words."""
        cut = ", brighter ones cut" if self.cut else ""
        return (
            f"{self.kind} values scaled to 8 bits: {self.black:g}..{self.white:.9g} to 0..255{cut}"
        )


def levels_of(values: NDArray[Any]) -> Levels:
    """Return the levels for values of any type but uint8.

    White is the largest value of the fewest bits, at least 8, that hold the brightest value: 4095
    for a 12-bit camera, 65535 for full 16 bits; for floating point it is 1 where nothing is
    brighter. The brightest 0.01 % of the values, at least 16, are left out, so that a hot pixel
    does not darken the image. Black is 0, unless many values are negative: then it is the smallest
    value of a signed type that is used to its lower end, else the darkest. So the color balance is
    kept wherever the file has an absolute zero.

    Args:
        values: shape (h, w, ...); what is not finite is black. Of a large image every second row
            is looked at, every third, and so on.
    """
    values = values[:: 1 + values.shape[0] * values.shape[1] // SAMPLED_PIXELS]
    kind, bits = values.dtype.kind, 8 * values.dtype.itemsize
    name = "16-bit" if values.dtype == np.uint16 else values.dtype.name
    if kind == "f":
        values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    flat = values.ravel()
    left_out = min(max(MIN_LEFT_OUT, int(flat.size * LEFT_OUT_SHARE)), flat.size - 1)
    brightest = float(np.partition(flat, flat.size - 1 - left_out)[flat.size - 1 - left_out])
    largest = float(flat.max())
    black = 0.0
    if kind in "if" and float(flat.min()) < 0:
        darkest = float(np.partition(flat, left_out)[left_out])
        smallest = -float(2 ** (bits - 1))
        if kind == "i" and darkest < smallest / 4:
            black = smallest
        elif darkest < -NEGATIVE_SHARE * abs(brightest):
            black = darkest
    if kind == "f" and (brightest <= 1 or black):
        white = 1.0 if brightest <= 1 and black == 0 else max(brightest, black + 1e-6)
    else:
        white = black + float((1 << max(8, int(brightest - black).bit_length())) - 1)
    return Levels(name, black, white, largest > white)


def to_eight_bits(values: NDArray[Any], levels: Levels) -> NDArray[np.uint8]:
    """Scale values linearly to 8 bits as ``levels`` say."""
    factor = 255 / (levels.white - levels.black)
    if values.dtype == np.uint16 and levels.black == 0:
        table = np.minimum(np.rint(np.arange(65536) * factor), 255).astype(np.uint8)
        return np.asarray(table[values])
    finite = np.nan_to_num(
        values.astype(np.float64), nan=levels.black, posinf=levels.black, neginf=levels.black
    )
    return np.clip(np.rint((finite - levels.black) * factor), 0, 255).astype(np.uint8)


def has_empty_alpha(image: Image.Image) -> bool:
    """Return whether an image has an alpha channel that is zero everywhere, so that it means none.

    Some cameras write it so.
    """
    return image.mode in ("RGBA", "LA") and image.getchannel("A").getextrema()[1] == 0


def _is_deep(image: Image.Image) -> bool:
    return image.mode.startswith(("I", "F"))
