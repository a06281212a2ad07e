"""EXIF orientation: turn and mirror stored pixels so that the image is upright."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from smearcount.image.image import Pixels, Region, RegionReader
from smearcount.image.raster import Raster

_ORIENTATION_TAG = 0x0112
_SWAPPED = (5, 6, 7, 8)
_MIRRORED_X = (2, 3, 6, 7)
_MIRRORED_Y = (3, 4, 7, 8)


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF orientation of an opened image; 1, upright, if its EXIF is damaged."""
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # the parser raises all kinds of errors for damaged bytes
        return 1


def upright(raster: Raster) -> Raster:
    """Return the raster turned and mirrored as its EXIF orientation asks."""
    if raster.orientation == 1:
        return raster
    width, height = raster.width, raster.height
    if raster.orientation in _SWAPPED:
        width, height = height, width
    half = None
    if raster.half and not width % 2 and not height % 2:  # else other pixels would be paired
        half = UprightReader(raster.half, raster.orientation, width // 2, height // 2)
    return replace(
        raster,
        width=width,
        height=height,
        read=UprightReader(raster.read, raster.orientation, width, height),
        orientation=1,
        half=half,
    )


@dataclass(frozen=True)
class UprightReader:
    """Reads regions of the upright image from the pixels as they are stored.

    Attributes:
        stored: reads the stored pixels.
        orientation: EXIF orientation, 1 to 8.
        width: of the upright image, in pixels.
        height: of the upright image, in pixels.
    """

    stored: RegionReader
    orientation: int
    width: int
    height: int

    def __call__(self, region: Region) -> Pixels:
        """Return the upright pixels of a region."""
        left, top, right, bottom = region
        if self.orientation in _MIRRORED_X:
            left, right = self.width - right, self.width - left
        if self.orientation in _MIRRORED_Y:
            top, bottom = self.height - bottom, self.height - top
        swapped = self.orientation in _SWAPPED
        if swapped:
            left, top, right, bottom = top, left, bottom, right
        pixels = self.stored((left, top, right, bottom))
        if swapped:
            pixels = pixels.swapaxes(0, 1)
        step_x = -1 if self.orientation in _MIRRORED_X else 1
        step_y = -1 if self.orientation in _MIRRORED_Y else 1
        return np.ascontiguousarray(pixels[::step_y, ::step_x])
