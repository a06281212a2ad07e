"""One image: its size, where it came from, and its pixels, read region by region."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""An RGB image, shape (height, width, 3), uint8."""

Region = tuple[int, int, int, int]
"""A window of an image: left, top, right, bottom in whole pixels, half open."""

RegionReader = Callable[[Region], Pixels]
"""Returns the pixels of a region, shape (h, w, 3), uint8 RGB."""


@dataclass(frozen=True, eq=False)
class SmearImage:
    """An upright RGB image whose pixels are read by region, so that a huge one needs no memory.

    It can be pickled. An image opened from a file is pickled without its pixels; they are read
    from the file again when they are needed.

    Attributes:
        name: what to call the image in tables: its path as given, or ``"array"``.
        width: in pixels, after EXIF orientation.
        height: in pixels, after EXIF orientation.
        sha256: of the file's bytes (of the pixel bytes for an array or PIL image), lower-case hex.
        read: returns the pixels of a region inside the image, shape (h, w, 3), uint8 RGB.
        pixel_size_um: micrometers per pixel if the file says so, else None.
        notes: what was done to the pixels, such as the rule that scaled 16 bits to 8.
        half: reads from the image at half its size, rounded up; the region is in pixels of that
            image, where pixel (x, y) stands for those from (2x, 2y) to (2x + 2, 2y + 2). None if
            that is no faster than reading the whole.
        reread: reads a region from the file again, for an image that no longer holds its pixels;
            None for an image that is no file.

    Example:
        >>> from smearcount import open_image
        >>> image = open_image("smear.png")
        >>> image.width, image.height
        (640, 480)
        >>> image.read((100, 50, 300, 150)).shape
        (100, 200, 3)
    """

    name: str
    width: int
    height: int
    sha256: str
    read: RegionReader = field(repr=False)
    pixel_size_um: float | None = None
    notes: tuple[str, ...] = ()
    half: RegionReader | None = field(default=None, repr=False)
    reread: RegionReader | None = field(default=None, repr=False)

    def pixels(self) -> Pixels:
        """Return the whole image, shape (height, width, 3), uint8 RGB."""
        return self.read((0, 0, self.width, self.height))

    def without_pixels(self) -> SmearImage:
        """Return the image holding no pixels, to be read from its file again when needed.

        An image that is no file is returned as it is.
        """
        return self if self.reread is None else replace(self, read=self.reread, half=None)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled."""
        return dict(self.without_pixels().__dict__)
