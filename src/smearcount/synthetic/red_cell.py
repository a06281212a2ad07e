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
        rng: decides its shape.
        diameter_px: of the circle of the same area, in pixels.
        odd: the chance of a teardrop or a crenated cell, in [0, 1].
    """
    aspect = 1 - min(abs(rng.normal(0, 0.12)), 0.45)
    outline = smooth_outline(rng, diameter_px / 2, aspect, roughness=0.035)
    if rng.random() >= odd:
        return outline
    return crenated(outline, rng) if rng.random() < 0.5 else tailed(outline, rng)


def red_cell_density(
    rng: np.random.Generator, patch: Patch, stain: Stain, pallor: float
) -> Density:
    """Return the optical density of a red cell, shape (h, w, 3).

    Args:
        rng: decides how this cell differs from its neighbours.
        patch: its pixels.
        stain: its colour.
        pallor: how pale the middle of the average cell is: 0 none, 1 empty.
    """
    depth = np.clip(pallor * rng.uniform(0.5, 1.4), 0, 0.97)
    width = rng.uniform(0.32, 0.48) + 0.15 * pallor
    steepness = rng.uniform(2, 4)
    shift = rng.uniform(-0.08, 0.08, 2) * patch.edge_px.mean()
    off_centre = np.hypot(patch.x_px - shift[0], patch.y_px - shift[1]) / patch.edge_px
    thickness = 1 - depth * np.exp(-((off_centre / width) ** steepness))
    if rng.random() < 0.04:  # a target cell: a dark spot in the middle of the pale zone
        thickness += 0.8 * depth * np.exp(-((off_centre / (0.4 * width)) ** 2))
    rim = 0.12 * np.exp(-(((patch.level - 0.9) / 0.09) ** 2))
    cloud = 0.03 * grain(rng, patch.level.shape, 0.25 * float(patch.edge_px.mean()))
    glow = 0.07 * np.exp(-(((patch.level - 1.06) / 0.03) ** 2)) * (patch.level > 1)
    amount = patch.inside * (thickness + rim + cloud) * rng.normal(1, 0.08) - glow
    tint = 1 + rng.normal(0, 0.03, 3)
    return amount[..., None] * (stain.density(stain.red_cell) * tint).astype(np.float32)
