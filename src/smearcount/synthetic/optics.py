"""Simulate the microscope and the camera: from optical density to the pixels of a photograph."""

from __future__ import annotations

import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from smearcount.synthetic.outline import Floats
from smearcount.synthetic.stain import Density, Stain


def stray_px(blur_px: float, fringe_px: float) -> int:
    """Return how far blur and color fringe carry light, in whole pixels, rounded up."""
    return math.ceil(3 * blur_px + fringe_px) + 1


def transmit(density: Density, stain: Stain, blur_px: float, fringe_px: float) -> Floats:
    """Return the light that passes a layer and the lens, shape (h, w, 3), about 0 to 1.

    Args:
        density: optical density, shape (h + 2 m, w + 2 m, 3), where m is ``stray_px``.
        stain: gives the color of the empty slide.
        blur_px: standard deviation of the Gaussian blur in pixels, above 0.
        fringe_px: how far red and blue are shifted apart from green along x, in pixels.
    """
    light = np.exp(-density) * np.asarray(stain.background, dtype=np.float32)
    margin = stray_px(blur_px, fringe_px)
    shifts = np.array([fringe_px, 0.0, -fringe_px])
    light = _blur_rows(light, margin, blur_px, np.zeros(3)).transpose(1, 0, 2)
    return _blur_rows(light, margin, blur_px, shifts).transpose(1, 0, 2)


def _blur_rows(
    light: Floats, margin: int, blur_px: float, shifts_px: NDArray[np.float64]
) -> Floats:
    """Blur along the first axis and move each channel by its own shift; the margin is dropped."""
    taps = np.arange(-margin, margin + 1)[:, None]
    kernel = np.exp(-(((taps - shifts_px) / blur_px) ** 2) / 2)
    kernel = (kernel / kernel.sum(axis=0)).astype(np.float32)
    length = len(light) - 2 * margin
    blurred = np.zeros((length, *light.shape[1:]), dtype=np.float32)
    for start, weights in enumerate(kernel[::-1]):
        blurred += light[start : start + length] * weights
    return blurred


def lamp(size: tuple[int, int], center: tuple[float, float], shading: float) -> Floats:
    """Return the illumination of each pixel, shape (height, width), in (0, 1].

    Args:
        size: width and height of the image in pixels.
        center: where the light is brightest, as shares of width and height.
        shading: the share of the light lost in the corner farthest from there.
    """
    x = (np.arange(size[0]) + 0.5) / size[0] - center[0]
    y = (np.arange(size[1]) + 0.5) / size[1] - center[1]
    farthest = max(center[0], 1 - center[0]) ** 2 + max(center[1], 1 - center[1]) ** 2
    return (1 - shading * (x**2 + y[:, None] ** 2) / farthest).astype(np.float32)


def expose(light: Floats, noise: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the sensor's 8-bit pixels for the light, with noise; same shape.

    Args:
        light: shape (h, w, 3), about 0 to 1.
        noise: standard deviation in full white, as a share of it; it falls with the square root
            of the light.
        rng: draws the noise.
    """
    grains = rng.standard_normal(light.shape, dtype=np.float32)
    noisy = light + np.float32(noise) * grains * np.sqrt(np.clip(light, 0, 1))
    return (np.clip(noisy, 0, 1) * 255 + 0.5).astype(np.uint8)


def compress(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Return the pixels, shape (h, w, 3), with the traces of JPEG at a quality from 1 to 100."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="JPEG", quality=quality)
    with Image.open(file) as decoded:
        return np.asarray(decoded.convert("RGB"))
