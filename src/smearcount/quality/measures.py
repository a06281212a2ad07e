"""What a picture looks like, in a handful of numbers that need no detector.

All is measured where a red cell is 48 pixels wide, so that the numbers mean the same at any
magnification: an edge is soft or sharp in relation to the cell, not to the pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.image.image import SmearImage
from smearcount.image.resample import part

RBC_PX: Final = 48
"""The diameter of a red cell in the pictures that are measured."""

LONGEST_PX: Final = 160
"""The longer side of the part of a picture that is measured: its middle, 3 red cells wide."""

_SHORTEST_PX: Final = 48
_BURNT: Final = 250
_EVERY: Final = 3
_QUANTILES: Final = (0.02, 0.1, 0.5, 0.9, 0.98)
_FAINTEST: Final = 1e-3


@dataclass(frozen=True, eq=False)
class Measures:
    """The numbers of one picture.

    Attributes:
        focus: shape (11,): the contrast of details from fine to coarse, each against the coarsest,
            as logarithms; noise and blur move them in different ways.
        look: shape (18,): brightness, redness and blueness at five quantiles each, in grey levels,
            and the logarithm of the contrast at three sizes.
        background: brightness, in [0, 255], that 5 % of the picture exceed: the empty glass.
        burnt: share of the picture, in [0, 1], that is pure white, without any detail.
    """

    focus: NDArray[np.float64]
    look: NDArray[np.float64]
    background: float
    burnt: float


def middle(image: SmearImage, rbc_px: float) -> NDArray[np.uint8]:
    """Return the middle of an image as it is measured, at most ``LONGEST_PX`` wide and high.

    Args:
        image: any image.
        rbc_px: diameter of a red cell in image pixels.

    Returns:
        RGB, shape (h, w, 3), uint8; a picture whose cells are smaller is not enlarged, unless it is
        shorter than what can be measured.
    """
    scale = min(1.0, RBC_PX / rbc_px)
    width = min(image.width, round(LONGEST_PX / scale))
    height = min(image.height, round(LONGEST_PX / scale))
    left, top = (image.width - width) // 2, (image.height - height) // 2
    size = (
        max(_SHORTEST_PX, round(width * scale)),
        max(_SHORTEST_PX, round(height * scale)),
    )
    return part(image, (left, top, left + width, top + height), size)


def measure(pixels: NDArray[np.uint8]) -> Measures:
    """Measure a picture.

    Args:
        pixels: RGB, shape (h, w, 3), uint8, at least 48 pixels wide and high; see :func:`view`.
    """
    half = _halve(pixels)
    red, green, blue = half[..., 0].ravel(), half[..., 1].ravel(), half[..., 2].ravel()
    bright = 0.3 * red + 0.6 * green + 0.1 * blue
    colours = np.stack([bright, red - green, blue - green])[:, ::_EVERY]
    quantiles = _quantiles(colours, (*_QUANTILES, 0.95))
    contrast = [
        np.log(np.square(band).mean() + _FAINTEST) / 2
        for band in _bands(bright.reshape(half.shape[:2]), coarsest=False)
    ]
    return Measures(
        focus=_focus(pixels[..., 1].astype(np.float32)),
        look=np.concatenate([quantiles[:, :-1].ravel(), 20 * np.array(contrast)]),
        background=float(quantiles[0, -1]),
        burnt=float(((red >= _BURNT) & (green >= _BURNT) & (blue >= _BURNT)).mean()),
    )


def _quantiles(rows: NDArray[np.float32], shares: tuple[float, ...]) -> NDArray[np.float32]:
    """Return the nearest values to the quantiles of each row, shape (rows, shares)."""
    ranks = np.rint(np.array(shares) * (rows.shape[1] - 1)).astype(np.intp)
    return np.asarray(np.sort(rows, axis=1)[:, ranks])


def _focus(green: NDArray[np.float32]) -> NDArray[np.float64]:
    rows = []
    for band in _bands(green):
        squares = np.square(band)
        rows.append(
            [
                np.log(np.abs(band).mean() + _FAINTEST),
                np.log(squares.mean() + _FAINTEST) / 2,
                np.log(np.square(squares).mean() + _FAINTEST) / 4,
            ]
        )
    finer, coarsest = np.array(rows[:-1]), np.array(rows[-1])
    return np.concatenate([(finer - coarsest).ravel(), coarsest[1:] - coarsest[0]])


def _bands(grey: NDArray[np.float32], coarsest: bool = True) -> list[NDArray[np.float32]]:
    """Return four layers of detail (or three), from fine to coarse, each about twice as coarse."""
    first = _soften(grey)
    second = _soften(_soften(first))
    third = _soften(second[::2, ::2])
    bands = [
        grey[1:-1, 1:-1] - first,
        first[2:-2, 2:-2] - second,
        second[::2, ::2][1:-1, 1:-1] - third,
    ]
    if coarsest:
        fourth = _soften(_soften(_soften(third)))
        bands.append(third[3:-3, 3:-3] - fourth)
    return bands


def _soften(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the picture smoothed with the kernel 1-2-1 both ways, one pixel less on each side."""
    for _ in range(2):  # 1-2-1 is 1-1 twice
        grey = grey[:-1] + grey[1:]
        grey = grey[:, :-1] + grey[:, 1:]
    return grey * np.float32(1 / 16)


def _halve(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    height, width = pixels.shape[0] // 2 * 2, pixels.shape[1] // 2 * 2
    even = pixels[:height, :width]
    rows = even[::2].astype(np.uint16) + even[1::2]
    return np.asarray((rows[:, ::2] + rows[:, 1::2]) / np.float32(4), dtype=np.float32)
