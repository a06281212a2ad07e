"""Find near-duplicate images by a perceptual hash: flipped, turned, scaled or recompressed copies.

A model that has seen a photograph in training is not measured by it, so a photograph must not lie
on both sides of a split. The perceptual hash of an image is its 24×24 gray thumbnail, with mean
and variance normalized. Two images are near-duplicates if the correlation of their hashes exceeds
0.9 under any of the eight flips and quarter turns, and 0.6 after the shading is taken out: two
fields of one microscope share its vignette, but no cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from smearcount.datasets.dataset import Dataset
from smearcount.errors import DataError, ImageError
from smearcount.image.read import open_image

HASH_SIDE: Final = 24
"""Side of a perceptual hash in pixels."""

MIN_CORRELATION: Final = 0.9
"""Near-duplicates have hashes that correlate by more than this."""

MIN_CORRELATION_WITHOUT_SHADING: Final = 0.6
"""And by more than this without shading; the known near-duplicates have 0.88 or more."""

_BLOCK: Final = 512
"""So many images are compared with all others at a time, to bound the memory."""


@dataclass(frozen=True)
class NearDuplicate:
    """Two images that show the same picture.

    Attributes:
        first: an image of the first data set.
        second: an image of the second, or a later one of the first.
        correlation: of their hashes, in (0.9, 1].
    """

    first: Path
    second: Path
    correlation: float


@dataclass(frozen=True, eq=False)
class HashedImages:
    """Images with their perceptual hashes.

    Attributes:
        paths: image files.
        hashes: shape (n, 24, 24), float32; see :func:`perceptual_hashes`.
    """

    paths: tuple[Path, ...]
    hashes: NDArray[np.float32]


def perceptual_hashes(paths: Sequence[Path]) -> NDArray[np.float32]:
    """Return the perceptual hash of each image.

    Args:
        paths: image files.

    Returns:
        shape (n, 24, 24), float32, each with mean 0 and norm 1 (all 0 for an image of one gray),
        so that the sum of the product of two is their correlation.

    Raises:
        DataError: an image cannot be read.
    """
    found = np.zeros((len(paths), HASH_SIDE, HASH_SIDE), dtype=np.float32)
    for row, path in enumerate(paths):
        try:
            with Image.open(path) as image:
                image.draft("L", (4 * HASH_SIDE, 4 * HASH_SIDE))
                gray = image.convert("L")
                if image.mode.startswith(("I", "F")):  # Pillow would clip all values above 255
                    gray = Image.fromarray(open_image(path).pixels()).convert("L")
                small = gray.resize((HASH_SIDE, HASH_SIDE), Image.Resampling.BOX)
        except (OSError, SyntaxError, ValueError, ImageError) as error:
            raise DataError(f"{path}: this image cannot be read ({error}).") from None
        found[row] = np.asarray(small, dtype=np.float32)
    found -= found.mean(axis=(1, 2), keepdims=True)
    norm = np.sqrt((found**2).sum(axis=(1, 2), keepdims=True))
    return np.asarray(np.divide(found, norm, out=np.zeros_like(found), where=norm > 1e-3))


def without_shading(hashes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Subtract from each hash the quadratic surface that fits it best; the norm is 1 again."""
    y, x = np.mgrid[-1 : 1 : HASH_SIDE * 1j, -1 : 1 : HASH_SIDE * 1j]
    surfaces = np.stack([np.ones_like(x), x, y, x * y, x**2, y**2], axis=-1).reshape(-1, 6)
    smooth = np.linalg.qr(surfaces).Q.astype(np.float32)
    flat = hashes.reshape(-1, HASH_SIDE * HASH_SIDE)
    rest = flat - flat @ smooth @ smooth.T
    norm = np.linalg.norm(rest, axis=1, keepdims=True)
    whole = np.divide(rest, norm, out=np.zeros_like(rest), where=norm > 1e-3)
    return np.asarray(whole, dtype=np.float32).reshape(hashes.shape)


