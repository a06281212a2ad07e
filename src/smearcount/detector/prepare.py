"""The one way in which pixels are brought to the magnification that a network wants.

Training, export checks and counting all come through here, so that they see the same picture.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from smearcount.detector.detector import Pixels

GREY: Final = 128
"""The grey that stands outside a picture: zero for our networks, which subtract it."""

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


def resample(pixels: Pixels, box: SourceBox, size: tuple[int, int]) -> Pixels:
    """Return a part of an image, smoothly resized.

    Shrinking averages over every source pixel (Pillow's bilinear filter is antialiased), and the
    box may have fractions, so that a tile lies on the same grid as the whole.

    Args:
        pixels: RGB, shape (h, w, 3), uint8.
        box: the part wanted, in pixels of ``pixels``.
        size: width and height of the result.
    """
    picture = Image.fromarray(pixels)
    resized = picture.resize(size, Image.Resampling.BILINEAR, box=box)
    result: NDArray[np.uint8] = np.asarray(resized)
    return result


def glance(pixels: Pixels, box: SourceBox, size: tuple[int, int]) -> Pixels:
    """Return a part of an image, roughly resized: enough for the ruler, in a tenth of the time.

    Whole blocks of pixels are averaged, then each pixel of the result takes the block that lies
    nearest, so that edges come out jagged. Enlarging is as smooth as in :func:`resample`.

    The arguments are those of :func:`resample`.
    """
    zoom = min((box[2] - box[0]) / size[0], (box[3] - box[1]) / size[1])
    if zoom < 1:
        return resample(pixels, box, size)
    picture = Image.fromarray(pixels)
    blocks = int(zoom)
    if blocks > 1:
        picture = picture.reduce(blocks)
        left, top, right, bottom = (side / blocks for side in box)
        box = (left, top, min(right, picture.width), min(bottom, picture.height))
    result: NDArray[np.uint8] = np.asarray(picture.resize(size, Image.Resampling.NEAREST, box=box))
    return result
