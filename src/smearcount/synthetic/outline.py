"""Cell outlines: closed curves about a center, and the patch of pixels that one fills."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]

_ANGLES = np.linspace(-np.pi, np.pi, 361, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Outline:
    """A closed curve in polar form: one radius per angle around its center.

    Attributes:
        radius_px: shape (361,), float32, distance from the center in pixels at each degree from
            -180 to 180, the first and last being the same point.
    """

    radius_px: Floats

    @cached_property
    def reach_px(self) -> float:
        """The largest radius, in pixels."""
        return float(self.radius_px.max())

    @cached_property
    def box_xyxy_px(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the curve in pixels, relative to the center."""
        x = self.radius_px * np.cos(_ANGLES)
        y = self.radius_px * np.sin(_ANGLES)
        return float(x.min()), float(y.min()), float(x.max()), float(y.max())


@dataclass(frozen=True, eq=False)
class Patch:
    """The pixels around a cell, in coordinates relative to its center.

    Attributes:
        x_px: shape (h, w), float32, to the right of the center.
        y_px: shape (h, w), float32, below the center.
        distance_px: shape (h, w), float32, from the center.
        edge_px: shape (h, w), float32, radius of the outline in the direction of the pixel.
    """

    x_px: Floats
    y_px: Floats
    distance_px: Floats
    edge_px: Floats

    @cached_property
    def level(self) -> Floats:
        """Distance from the center over the outline's radius, so 1 on the outline; shape (h, w)."""
        return self.distance_px / self.edge_px

    @cached_property
    def inside(self) -> Floats:
        """How much of each pixel the cell fills, in [0, 1], shape (h, w)."""
        return filled(self.edge_px - self.distance_px)


def visible_box(
    outline: Outline, x_px: float, y_px: float, size: tuple[int, int]
) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom of the part of a curve that lies in an image, in pixels.

    A cell cut by the border is narrower along it than the whole cell.

    Args:
        outline: the curve; some of what it encloses lies in the image.
        x_px: its center in the image, pixels from the left edge.
        y_px: its center in the image, pixels from the top edge.
        size: width and height of the image in pixels.
    """
    curve = outline.radius_px * np.array([np.cos(_ANGLES), np.sin(_ANGLES)])
    points = np.asarray(curve.T, dtype=np.float64) + np.array([x_px, y_px])
    for axis in (0, 1):
        points = _cut(points, axis, 0, above=True)
        points = _cut(points, axis, size[axis], above=False)
    left, top = points.min(axis=0)
    right, bottom = points.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def _cut(points: NDArray[np.float64], axis: int, at: float, *, above: bool) -> NDArray[np.float64]:
    """Return the part of a closed polygon, shape (n, 2), on one side of a line."""
    side = points[:, axis] - at if above else at - points[:, axis]
    following, side_following = np.roll(points, -1, axis=0), np.roll(side, -1)
    crossing = (side >= 0) != (side_following >= 0)
    share = np.where(crossing, side / np.where(crossing, side - side_following, 1), 0)
    met = points + share[:, None] * (following - points)
    met[crossing, axis] = at
    both = np.stack([points, met], axis=1)
    return np.asarray(both[np.stack([side >= 0, crossing], axis=1)])


def smooth_outline(
    rng: np.random.Generator, radius_px: float, aspect: float, roughness: float
) -> Outline:
    """Draw a slightly irregular ellipse.

    Args:
        rng: draws its direction and its irregularities.
        radius_px: the radius of the circle of the same area, in pixels.
        aspect: the short axis over the long axis, in (0, 1].
        roughness: the size of the irregularities over the radius; they are waves with 3 to 6
            periods around the outline.
    """
    turned = _ANGLES - rng.uniform(0, np.pi)
    ellipse = np.sqrt(aspect) / np.sqrt(
        (aspect * np.cos(turned)) ** 2 + np.sin(turned) ** 2, dtype=np.float32
    )
    waves = sum(
        rng.normal(0, roughness / order) * np.cos(order * _ANGLES + rng.uniform(0, 2 * np.pi))
        for order in (3, 4, 5, 6)
    )
    return Outline((radius_px * ellipse * (1 + waves)).astype(np.float32))


def crenated(outline: Outline, rng: np.random.Generator) -> Outline:
    """Return the outline with the short, even spikes of an echinocyte."""
    spikes = rng.integers(9, 15)
    wave = np.cos(spikes * _ANGLES + rng.uniform(0, 2 * np.pi))
    return Outline(outline.radius_px * (1 + 0.05 * wave).astype(np.float32))


def tailed(outline: Outline, rng: np.random.Generator) -> Outline:
    """Return the outline with a tail to one side, as a teardrop cell has."""
    away = np.angle(np.exp(1j * (_ANGLES - rng.uniform(-np.pi, np.pi))))
    tail = rng.uniform(0.3, 0.6) * np.exp(-((away / 0.35) ** 2))
    return Outline(outline.radius_px * (1 + tail).astype(np.float32))


def patch_of(outline: Outline, x_px: float, y_px: float) -> tuple[Patch, tuple[int, int]]:
    """Return the pixels around an outline that is placed in an image.

    Args:
        outline: the curve.
        x_px: its center in the image, pixels from the left edge.
        y_px: its center in the image, pixels from the top edge.

    Returns:
        the patch, and its left and top in the image in whole pixels; it may reach beyond the image.
    """
    margin = 2 + 0.15 * outline.reach_px
    left, top, right, bottom = outline.box_xyxy_px
    region = (
        int(np.floor(x_px + left - margin)),
        int(np.floor(y_px + top - margin)),
        int(np.ceil(x_px + right + margin)),
        int(np.ceil(y_px + bottom + margin)),
    )
    x = np.arange(region[0], region[2], dtype=np.float32) + np.float32(0.5 - x_px)
    y = np.arange(region[1], region[3], dtype=np.float32) + np.float32(0.5 - y_px)
    across, down = np.meshgrid(x, y)
    edge = np.interp(np.arctan2(down, across), _ANGLES, outline.radius_px)
    return Patch(across, down, np.sqrt(across**2 + down**2), np.asarray(edge, np.float32)), region[
        :2
    ]


def filled(depth_px: Floats) -> Floats:
    """Return how much of a pixel lies inside an edge, in [0, 1], anti-aliased.

    Args:
        depth_px: how far the pixel's center lies inside the edge, negative outside.
    """
    return np.asarray(np.clip(depth_px / 1.5 + 0.5, 0, 1), dtype=np.float32)


def grain(rng: np.random.Generator, shape: tuple[int, int], size_px: float) -> Floats:
    """Draw smooth noise of mean 0 and a spread of about 1.

    Args:
        rng: draws the noise.
        shape: height and width in pixels.
        size_px: how far apart its bumps are, in pixels.
    """
    height, width = shape
    knots = rng.standard_normal(
        (int(height / size_px) + 2, int(width / size_px) + 2), dtype=np.float32
    )
    coarse = Image.fromarray(knots)
    smooth = coarse.resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(1.4 * np.asarray(smooth), dtype=np.float32)
