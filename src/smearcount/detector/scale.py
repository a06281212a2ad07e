"""The scale of an image: how large a pixel and a red cell are, and how that is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

RBC_UM: Final = 7.5
"""The diameter of a human red cell on a smear, in micrometers: the reference in every image."""

BORDER_TOLERANCE_RBC: Final = 1 / 48
"""A box that ends this near to the border, in red-cell diameters, is cut by it: predicted boxes
are wrong by about as much."""

ScaleSource = Literal["user", "file", "estimated", "assumed"]
"""Where the pixel size comes from: given by the user, read from the file, estimated from the red
cells (a human red cell is about 7.5 µm wide), or assumed to be as in the training images because
the image does not tell."""


@dataclass(frozen=True)
class Scale:
    """How large a pixel and a red cell are.

    Attributes:
        rbc_diameter_px: the diameter of a red cell in image pixels: the median of the whole red
            cells if at least three were found, else what the pixel size implies; None if neither
            a red cell nor a pixel size is known.
        pixel_size_um: micrometers per pixel; None if it could not be told.
        source: where the pixel size comes from.
        pixel_size_contradicted: whether far more red cells are found at another magnification
            than at the pixel size that the user gave or the file holds. The user's pixel size is
            used all the same; the file's is replaced by an estimate.

    Example:
        >>> scale = Scale(rbc_diameter_px=75.0, pixel_size_um=0.1, source="user")
        >>> scale.rbc_diameter_px * scale.pixel_size_um  # micrometers
        7.5
    """

    rbc_diameter_px: float | None
    pixel_size_um: float | None
    source: ScaleSource
    pixel_size_contradicted: bool = False


def border_tolerance_px(rbc_px: float | None) -> float:
    """Return how near to the border a box must end for its cell to count as cut, in pixels.

    Args:
        rbc_px: the diameter of a red cell in the same pixels; None if it is not known.

    Returns:
        at least 1.
    """
    return max(1.0, BORDER_TOLERANCE_RBC * (rbc_px or 0.0))
