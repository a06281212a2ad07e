"""One image: its size, where it came from, and its pixels, read region by region."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""An RGB image, shape (height, width, 3), uint8."""

Region = tuple[int, int, int, int]
"""A window of an image: left, top, right, bottom in whole pixels, half open."""

RegionReader = Callable[[Region], Pixels]
"""Returns the pixels of a region, shape (h, w, 3), uint8 RGB."""


_EIGHT_DIRECTIONS: Final = np.array(
    [(-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1)], dtype=np.float32
)
_EIGHT_DIRECTIONS[1::2] *= 0.5**0.5
_SIDES: Final = ((7, 0, 1), (1, 2, 3), (3, 4, 5), (5, 6, 7))
"""The directions that look left, up, right and down."""


@dataclass(frozen=True, eq=False)
class FieldOfView:
    """The part of an image that shows the smear, without black surround, bars and text.

    Attributes:
        width: of the image, in pixels.
        height: of the image, in pixels.
        bounds: the smallest window of the image that holds all of the field of view.
        covered: shape (h, w), bool, a thumbnail of the whole image: True where no smear is seen.
    """

    width: int
    height: int
    bounds: Region
    covered: NDArray[np.bool_]

    @property
    def area_px(self) -> float:
        """The area that shows smear, in image pixels."""
        return float(np.mean(~self.covered)) * self.width * self.height

    def contains(self, points_px: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return which points show smear.

        Args:
            points_px: shape (..., 2), x and y in image pixels.

        Returns:
            shape (...), False also for points outside the image.
        """
        h, w = self.covered.shape
        column = np.floor(points_px[..., 0] * (w / self.width)).astype(np.int64)
        row = np.floor(points_px[..., 1] * (h / self.height)).astype(np.int64)
        inside = (column >= 0) & (column < w) & (row >= 0) & (row < h)
        covered = self.covered[np.clip(row, 0, h - 1), np.clip(column, 0, w - 1)]
        visible: NDArray[np.bool_] = inside & ~covered
        return visible

    def touches_edge(
        self, boxes_xyxy_px: NDArray[np.float32], tolerance_px: float
    ) -> NDArray[np.bool_]:
        """Return which boxes reach the edge of the field of view on their left, top, ... side.

        A cell is taken for the ellipse in its box; eight points on it are looked at.

        Args:
            boxes_xyxy_px: shape (n, 4).
            tolerance_px: a box that ends this near to the edge still touches it.

        Returns:
            shape (n, 4), columns left, top, right, bottom.
        """
        corners = boxes_xyxy_px.reshape(-1, 2, 2)
        centers = corners.mean(axis=1, keepdims=True)
        radii = (corners[:, 1:] - corners[:, :1]) / 2 + np.float32(tolerance_px)
        outside = ~self.contains(centers + radii * _EIGHT_DIRECTIONS)
        return np.stack([outside[:, side].any(axis=1) for side in _SIDES], axis=1)


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
        field_of_view: the part that shows the smear, once it has been looked for; None if that is
            the whole image.

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
    field_of_view: FieldOfView | None = field(default=None, repr=False)

    def pixels(self) -> Pixels:
        """Return the whole image, shape (height, width, 3), uint8 RGB."""
        return self.read((0, 0, self.width, self.height))

    @property
    def visible_area_px(self) -> float:
        """The area that shows smear, in pixels."""
        if self.field_of_view is None:
            return float(self.width * self.height)
        return self.field_of_view.area_px

    def crop(self, region: Region) -> SmearImage:
        """Return a window of the image as an image of its own; its pixels are read when needed.

        Args:
            region: the window, inside the image.
        """
        left, top, right, bottom = region
        return replace(
            self,
            width=right - left,
            height=bottom - top,
            read=_WindowReader(self.read, left, top),
            half=None,
            reread=None,
            field_of_view=None,
        )

    def without_pixels(self) -> SmearImage:
        """Return the image holding no pixels, to be read from its file again when needed.

        An image that is no file is returned as it is.
        """
        return self if self.reread is None else replace(self, read=self.reread, half=None)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled."""
        return dict(self.without_pixels().__dict__)


@dataclass(frozen=True)
class _WindowReader:
    """Reads regions of a window of an image; a value, so that it can be pickled."""

    read: RegionReader
    left: int
    top: int

    def __call__(self, region: Region) -> Pixels:
        x0, y0, x1, y1 = region
        return self.read((x0 + self.left, y0 + self.top, x1 + self.left, y1 + self.top))
