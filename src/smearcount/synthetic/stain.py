"""Stains: the colors of a smear as five microscopes show them, and random variations of them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

Color = tuple[float, float, float]
"""Red, green, blue of a pixel, each from 0 (black) to 1 (white)."""

Density = NDArray[np.float32]
"""Optical density per color channel, natural logarithm, shape (..., 3); densities of things that
lie over each other add up."""


@dataclass(frozen=True)
class Stain:
    """The color of each part of a smear where a single layer of it lies on the empty slide.

    Attributes:
        background: the empty slide.
        red_cell: the thick ring of a red cell.
        nucleus: the nucleus of a white cell, and the granules of a basophil.
        cytoplasm: the body of a white cell.
        granule: the granules of an eosinophil.
        platelet: the granular core of a platelet.
    """

    background: Color
    red_cell: Color
    nucleus: Color
    cytoplasm: Color
    granule: Color
    platelet: Color

    def density(self, color: Color) -> Density:
        """Return the optical density, shape (3,), that turns the background into a color.

        It is the density of pixel values, not of light. A channel in which the part is brighter
        than the slide, as happens after a camera's white balance, has a negative density.
        """
        ratio = np.asarray(self.background) / np.maximum(color, 0.01)
        return np.log(ratio).astype(np.float32)


STAINS: Final = {
    "beige": Stain(
        background=(1.00, 0.89, 0.79),
        red_cell=(0.77, 0.61, 0.63),
        nucleus=(0.27, 0.12, 0.50),
        cytoplasm=(0.80, 0.66, 0.70),
        granule=(0.74, 0.42, 0.40),
        platelet=(0.45, 0.24, 0.58),
    ),
    "lilac": Stain(
        background=(0.89, 0.86, 0.89),
        red_cell=(0.72, 0.61, 0.70),
        nucleus=(0.27, 0.12, 0.57),
        cytoplasm=(0.70, 0.66, 0.80),
        granule=(0.76, 0.52, 0.60),
        platelet=(0.55, 0.40, 0.70),
    ),
    "gray-green": Stain(
        background=(0.77, 0.79, 0.75),
        red_cell=(0.70, 0.60, 0.62),
        nucleus=(0.50, 0.36, 0.85),
        cytoplasm=(0.69, 0.63, 0.74),
        granule=(0.70, 0.46, 0.52),
        platelet=(0.55, 0.46, 0.78),
    ),
    "magenta": Stain(
        background=(0.88, 0.75, 0.69),
        red_cell=(0.54, 0.38, 0.48),
        nucleus=(0.42, 0.06, 0.42),
        cytoplasm=(0.74, 0.52, 0.58),
        granule=(0.72, 0.38, 0.40),
        platelet=(0.56, 0.28, 0.52),
    ),
    "pink": Stain(
        background=(0.95, 0.92, 0.94),
        red_cell=(0.88, 0.68, 0.76),
        nucleus=(0.45, 0.28, 0.64),
        cytoplasm=(0.82, 0.74, 0.88),
        granule=(0.90, 0.56, 0.58),
        platelet=(0.66, 0.48, 0.76),
    ),
}
"""Five stains by name: warm Wright-Giemsa, cool lilac, gray-green, strong magenta, pale pink."""


def vary(stain: Stain, rng: np.random.Generator, degree: float) -> Stain:
    """Return the stain as another laboratory, lamp and camera might show it, at random.

    Args:
        stain: where to start from.
        rng: draws the change of the colors.
        degree: 0 leaves the stain as it is, 1 makes it hard to recognize.
    """
    lamp = np.exp(rng.normal(0, 0.08 * degree, 3) - abs(rng.normal(0, 0.2 * degree)))
    strength = np.exp(rng.normal(0, 0.35 * degree))
    dyes = np.exp(rng.normal(0, 0.2 * degree, 3))

    def moved(color: Color) -> Color:
        background = np.asarray(stain.background)
        own = np.exp(rng.normal(0, 0.12 * degree, 3))
        layer = np.exp(-stain.density(color) * strength * dyes * own)
        red, green, blue = np.clip(background * lamp * layer, 0.01, 1)
        return float(red), float(green), float(blue)

    return Stain(*(moved(getattr(stain, field.name)) for field in fields(Stain)))