def flips_and_turns(hashes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return hashes, shape (n, 24, 24), under all flips and quarter turns, (8, n, 24, 24)."""
    turns = [np.rot90(hashes, quarter, axes=(1, 2)) for quarter in range(4)]
    return np.stack([*turns, *(turn[:, :, ::-1] for turn in turns)])


def correlations(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the correlation of every pair of hashes, the best of the eight poses, shape (n, m)."""
    flat = first.reshape(len(first), HASH_SIDE * HASH_SIDE)
    best = np.full((len(first), len(second)), -1, dtype=np.float32)
    for pose in flips_and_turns(second):
        np.maximum(best, flat @ pose.reshape(len(second), HASH_SIDE * HASH_SIDE).T, out=best)
    return best


def find_near_duplicates(first: Dataset, second: Dataset | None = None) -> list[NearDuplicate]:
    """Return the pairs of images that show the same picture, highest correlation first.

    Args:
        first: a data set.
        second: another; None compares the first with itself. A file that is in both is a pair
            with itself, because the two data sets overlap there.

    Raises:
        DataError: an image cannot be read.

    Example:
        >>> import tempfile
        >>> from dataclasses import replace
        >>> from pathlib import Path
        >>> from PIL import Image
        >>> from smearcount.datasets import find_near_duplicates
        >>> from smearcount.synthetic.dataset import draw_dataset
        >>> folder = Path(tempfile.mkdtemp())
        >>> drawn = draw_dataset(folder, 2)
        >>> first = drawn.images[0]
        >>> turned = replace(first, path=folder / "turned.jpg")
        >>> Image.open(first.path).transpose(Image.Transpose.ROTATE_90).save(turned.path)
        >>> pairs = find_near_duplicates(replace(drawn, images=(*drawn.images, turned)))
        >>> [(pair.first.name, pair.second.name) for pair in pairs]
        [('smear-0.png', 'turned.jpg')]
    """
    return match_hashes(hash_dataset(first), None if second is None else hash_dataset(second))


def hash_dataset(dataset: Dataset) -> HashedImages:
    """Return the images of a data set with their perceptual hashes.

    Raises:
        DataError: an image cannot be read.
    """
    paths = tuple(image.path for image in dataset.images)
    return HashedImages(paths, perceptual_hashes(paths))


def match_hashes(first: HashedImages, second: HashedImages | None = None) -> list[NearDuplicate]:
    """Return the pairs of near-duplicates, highest correlation first.

    Args:
        first: images with hashes.
        second: others; None compares the first with each other.
    """
    others = first if second is None else second
    flat, other_flat = without_shading(first.hashes), without_shading(others.hashes)
    pairs = []
    for start in range(0, len(first.paths), _BLOCK):
        block = slice(start, start + _BLOCK)
        correlation = correlations(first.hashes[block], others.hashes)
        same = correlation > MIN_CORRELATION
        if same.any():
            same &= correlations(flat[block], other_flat) > MIN_CORRELATION_WITHOUT_SHADING
        for row, column in np.argwhere(same):
            if second is not None or start + row < column:
                value = min(float(correlation[row, column]), 1.0)
                pair = NearDuplicate(first.paths[start + row], others.paths[column], value)
                pairs.append(pair)
    return sorted(pairs, key=lambda pair: -pair.correlation)


def without_duplicates_of(dataset: Dataset, others: Dataset) -> Dataset:
    """Return the data set without the images that show a picture of ``others``.

    Raises:
        DataError: an image cannot be read.

    Example:
        >>> import tempfile
        >>> from smearcount.datasets import without_duplicates_of
        >>> from smearcount.synthetic.dataset import draw_dataset
        >>> val, train = (draw_dataset(tempfile.mkdtemp(), 2, seed=seed) for seed in (0, 1))
        >>> [image.path.name for image in without_duplicates_of(val, train).images]
        ['smear-0.png']
    """
    repeated = {pair.first for pair in find_near_duplicates(dataset, others)}
    return replace(dataset, images=tuple(i for i in dataset.images if i.path not in repeated))


def deduplicate(dataset: Dataset) -> Dataset:
    """Return the data set with each picture once: the first image that shows it.

    Raises:
        DataError: an image cannot be read.

    Example:
        >>> import tempfile
        >>> from dataclasses import replace
        >>> from smearcount.datasets import deduplicate
        >>> from smearcount.synthetic.dataset import draw_dataset
        >>> one, again = (draw_dataset(tempfile.mkdtemp(), 1) for _ in range(2))
        >>> len(deduplicate(replace(one, images=one.images + again.images)))
        1
    """
    place = {image.path: row for row, image in enumerate(dataset.images)}
    pairs = find_near_duplicates(dataset)
    dropped: set[Path] = set()
    for pair in sorted(pairs, key=lambda pair: (place[pair.first], place[pair.second])):
        if pair.first not in dropped:
            dropped.add(pair.second)
    return replace(dataset, images=tuple(i for i in dataset.images if i.path not in dropped))
