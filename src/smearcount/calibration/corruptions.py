"""Corrupted images, and images out of distribution: drawings of anything but a smear."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Pixels = NDArray[np.uint8]


def blur(
    pixels: Pixels, sigma_px: float, noise: float = 0.0, rng: np.random.Generator | None = None
) -> Pixels:
    """Return an image out of focus.

    Args:
        pixels: RGB, shape (h, w, 3), uint8.
        sigma_px: standard deviation of the Gaussian blur.
        noise: standard deviation of the camera's noise added to it, in gray levels.
        rng: draws the noise; needed where there is any.
    """
    blurred = np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(float(sigma_px))))
    if not noise or rng is None:
        return blurred
    noisy = blurred + rng.normal(0, noise, blurred.shape)
    return np.clip(np.round(noisy), 0, 255).astype(np.uint8)


def change_exposure(pixels: Pixels, stops: float) -> Pixels:
    """Return an image taken with more or less light.

    Args:
        pixels: sRGB, shape (h, w, 3), uint8.
        stops: +1 doubles the light, -1 halves it; what exceeds white is clipped.
    """
    levels = np.arange(256) / 255
    light = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    light = np.clip(light * 2.0**stops, 0, 1)
    shown = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    table = np.round(shown * 255).astype(np.uint8)
    return np.asarray(table[pixels])


def out_of_distribution_images(
    count: int, seed: int = 0, size: tuple[int, int] = (640, 480)
) -> list[Pixels]:
    """Return drawn images that show no smear, of twelve kinds in turn.

    Args:
        count: how many.
        seed: of all that is drawn at random.
        size: width and height in pixels.
    """
    rng = np.random.default_rng(seed)
    return [_KINDS[k % len(_KINDS)](rng, *size) for k in range(count)]


def _plain(rng: np.random.Generator, w: int, h: int) -> Pixels:
    return np.broadcast_to(rng.integers(0, 256, 3, dtype=np.uint8), (h, w, 3)).copy()


def _gradient(rng: np.random.Generator, w: int, h: int) -> Pixels:
    first, second = rng.integers(0, 256, (2, 3))
    slope = np.linspace(0, 1, w)[None, :, None] * rng.random() + np.linspace(0, 1, h)[
        :, None, None
    ] * (1 - rng.random())
    return np.asarray(np.clip(first + (second - first) * slope, 0, 255), dtype=np.uint8)


def _noise(rng: np.random.Generator, w: int, h: int) -> Pixels:
    return rng.integers(0, 256, (h, w, 3), dtype=np.uint8)


def _clouds(rng: np.random.Generator, w: int, h: int) -> Pixels:
    layers = np.zeros((h, w, 3))
    for cells in (4, 8, 16, 32, 64):
        coarse = rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
        grown = Image.fromarray(coarse).resize((w, h), Image.Resampling.BICUBIC)
        layers += np.asarray(grown, dtype=float) / cells
    layers -= layers.min()
    return np.asarray(layers / layers.max() * 255, dtype=np.uint8)


def _stripes(rng: np.random.Generator, w: int, h: int) -> Pixels:
    y, x = np.mgrid[:h, :w]
    angle, period = rng.uniform(0, np.pi), rng.uniform(6, 120)
    wave = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period) / 2 + 0.5
    first, second = rng.integers(0, 256, (2, 3))
    return np.asarray(first + (second - first) * wave[..., None], dtype=np.uint8)


def _checks(rng: np.random.Generator, w: int, h: int) -> Pixels:
    side = int(rng.integers(8, 100))
    y, x = np.mgrid[:h, :w] // side
    colors = rng.integers(0, 256, (2, 3), dtype=np.uint8)
    return np.asarray(colors[(x + y) % 2])


def _text(rng: np.random.Generator, w: int, h: int) -> Pixels:
    picture = Image.new("RGB", (w, h), "white")
    pen = ImageDraw.Draw(picture)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz     ,."))
    for top in range(8, h, int(rng.integers(12, 24))):
        pen.text((8, top), "".join(rng.choice(letters, w // 6)), fill="black")
    return np.asarray(picture)


def _boxes(rng: np.random.Generator, w: int, h: int) -> Pixels:
    return _shapes(rng, w, h, round_ones=False, colors=None)


def _discs(rng: np.random.Generator, w: int, h: int) -> Pixels:
    return _shapes(rng, w, h, round_ones=True, colors=None)


def _gray_discs(rng: np.random.Generator, w: int, h: int) -> Pixels:
    """Return dark discs on gray, like coins or cells in phase contrast."""
    gray = np.repeat(rng.integers(20, 200, (6, 1)), 3, axis=1)
    return _shapes(rng, w, h, round_ones=True, colors=gray)


def _landscape(rng: np.random.Generator, w: int, h: int) -> Pixels:
    sky = np.array([120, 170, 235]) + rng.integers(-20, 20, 3)
    picture = np.tile(np.linspace(1, 0.8, h)[:, None, None] * sky, (1, w, 1))
    line = h / 2 + np.cumsum(rng.normal(0, 2, w))
    ground = np.arange(h)[:, None] > line[None]
    grass = np.array([60, 120, 40]) + rng.normal(0, 18, (h, w, 1))
    return np.clip(np.where(ground[..., None], grass, picture), 0, 255).astype(np.uint8)


def _fluorescence(rng: np.random.Generator, w: int, h: int) -> Pixels:
    """Return bright spots of one color on black."""
    color = np.eye(3)[rng.integers(3)] * 255
    spots = _shapes(rng, w, h, round_ones=True, colors=np.array([[0, 0, 0], color, color]))
    return blur(spots, 3)


def _shapes(
    rng: np.random.Generator,
    w: int,
    h: int,
    *,
    round_ones: bool,
    colors: NDArray[np.floating] | NDArray[np.int64] | None,
) -> Pixels:
    palette = rng.integers(0, 256, (12, 3)) if colors is None else colors
    paint = [tuple(int(part) for part in color) for color in palette]
    picture = Image.new("RGB", (w, h), paint[0])
    pen = ImageDraw.Draw(picture)
    draw = pen.ellipse if round_ones else pen.rectangle
    for _ in range(int(rng.integers(6, 60))):
        left, top = int(rng.integers(-40, w)), int(rng.integers(-40, h))
        wide, tall = (int(side) for side in rng.integers(15, 150, 2))
        draw((left, top, left + wide, top + tall), fill=paint[int(rng.integers(1, len(paint)))])
    return np.asarray(picture)


_KINDS: Final[tuple[Callable[[np.random.Generator, int, int], Pixels], ...]] = (
    _plain,
    _gradient,
    _noise,
    _clouds,
    _stripes,
    _checks,
    _text,
    _boxes,
    _discs,
    _gray_discs,
    _landscape,
    _fluorescence,
)
