"""Find the same picture twice, however it was flipped, turned, scaled or recompressed.

A data set that holds a photograph on both sides of a split measures memory, not skill. Each image
becomes a fingerprint, its 24×24 grey thumbnail with mean and variance taken out; two are the same
picture when the correlation exceeds 0.9 under any of the eight flips and quarter turns, and 0.6
without the shading: the fields of one microscope share its vignette, though no cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from smearcount.datasets.read import Dataset
from smearcount.errors import DataError, ImageError
from smearcount.image.read import open_image

SIDE: Final = 24
"""Side of a fingerprint in pixels."""

SAME: Final = 0.9
"""Correlation above which two images are the same picture."""

SAME_CELLS: Final = 0.6
"""What their correlation must exceed without shading: same pictures of ours have 0.88 and more."""

_BLOCK: Final = 512


@dataclass(frozen=True)
class Pair:
    """Two images that show the same picture.

    Attributes:
        first: an image of the first data set.
        second: an image of the second, or a later one of the first.
        correlation: of their fingerprints, in (0.9, 1].
    """

    first: Path
    second: Path
    correlation: float


@dataclass(frozen=True, eq=False)
class Prints:
    """Images and their fingerprints.

    Attributes:
        paths: image files.
        prints: shape (n, 24, 24); see :func:`fingerprints`.
    """

    paths: tuple[Path, ...]
    prints: NDArray[np.float32]


def fingerprints(paths: Sequence[Path]) -> NDArray[np.float32]:
    """Return the fingerprint of each image.

    Args:
        paths: image files.

    Returns:
        shape (n, 24, 24), each with mean 0 and norm 1 (all 0 for an image of one grey), so that
        the sum of a product is a correlation.

    Raises:
        DataError: an image cannot be read.
    """
    found = np.zeros((len(paths), SIDE, SIDE), dtype=np.float32)
    for row, path in enumerate(paths):
        try:
            with Image.open(path) as image:
                image.draft("L", (4 * SIDE, 4 * SIDE))
                grey = image.convert("L")
                if image.mode.startswith(("I", "F")):  # Pillow would cut all but the darkest off
                    grey = Image.fromarray(open_image(path).pixels()).convert("L")
                small = grey.resize((SIDE, SIDE), Image.Resampling.BOX)
        except (OSError, SyntaxError, ValueError, ImageError) as error:
            raise DataError(f"{path}: this image cannot be read ({error}).") from None
        found[row] = np.asarray(small, dtype=np.float32)
    found -= found.mean(axis=(1, 2), keepdims=True)
    norm = np.sqrt((found**2).sum(axis=(1, 2), keepdims=True))
    return np.asarray(np.divide(found, norm, out=np.zeros_like(found), where=norm > 1e-3))


def without_shading(prints: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return fingerprints without the quadratic surface that fits each best, of norm 1 again."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    surfaces = np.stack([np.ones_like(x), x, y, x * y, x**2, y**2], axis=-1).reshape(-1, 6)
    smooth = np.linalg.qr(surfaces).Q.astype(np.float32)
    flat = prints.reshape(-1, SIDE * SIDE)
    rest = flat - flat @ smooth @ smooth.T
    norm = np.linalg.norm(rest, axis=1, keepdims=True)
    whole = np.divide(rest, norm, out=np.zeros_like(rest), where=norm > 1e-3)
    return np.asarray(whole, dtype=np.float32).reshape(prints.shape)


def turned(prints: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return fingerprints, shape (n, 24, 24), under all flips and turns, shape (8, n, 24, 24)."""
    turns = [np.rot90(prints, quarter, axes=(1, 2)) for quarter in range(4)]
    return np.stack([*turns, *(turn[:, :, ::-1] for turn in turns)])


def correlations(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the best correlation of every pair of fingerprints over the eight poses, (n, m)."""
    flat = first.reshape(len(first), SIDE * SIDE)
    best = np.full((len(first), len(second)), -1, dtype=np.float32)
    for pose in turned(second):
        np.maximum(best, flat @ pose.reshape(len(second), SIDE * SIDE).T, out=best)
    return best


def near_duplicates(first: Dataset, second: Dataset | None = None) -> list[Pair]:
    """Return the pairs of images that show the same picture, most alike first.

    Args:
        first: a data set.
        second: another; None compares the first with itself. A file that both hold pairs with
            itself, for then the two overlap.

    Raises:
        DataError: an image cannot be read.
    """
    prints = prints_of(first)
    return alike(prints, None if second is None else prints_of(second))


def prints_of(dataset: Dataset) -> Prints:
    """Return the fingerprints of a data set.

    Raises:
        DataError: an image cannot be read.
    """
    paths = tuple(image.path for image in dataset.images)
    return Prints(paths, fingerprints(paths))


def alike(first: Prints, second: Prints | None = None) -> list[Pair]:
    """Return the pairs of fingerprints of one picture, most alike first.

    Args:
        first: fingerprints.
        second: others; None compares the first with each other.
    """
    others = first if second is None else second
    plain, other_plain = without_shading(first.prints), without_shading(others.prints)
    pairs = []
    for start in range(0, len(first.paths), _BLOCK):
        block = slice(start, start + _BLOCK)
        likeness = correlations(first.prints[block], others.prints)
        same = likeness > SAME
        if same.any():
            same &= correlations(plain[block], other_plain) > SAME_CELLS
        for row, column in np.argwhere(same):
            if second is not None or start + row < column:
                score = min(float(likeness[row, column]), 1.0)
                pairs.append(Pair(first.paths[start + row], others.paths[column], score))
    return sorted(pairs, key=lambda pair: -pair.correlation)


def without_duplicates_of(dataset: Dataset, others: Dataset) -> Dataset:
    """Return the data set without the images that show a picture of ``others``.

    Raises:
        DataError: an image cannot be read.
    """
    seen = {pair.first for pair in near_duplicates(dataset, others)}
    return replace(dataset, images=tuple(i for i in dataset.images if i.path not in seen))


def distinct(dataset: Dataset) -> Dataset:
    """Return the data set with each picture once: the first image that shows it.

    Raises:
        DataError: an image cannot be read.
    """
    place = {image.path: row for row, image in enumerate(dataset.images)}
    dropped: set[Path] = set()
    for pair in sorted(near_duplicates(dataset), key=lambda p: (place[p.first], place[p.second])):
        if pair.first not in dropped:
            dropped.add(pair.second)
    return replace(dataset, images=tuple(i for i in dataset.images if i.path not in dropped))
