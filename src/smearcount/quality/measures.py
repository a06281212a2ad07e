"""Measures of an image's focus, color and brightness, which need no detector.

Everything is measured at a magnification where a red cell is 48 pixels wide, so that the numbers
mean the same in every image: an edge is soft or sharp relative to the cell, not to the pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.image.image import Pixels, SmearImage
from smearcount.image.resample import crop_and_resize

RBC_PX: Final = 48
"""The diameter of a red cell in the crops that are measured."""

LONGEST_PX: Final = 160
"""The longer side of the crop that is measured: the middle of the image, 3 red cells wide."""

_SHORTEST_PX: Final = 48
_SATURATED_LEVEL: Final = 250
"""A pixel is pure white if all its channels reach this level."""

_PIXEL_STEP: Final = 3
"""Quantiles are taken over every third pixel, to save time."""

_QUANTILES: Final = (0.02, 0.1, 0.5, 0.9, 0.98)
_LOG_FLOOR: Final = 1e-3
"""Added before each logarithm, so that an image without any detail has finite numbers."""


@dataclass(frozen=True, eq=False)
class Measures:
    """The numbers measured on one image.

    Attributes:
        focus: shape (11,): the logarithm of the contrast in three bands of detail from fine to
            coarse, each relative to a fourth, coarsest band, as three moments per band; noise and
            blur change them in different ways.
        appearance: shape (18,): brightness, redness and blueness at five quantiles each, in gray
            levels, and the logarithm of the contrast at three sizes.
        background: the brightness, in [0, 255], that 5 % of the image exceed: the empty glass.
        saturated_share: the share of the image, in [0, 1], that is pure white, without any detail.
    """

    focus: NDArray[np.float64]
    appearance: NDArray[np.float64]
    background: float
    saturated_share: float


def center_crop(image: SmearImage, rbc_px: float) -> Pixels:
    """Return the middle of an image, resized for :func:`measure`.

    Args:
        image: any image.
        rbc_px: diameter of a red cell in image pixels.

    Returns:
        RGB, shape (h, w, 3), uint8, at most ``LONGEST_PX`` wide and high. An image whose cells are
        smaller than ``RBC_PX`` is enlarged only if it would be too small to measure.
    """
    scale = min(1.0, RBC_PX / rbc_px)
    width = min(image.width, round(LONGEST_PX / scale))
    height = min(image.height, round(LONGEST_PX / scale))
    left, top = (image.width - width) // 2, (image.height - height) // 2
    size = (
        max(_SHORTEST_PX, round(width * scale)),
        max(_SHORTEST_PX, round(height * scale)),
    )
    return crop_and_resize(image, (left, top, left + width, top + height), size)


def measure(pixels: Pixels) -> Measures:
    """Measure focus, color and brightness.

    Args:
        pixels: RGB, shape (h, w, 3), uint8, at least 48 pixels wide and high; see
            :func:`center_crop`.
    """
    half = _halve(pixels)
    red, green, blue = half[..., 0].ravel(), half[..., 1].ravel(), half[..., 2].ravel()
    brightness = 0.3 * red + 0.6 * green + 0.1 * blue
    colors = np.stack([brightness, red - green, blue - green])[:, ::_PIXEL_STEP]
    quantiles = _quantiles(colors, (*_QUANTILES, 0.95))
    contrast = [
        np.log(np.square(band).mean() + _LOG_FLOOR) / 2
        for band in _detail_bands(brightness.reshape(half.shape[:2]), with_coarsest=False)
    ]
    saturated = (red >= _SATURATED_LEVEL) & (green >= _SATURATED_LEVEL) & (blue >= _SATURATED_LEVEL)
    return Measures(
        focus=_focus(pixels[..., 1].astype(np.float32)),
        appearance=np.concatenate([quantiles[:, :-1].ravel(), 20 * np.array(contrast)]),
        background=float(quantiles[0, -1]),
        saturated_share=float(saturated.mean()),
    )


def _quantiles(rows: NDArray[np.float32], shares: tuple[float, ...]) -> NDArray[np.float32]:
    """Return the values nearest to the quantiles of each row, shape (rows, shares)."""
    ranks = np.rint(np.array(shares) * (rows.shape[1] - 1)).astype(np.intp)
    return np.asarray(np.sort(rows, axis=1)[:, ranks])


def _focus(green: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return ``Measures.focus`` of the green channel, in which cells have the most contrast."""
    rows = []
    for band in _detail_bands(green):
        squares = np.square(band)
        rows.append(
            [
                np.log(np.abs(band).mean() + _LOG_FLOOR),
                np.log(squares.mean() + _LOG_FLOOR) / 2,
                np.log(np.square(squares).mean() + _LOG_FLOOR) / 4,
            ]
        )
    finer, coarsest = np.array(rows[:-1]), np.array(rows[-1])
    return np.concatenate([(finer - coarsest).ravel(), coarsest[1:] - coarsest[0]])


def _detail_bands(
    gray: NDArray[np.float32], with_coarsest: bool = True
) -> list[NDArray[np.float32]]:
    """Return four bands of detail (or three), from fine to coarse, each about twice as coarse."""
    first = _smooth(gray)
    second = _smooth(_smooth(first))
    third = _smooth(second[::2, ::2])
    bands = [
        gray[1:-1, 1:-1] - first,
        first[2:-2, 2:-2] - second,
        second[::2, ::2][1:-1, 1:-1] - third,
    ]
    if with_coarsest:
        fourth = _smooth(_smooth(_smooth(third)))
        bands.append(third[3:-3, 3:-3] - fourth)
    return bands


def _smooth(gray: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the image smoothed with the kernel 1-2-1 both ways, one pixel less on each side."""
    for _ in range(2):  # 1-2-1 is 1-1 applied twice
        gray = gray[:-1] + gray[1:]
        gray = gray[:, :-1] + gray[:, 1:]
    return gray * np.float32(1 / 16)


def _halve(pixels: Pixels) -> NDArray[np.float32]:
    """Return the image at half its size, each pixel the mean of four."""
    height, width = pixels.shape[0] // 2 * 2, pixels.shape[1] // 2 * 2
    even = pixels[:height, :width]
    rows = even[::2].astype(np.uint16) + even[1::2]
    return np.asarray((rows[:, ::2] + rows[:, 1::2]) / np.float32(4), dtype=np.float32)
