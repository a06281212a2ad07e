"""Platelets: small granular bodies with a paler seam."""

from __future__ import annotations

import numpy as np

from smearcount.synthetic.outline import Outline, Patch, grain, smooth_outline
from smearcount.synthetic.stain import Density, Stain


def platelet_outline(rng: np.random.Generator, rbc_diameter_px: float) -> Outline:
    """Draw the outline of a platelet; ``rbc_diameter_px`` is a red cell's diameter in pixels."""
    radius = rbc_diameter_px * np.clip(rng.lognormal(-1.15, 0.2), 0.2, 0.45) / 2
    return smooth_outline(rng, radius, rng.uniform(0.65, 1.0), roughness=0.12)


def platelet_density(rng: np.random.Generator, patch: Patch, stain: Stain) -> Density:
    """Return the optical density of a platelet, shape (h, w, 3).

    Args:
        rng: decides how this platelet differs from others.
        patch: its pixels.
        stain: its colour.
    """
    radius = float(patch.edge_px.mean())
    grains = 1 + 0.35 * grain(rng, patch.level.shape, max(0.3 * radius, 1.0))
    core = np.exp(-((patch.level / rng.uniform(0.7, 0.95)) ** 4)) * np.maximum(grains, 0.2)
    amount = patch.inside * (0.3 + 0.8 * core) * rng.uniform(0.8, 1.3)
    return amount[..., None] * stain.density(stain.platelet)
