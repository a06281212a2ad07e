"""The one way in which pixels are brought to the magnification that a network wants.

Training, export checks and counting all come through here, so that they see the same picture.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from smearcount.detector.detector import Pixels

SourceBox = tuple[float, float, float, float]
"""A part of an image: left, top, right, bottom in pixels, not necessarily whole."""


def network_size(width: int, height: int, scale: float, stride: int) -> tuple[int, int]:
    """Return the size at which a network sees an image.

    Each side is scaled and rounded to a multiple of the stride, so nothing is padded and nothing
    cut off; the picture is stretched by at most half a stride.

    Args:
        width: in image pixels.
        height: in image pixels.
        scale: network pixels per image pixel.
        stride: what both sides must be multiples of.

    Returns:
        width and height in network pixels, at least one stride each.
    """
    return (
        max(1, round(width * scale / stride)) * stride,
        max(1, round(height * scale / stride)) * stride,
    )


def resample(
    pixels: Pixels, box: SourceBox, size: tuple[int, int], *, rough: bool = False
) -> Pixels:
    """Return a part of an image, smoothly resized.

    Shrinking averages over every source pixel (Pillow's bilinear filter is antialiased), and the
    box may have fractions, so that a tile lies on the same grid as the whole.

    Args:
        pixels: RGB, shape (h, w, 3), uint8.
        box: the part wanted, in pixels of ``pixels``.
        size: width and height of the result.
        rough: a picture to be halved or more is first averaged over whole blocks of pixels: twice
            as fast, and good enough for a glance.
    """
    picture = Image.fromarray(pixels)
    gap = 1.0 if rough else None
    resized = picture.resize(size, Image.Resampling.BILINEAR, box=box, reducing_gap=gap)
    result: NDArray[np.uint8] = np.asarray(resized)
    return result
