"""A pyramid of tiles on disk, so that the page can pan and zoom an image of any size.

Level 0 is the image itself; each further level is half as wide and half as high, down to one that
fits into a single tile.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from smearcount.image.image import SmearImage

TILE_SIDE = 512
THUMBNAIL_SIDE = 320
_QUALITY = 90


def level_count(width: int, height: int) -> int:
    """Return how many levels the pyramid of an image of this size in pixels has."""
    levels = 1
    while max(width, height) > TILE_SIDE:
        width, height = (width + 1) // 2, (height + 1) // 2
        levels += 1
    return levels


def build_pyramid(image: SmearImage, folder: Path) -> None:
    """Write ``folder/thumbnail.jpg`` and every tile as ``folder/<level>/<column>_<row>.jpg``.

    The image is read in bands of one tile's height; a quarter of its pixels is held in memory.
    The folder appears only when it is complete.

    Raises:
        OSError: the disk is full or not writable.
    """
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    bands = _bands_of_image(image)
    for level in range(level_count(image.width, image.height)):
        smaller = _write_level(part / str(level), bands)
        bands = _bands_of_array(smaller)
    with Image.open(part / str(level) / "0_0.jpg") as top:
        top.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        top.save(part / "thumbnail.jpg", quality=_QUALITY)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


def _bands_of_image(image: SmearImage) -> Iterator[NDArray[np.uint8]]:
    for top in range(0, image.height, TILE_SIDE):
        yield image.read((0, top, image.width, min(top + TILE_SIDE, image.height)))


def _bands_of_array(pixels: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    for top in range(0, len(pixels), TILE_SIDE):
        yield pixels[top : top + TILE_SIDE]


def _write_level(folder: Path, bands: Iterator[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Write the tiles of a level; return the level above it, shape (h/2, w/2, 3), uint8."""
    folder.mkdir(parents=True)
    halves = []
    for row, band in enumerate(bands):
        picture = Image.fromarray(band)
        for column, left in enumerate(range(0, picture.width, TILE_SIDE)):
            right = min(left + TILE_SIDE, picture.width)
            tile = picture.crop((left, 0, right, picture.height))
            tile.save(folder / f"{column}_{row}.jpg", quality=_QUALITY, subsampling=0)
        halves.append(np.asarray(picture.reduce(2)))
    return np.concatenate(halves)
