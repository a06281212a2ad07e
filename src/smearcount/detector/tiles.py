"""Tiles: cut a large image into overlapping windows, so that memory stays bounded.

The cores of the tiles partition the plane: each point belongs to exactly one. A tile's window is
its core and a margin around it, cut at the border of the image. If a detector's output at a point
depends only on pixels nearer than the margin, and windows start at multiples of its stride, then
the outputs inside the cores are together those of the whole image.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smearcount.errors import ModelError
from smearcount.image.image import Region


@dataclass(frozen=True)
class Tile:
    """One tile of an image.

    Attributes:
        window: the pixels that the detector gets.
        core: the part whose cells belong to the tile, inside the window.
        size: width and height of the whole image; points beyond it belong to the outermost cores.
    """

    window: Region
    core: Region
    size: tuple[int, int]

    def owns(self, points: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return which points lie in the core: left and top edges included, right and bottom not.

        Args:
            points: shape (n, 2), x and y in pixels of the image.

        Returns:
            shape (n,).
        """
        owned = np.ones(len(points), dtype=np.bool_)
        for axis in (0, 1):
            low, high = self.core[axis], self.core[axis + 2]
            values = points[:, axis]
            if low > 0:
                owned &= values >= low
            if high < self.size[axis]:
                owned &= values < high
        return owned


def tiles(width: int, height: int, side: int, margin: int, stride: int) -> list[Tile]:
    """Cut an image into tiles, row by row.

    Args:
        width: of the image, in pixels.
        height: of the image, in pixels.
        side: the largest side of a window, margins included, in pixels.
        margin: how far a window reaches beyond its core at least, in pixels; rounded up to the
            stride.
        stride: windows start at multiples of this, and end there or at the border of the image.

    Raises:
        ModelError: the side leaves no core between two margins.
    """
    margin = -(-margin // stride) * stride
    step = (side - 2 * margin) // stride * stride
    if step <= 0:
        raise ModelError(
            f"Tiles of {side} px have no room between margins of {margin} px: the receptive field "
            "on the model's card is too large."
        )
    return [
        Tile(
            window=(
                max(left - margin, 0),
                max(top - margin, 0),
                min(right + margin, width),
                min(bottom + margin, height),
            ),
            core=(left, top, right, bottom),
            size=(width, height),
        )
        for top, bottom in _cores(height, side, margin, step, stride)
        for left, right in _cores(width, side, margin, step, stride)
    ]


def _cores(length: int, side: int, margin: int, step: int, stride: int) -> list[tuple[int, int]]:
    """Return the extents of the cores along one axis, nearly equal and no longer than needed."""
    if length <= side:
        return [(0, length)]
    count = -(-length // step)
    even = -(-length // (count * stride)) * stride
    edges = [*range(0, length, even), length]
    return list(itertools.pairwise(edges))
