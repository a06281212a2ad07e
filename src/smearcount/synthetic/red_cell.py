"""Red cells: flat discs, paler in the middle."""

from __future__ import annotations

import numpy as np

from smearcount.synthetic.outline import (
    Outline,
    Patch,
    crenated,
    grain,
    smooth_outline,
    tailed,
)
from smearcount.synthetic.stain import Density, Stain


def red_cell_outline(rng: np.random.Generator, diameter_px: float, odd: float) -> Outline:
    """Draw the outline of a red cell.

    Args:
        rng: draws its shape.
        diameter_px: of the circle of the same area, in pixels.
        odd: the chance of a teardrop or a crenated cell, in [0, 1].
    """
    aspect = 1 - min(abs(rng.normal(0, 0.12)), 0.4)
    outline = smooth_outline(rng, diameter_px / 2, aspect, roughness=0.035)
    if rng.random() >= odd:
        return outline
    return crenated(outline, rng) if rng.random() < 0.5 else tailed(outline, rng)


def red_cell_density(
    rng: np.random.Generator, patch: Patch, stain: Stain, pallor: float
) -> Density:
    """Return the optical density of a red cell, shape (h, w, 3).

    Args:
        rng: draws how this cell differs from its neighbors.
        patch: its pixels.
        stain: its color.
        pallor: how pale the middle of the average cell is: 0 none, 1 empty.
    """
    radius = float(patch.edge_px.mean())
    depth = np.clip(rng.normal(pallor, 0.6 * pallor * (1 - 0.5 * pallor)), -0.1, 0.98)
    width = rng.uniform(0.36, 0.5) + 0.12 * pallor
    steepness = rng.uniform(2.2, 4.5)
    shift = rng.normal(0, 0.05, 2) * radius
    off_center = np.hypot(patch.x_px - shift[0], patch.y_px - shift[1]) / patch.edge_px
    off_center *= 1 + 0.06 * grain(rng, patch.level.shape, 0.6 * radius)
    thickness = 1 - depth * np.exp(-((off_center / width) ** steepness))
    if rng.random() < 0.04:  # a target cell: a dark spot in the middle of the pale zone
        thickness += 0.8 * depth * np.exp(-((off_center / (0.4 * width)) ** 2))
    lip = rng.uniform(0, 0.18) * np.exp(-(((patch.level - 0.93) / 0.05) ** 2))
    cloud = 0.03 * grain(rng, patch.level.shape, 0.25 * radius)
    slope = np.clip((1.06 - patch.level) / rng.uniform(0.1, 0.2), 0, 1)  # the cell thins out
    glow = rng.uniform(0, 0.1) * np.exp(-(((patch.level - 1.05) / 0.03) ** 2)) * (patch.level > 1)
    strength = np.clip(rng.normal(1, 0.15), 0.6, 1.5)
    amount = patch.inside * (thickness * slope + lip + cloud) * strength - glow
    tint = 1 + rng.normal(0, 0.03, 3)
    color = (stain.density(stain.red_cell) * tint).astype(np.float32)
    return np.asarray(amount[..., None] * color, dtype=np.float32)
