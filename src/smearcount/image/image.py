"""One image: how large it is, where it came from, and its pixels, region by region."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""An RGB image, shape (height, width, 3), uint8."""

Region = tuple[int, int, int, int]
"""A window of an image: left, top, right, bottom in whole pixels, half open."""


@dataclass(frozen=True, eq=False)
class SmearImage:
    """An upright RGB image whose pixels are read by region, so that a huge one needs no memory.

    Attributes:
        name: what to call the image in tables: its path as given, or ``"array"``.
        width: in pixels, after EXIF orientation.
        height: in pixels, after EXIF orientation.
        sha256: of the file's bytes (of the pixel bytes for an array or PIL image), lower-case hex.
        read: returns the pixels of a region inside the image, shape (h, w, 3), uint8 RGB.
        pixel_size_um: micrometres per pixel if the file says so, else None.
        notes: what was done to the pixels, such as the rule that scaled 16 bits to 8.
        half: reads from the picture at half its size, rounded up, in whose pixels the region then
            counts: pixel (x, y) stands for those from (2x, 2y) to (2x + 2, 2y + 2). None where
            that is no faster than to read the whole.
    """

    name: str
    width: int
    height: int
    sha256: str
    read: Callable[[Region], Pixels] = field(repr=False)
    pixel_size_um: float | None = None
    notes: tuple[str, ...] = ()
    half: Callable[[Region], Pixels] | None = field(default=None, repr=False)

    def pixels(self) -> Pixels:
        """Return the whole image, shape (height, width, 3), uint8 RGB."""
        return self.read((0, 0, self.width, self.height))
