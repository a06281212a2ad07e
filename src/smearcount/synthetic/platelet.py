"""Platelets: small granular bodies with a paler seam."""

from __future__ import annotations

import numpy as np

from smearcount.synthetic.outline import Outline, Patch, grain, smooth_outline
from smearcount.synthetic.stain import Density, Stain


def platelet_outline(rng: np.random.Generator, rbc_diameter_px: float) -> Outline:
    """Draw the outline of a platelet; ``rbc_diameter_px`` is a red cell's diameter in pixels."""
    radius = rbc_diameter_px * np.clip(rng.lognormal(-1.1, 0.16), 0.26, 0.48) / 2
    return smooth_outline(rng, radius, rng.uniform(0.65, 1.0), roughness=0.1)


def platelet_density(rng: np.random.Generator, patch: Patch, stain: Stain) -> Density:
    """Return the optical density of a platelet, shape (h, w, 3).

    Args:
        rng: draws how this platelet differs from others.
        patch: its pixels.
        stain: its color.
    """
    radius = float(patch.edge_px.mean())
    grains = 1 + 0.22 * grain(rng, patch.level.shape, max(0.35 * radius, 1.0))
    core = np.exp(-((patch.level / rng.uniform(0.65, 0.9)) ** 4)) * np.maximum(grains, 0.3)
    seam = np.exp(-((np.maximum(patch.level - 0.75, 0) / 0.2) ** 2))  # reaches a little beyond
    amount = (0.3 * seam + 0.85 * core) * rng.uniform(0.75, 1.2)
    color = stain.density(stain.platelet)
    return np.asarray(amount[..., None] * color, dtype=np.float32)
