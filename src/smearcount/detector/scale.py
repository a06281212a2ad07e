"""How large a pixel is, and who says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

RBC_UM: Final = 7.5
"""The diameter of a human red cell on a smear, in micrometres: the ruler in every field."""

CUT_WITHIN: Final = 1 / 48
"""A cell whose box ends so near to the border, in red cells, is cut by it: boxes err as much."""

ScaleSource = Literal["user", "file", "estimated", "assumed"]
"""Where the pixel size comes from: given by the user, read from the file, estimated from the red
cells (a human red cell is about 7.5 µm wide), or assumed to be as in the training images because
the picture does not tell."""


@dataclass(frozen=True)
class Scale:
    """How large a pixel is.

    Attributes:
        rbc_diameter_px: the diameter of a red cell in image pixels: the median of the whole ones
            where at least three were found, else what the pixel size implies; None where neither
            a red cell nor a pixel size is known.
        pixel_size_um: micrometres per pixel, or None where nothing could tell.
        source: where it comes from.
        doubted: whether the pixel size that the user gave or the file holds hides most red cells.
            The user is obeyed all the same; the file is not, and the cells are estimated.
    """

    rbc_diameter_px: float | None
    pixel_size_um: float | None
    source: ScaleSource
    doubted: bool = False


def border_px(rbc_px: float | None) -> float:
    """Return how near to the border, in pixels, a box must end for its cell to count as cut.

    Args:
        rbc_px: the diameter of a red cell in the same pixels; None where it is not known.

    Returns:
        at least 1.
    """
    return max(1.0, CUT_WITHIN * (rbc_px or 0.0))
