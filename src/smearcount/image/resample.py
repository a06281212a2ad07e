"""Resampling: bring pixels to the magnification that a network was trained at.

Training, export checks and counting all use this module, so that they see the same pixels. Any
window of a resized image can be computed without loading the whole image.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from smearcount.image.image import Pixels, Region, SmearImage

PADDING_GRAY: Final = 128
"""The gray level that pads an image: our networks subtract it first, so it becomes zero."""

SourceBox = tuple[float, float, float, float]
"""A part of an image: left, top, right, bottom in pixels, fractions allowed."""

Resampler = Callable[[Pixels, SourceBox, tuple[int, int]], Pixels]
"""Resizes a part of some pixels to a width and height: :func:`resample` or
:func:`resample_fast`."""

BAND_AREA: Final = 4_000_000
"""About how many source pixels are read at once."""


def network_size(width: int, height: int, scale: float, stride: int) -> tuple[int, int]:
    """Return the size at which a network sees an image.

    Each side is scaled and rounded to a multiple of the stride, so nothing is padded or cut off;
    the image is stretched by at most half a stride.

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

    Shrinking averages over every source pixel (Pillow's bilinear filter is antialiased). The box
    may have fractions, so that a tile lies on the same grid as the whole image.

    Args:
        pixels: RGB, shape (h, w, 3), uint8.
        box: the part to resize, in pixels of ``pixels``.
        size: width and height of the result.
    """
    resized = Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR, box=box)
    result: NDArray[np.uint8] = np.asarray(resized)
    return result


def resample_fast(pixels: Pixels, box: SourceBox, size: tuple[int, int]) -> Pixels:
    """Return a part of an image, roughly resized in a tenth of the time of :func:`resample`.

    Whole blocks of pixels are averaged, then each pixel of the result takes the nearest block, so
    that edges come out jagged. That is good enough to estimate the magnification. Enlarging is as
    smooth as in :func:`resample`.

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


def resize_image(image: SmearImage, size: tuple[int, int], window: Region | None = None) -> Pixels:
    """Return an image resized to ``size``, or one window of it.

    Only the source pixels under the window are read, a few megapixels at a time. Each window lies
    on the grid of the whole resized image, so neighboring windows fit together.

    Args:
        image: the image.
        size: width and height of the whole resized image.
        window: the window to return, in resized pixels; None for all of it.

    Returns:
        RGB, uint8, of the window's size.
    """
    left, top, right, bottom = window or (0, 0, *size)
    if size == (image.width, image.height):
        return image.read((left, top, right, bottom))
    zoom_x, zoom_y = image.width / size[0], image.height / size[1]
    per_row = (right - left) * zoom_x * zoom_y
    rows = max(1, math.floor(BAND_AREA / per_row))
    bands = []
    for start in range(top, bottom, rows):
        end = min(start + rows, bottom)
        box = (left * zoom_x, start * zoom_y, right * zoom_x, end * zoom_y)
        bands.append(crop_and_resize(image, box, (right - left, end - start)))
    return bands[0] if len(bands) == 1 else np.concatenate(bands)


def crop_and_resize(
    image: SmearImage, box: SourceBox, size: tuple[int, int], resampler: Resampler = resample
) -> Pixels:
    """Return a part of an image resized to ``size``; only the pixels under it are read.

    A part that shrinks to half or less is read from the image at half its size, where that exists.

    Args:
        image: the image.
        box: the part: left, top, right, bottom in image pixels, fractions allowed.
        size: width and height of the result.
        resampler: :func:`resample` or :func:`resample_fast`.

    Returns:
        RGB, uint8.
    """
    zoom_x, zoom_y = (box[2] - box[0]) / size[0], (box[3] - box[1]) / size[1]
    read, width, height = image.read, image.width, image.height
    if image.half is not None and min(zoom_x, zoom_y) >= 2:
        read, width, height = image.half, (width + 1) // 2, (height + 1) // 2
        box = (box[0] / 2, box[1] / 2, box[2] / 2, box[3] / 2)
        zoom_x, zoom_y = zoom_x / 2, zoom_y / 2
    reach_x = math.ceil(max(zoom_x, 1.0)) + 1  # how far the resampling filter reaches
    reach_y = math.ceil(max(zoom_y, 1.0)) + 1
    x0 = max(math.floor(box[0]) - reach_x, 0)
    y0 = max(math.floor(box[1]) - reach_y, 0)
    x1 = min(math.ceil(box[2]) + reach_x, width)
    y1 = min(math.ceil(box[3]) + reach_y, height)
    inner = (
        box[0] - x0,
        box[1] - y0,
        min(box[2] - x0, float(x1 - x0)),
        min(box[3] - y0, float(y1 - y0)),
    )
    return resampler(read((x0, y0, x1, y1)), inner, size)
