"""The microscope and the camera: from optical density to the pixels of a photograph."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from smearcount.errors import UsageError
from smearcount.synthetic.outline import Floats
from smearcount.synthetic.stain import Stain


@dataclass(frozen=True)
class Optics:
    """What the microscope and the camera do to the light.

    Attributes:
        shading: the share of the light lost in the darkest corner, in [0, 0.9].
        blur_px: standard deviation of the Gaussian blur, in pixels; at least 0.3.
        fringe_px: how far red and blue are shifted apart from green, in pixels.
        noise: standard deviation of the sensor's noise in full white, as a share of it.
        jpeg_quality: from 1 to 100; None leaves the pixels uncompressed.

    Raises:
        UsageError: a value lies outside its range.
    """

    shading: float = 0.1
    blur_px: float = 0.8
    fringe_px: float = 0.3
    noise: float = 0.01
    jpeg_quality: int | None = 92

    def __post_init__(self) -> None:
        if not 0 <= self.shading <= 0.9:
            raise UsageError(f"shading must lie from 0 to 0.9, not {self.shading}.")
        if not 0.3 <= self.blur_px < math.inf:
            raise UsageError(f"blur must be at least 0.3 px, not {self.blur_px}.")
        if not (0 <= self.fringe_px < math.inf and 0 <= self.noise < math.inf):
            raise UsageError("fringe and noise cannot be negative.")
        if self.jpeg_quality is not None and not 1 <= self.jpeg_quality <= 100:
            raise UsageError(f"JPEG quality must lie from 1 to 100, not {self.jpeg_quality}.")

    @property
    def margin_px(self) -> int:
        """How far, in pixels, light strays: what lies farther away leaves no trace."""
        return math.ceil(3 * self.blur_px + self.fringe_px) + 1


def shade(
    rows: NDArray[np.int64], size: tuple[int, int], centre: tuple[float, float], shading: float
) -> Floats:
    """Return the light that reaches each pixel of some rows, in (0, 1], shape (len(rows), width).

    Args:
        rows: which rows of the image, from the top.
        size: width and height of the image in pixels.
        centre: where the light is brightest, as shares of width and height.
        shading: the share of the light lost in the corner farthest from there.
    """
    width, height = size
    x = (np.arange(width) + 0.5) / width - centre[0]
    y = (rows + 0.5) / height - centre[1]
    farthest = max(centre[0], 1 - centre[0]) ** 2 + max(centre[1], 1 - centre[1]) ** 2
    return (1 - shading * (x**2 + y[:, None] ** 2) / farthest).astype(np.float32)


def transmit(density: Floats, stain: Stain, optics: Optics) -> Floats:
    """Return the light behind a layer, blurred by the lens, without its margin.

    Args:
        density: optical density, shape (h + 2 margin, w + 2 margin, 3); see ``Optics.margin_px``.
        stain: whose background shines through.
        optics: blur and fringe.

    Returns:
        shape (h, w, 3), about 0 to 1.
    """
    light = np.exp(-density) * np.asarray(stain.background, dtype=np.float32)
    shifts = np.array([optics.fringe_px, 0.0, -optics.fringe_px])
    light = _blur_rows(light, optics, np.zeros(3)).transpose(1, 0, 2)
    return _blur_rows(light, optics, shifts).transpose(1, 0, 2)


def _blur_rows(light: Floats, optics: Optics, shift_px: NDArray[np.float64]) -> Floats:
    """Blur along the first axis, each channel moved by its own shift; drops the margin."""
    margin = optics.margin_px
    taps = np.arange(-margin, margin + 1)[:, None]
    kernel = np.exp(-(((taps - shift_px) / optics.blur_px) ** 2) / 2)
    kernel = (kernel / kernel.sum(axis=0)).astype(np.float32)
    length = len(light) - 2 * margin
    blurred = np.zeros((length, *light.shape[1:]), dtype=np.float32)
    for start, weights in enumerate(kernel[::-1]):
        blurred += light[start : start + length] * weights
    return blurred


def expose(light: Floats, optics: Optics, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return what the sensor makes of the light: noise, then 8 bits; same shape."""
    noise = rng.standard_normal(light.shape, dtype=np.float32)
    noisy = light + np.float32(optics.noise) * noise * np.sqrt(np.clip(light, 0, 1))
    return (np.clip(noisy, 0, 1) * 255 + 0.5).astype(np.uint8)


def develop(pixels: NDArray[np.uint8], optics: Optics) -> Image.Image:
    """Return the photograph, with the traces of JPEG compression if there is any.

    Args:
        pixels: RGB, shape (height, width, 3), uint8.
        optics: the JPEG quality.
    """
    picture = Image.fromarray(pixels)
    if optics.jpeg_quality is None:
        return picture
    file = io.BytesIO()
    picture.save(file, format="JPEG", quality=optics.jpeg_quality)
    with Image.open(file) as decoded:
        return decoded.convert("RGB")
