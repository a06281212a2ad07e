"""The appearance of a drawn smear as one frozen, validated value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from smearcount.errors import UsageError
from smearcount.synthetic.stain import STAINS

_RANGES: Final = {
    "width": (1, 65_000),
    "height": (1, 65_000),
    "rbc_px": (8, 1_000),
    "size_spread": (0, 0.3),
    "density": (0, 1),
    "overlap": (0, 1),
    "n_wbc": (0, 10_000),
    "n_platelets": (0, 100_000),
    "clumped": (0, 1),
    "stain_shift": (0, 2),
    "pallor": (0, 1),
    "odd": (0, 1),
    "illumination": (0, 0.9),
    "blur_px": (0.3, 100),
    "fringe_px": (0, 20),
    "noise": (0, 1),
    "jpeg_quality": (1, 100),
}


@dataclass(frozen=True)
class SmearStyle:
    """The appearance of a smear. A field can be changed alone; with the same seed the rest stays.

    Attributes:
        name: of the smear, before its seed.
        width: of the picture in pixels.
        height: of the picture in pixels.
        rbc_px: mean diameter of a red cell in pixels, at least 8.
        size_spread: standard deviation of the red cells' diameters over their mean.
        density: area of the red cells over that of the picture, overlaps counted twice, in [0, 1].
        overlap: the share of the red cells that lie partly over a neighbor, in [0, 1].
        n_wbc: number of white cells, each with its center in the picture.
        n_platelets: number of platelets, each with its center in the picture.
        clumped: the share of the platelets that lie against another one, in [0, 1].
        stain: a name in ``STAINS``.
        stain_shift: how far the colors move from that stain: 0 not at all, 1 beyond recognition.
        pallor: how pale the middle of the average red cell is: 0 none, 1 empty.
        odd: the share of crenated and teardrop red cells, in [0, 1].
        illumination: the share of the light that the darkest corner lacks, in [0, 0.9].
        blur_px: standard deviation of the lens' Gaussian blur in pixels, at least 0.3.
        fringe_px: how far red and blue are shifted apart from green, in pixels.
        noise: standard deviation of the sensor's noise in full white, as a share of it.
        jpeg_quality: from 1 to 100.

    Raises:
        UsageError: a value lies outside its range.
    """

    name: str = "smear"
    width: int = 640
    height: int = 480
    rbc_px: float = 100.0
    size_spread: float = 0.08
    density: float = 0.45
    overlap: float = 0.1
    n_wbc: int = 1
    n_platelets: int = 4
    clumped: float = 0.2
    stain: str = "beige"
    stain_shift: float = 0.0
    pallor: float = 0.6
    odd: float = 0.03
    illumination: float = 0.1
    blur_px: float = 0.8
    fringe_px: float = 0.3
    noise: float = 0.008
    jpeg_quality: int = 92

    def __post_init__(self) -> None:
        for field, (least, most) in _RANGES.items():
            value = getattr(self, field)
            if not least <= value <= most:
                raise UsageError(
                    f"{field} of a smear must lie from {least} to {most}, not {value}."
                )
        if self.stain not in STAINS:
            raise UsageError(f"stain must be one of {', '.join(STAINS)}, not {self.stain!r}.")
