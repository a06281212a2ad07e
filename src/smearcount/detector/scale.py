"""How large a pixel is, and who says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

RBC_UM: Final = 7.5
"""The diameter of a human red cell on a smear, in micrometres: the ruler in every field."""

ScaleSource = Literal["user", "file", "estimated", "assumed"]
"""Where the pixel size comes from: given by the user, read from the file, estimated from the red
cells (a human red cell is about 7.5 µm wide), or assumed because no red cell was found."""


@dataclass(frozen=True)
class Scale:
    """How large a pixel is.

    Attributes:
        rbc_diameter_px: the diameter of a red cell in image pixels: the median of the whole ones
            found, or what the pixel size implies where none was.
        pixel_size_um: micrometres per pixel, or None where nothing could tell.
        source: where it comes from.
    """

    rbc_diameter_px: float | None
    pixel_size_um: float | None
    source: ScaleSource
