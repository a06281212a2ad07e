"""White cells: a nucleus of one or more lobes in granular cytoplasm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from smearcount.synthetic.outline import Floats, Outline, Patch, filled, grain, smooth_outline
from smearcount.synthetic.stain import Density, Stain

Range = tuple[float, float]


@dataclass(frozen=True)
class WhiteCellKind:
    """Size, nucleus and granules of one kind of white cell.

    Attributes:
        share: how often it occurs, relative to the others.
        size: its diameter over that of a red cell.
        lobes: the least and the greatest number of lobes of its nucleus.
        lobe: the radius of a lobe over that of the cell.
        spread: how far the lobes lie from the center, over the radius of the cell.
        bridge: how thick the nucleus is between two lobes, over the radius of a lobe.
        body: how strongly its cytoplasm is stained.
        blue: how much of the nucleus' dye is in its cytoplasm.
        granules: how strongly its granules are stained.
        granules_dark: whether they take the nucleus' dye, as a basophil's do.
    """

    share: float
    size: Range
    lobes: tuple[int, int]
    lobe: Range
    spread: Range
    bridge: float
    body: float
    blue: float = 0.0
    granules: float = 0.0
    granules_dark: bool = False


WHITE_CELLS: Final = {
    "neutrophil": WhiteCellKind(
        0.5, (1.45, 1.9), (2, 5), (0.27, 0.36), (0.36, 0.48), 0.45, body=0.8
    ),
    "eosinophil": WhiteCellKind(
        0.12, (1.5, 2.0), (2, 3), (0.30, 0.40), (0.36, 0.45), 0.45, body=0.6, granules=0.9
    ),
    "basophil": WhiteCellKind(
        0.08,
        (1.4, 1.8),
        (1, 3),
        (0.40, 0.60),
        (0.10, 0.30),
        0.8,
        body=0.9,
        granules=0.9,
        granules_dark=True,
    ),
    "lymphocyte": WhiteCellKind(
        0.2, (1.3, 1.7), (1, 1), (0.76, 0.90), (0.0, 0.10), 1.0, body=0.9, blue=0.15
    ),
    "monocyte": WhiteCellKind(
        0.1, (1.7, 2.2), (3, 4), (0.36, 0.46), (0.28, 0.40), 0.95, body=0.9, blue=0.08
    ),
}


def white_cell_kind(rng: np.random.Generator) -> WhiteCellKind:
    """Draw a kind of white cell, about as often as it occurs in blood."""
    kinds = list(WHITE_CELLS.values())
    shares = np.array([kind.share for kind in kinds])
    return kinds[rng.choice(len(kinds), p=shares / shares.sum())]


def white_cell_outline(
    rng: np.random.Generator, kind: WhiteCellKind, rbc_diameter_px: float
) -> Outline:
    """Draw the outline of a white cell; ``rbc_diameter_px`` is a red cell's diameter in pixels."""
    radius = rbc_diameter_px * rng.uniform(*kind.size) / 2
    return smooth_outline(rng, radius, rng.uniform(0.84, 1.0), roughness=0.05)


def white_cell_density(
    rng: np.random.Generator, patch: Patch, kind: WhiteCellKind, stain: Stain
) -> Density:
    """Return the optical density of a white cell, shape (h, w, 3).

    Args:
        rng: draws how this cell differs from others of its kind.
        patch: its pixels.
        kind: its kind.
        stain: its colors.
    """
    radius = float(patch.edge_px.mean())
    shape = patch.level.shape
    cytoplasm = stain.density(stain.cytoplasm)
    nucleus_dye = stain.density(stain.nucleus) * rng.uniform(0.85, 1.15)
    granule_dye = nucleus_dye if kind.granules_dark else stain.density(stain.granule)

    nucleus = patch.inside * _nucleus(rng, patch, kind)
    chromatin = 1 + 0.14 * grain(rng, shape, 0.1 * radius) + 0.07 * grain(rng, shape, 0.05 * radius)
    body = 1 + 0.15 * grain(rng, shape, 0.15 * radius) + 0.15 * grain(rng, shape, 0.06 * radius)
    body = patch.inside * kind.body * np.maximum(body, 0.3)
    specks = np.clip(0.5 * grain(rng, shape, max(0.06 * radius, 1.0)) + 0.55, 0.1, 1)
    specks *= patch.inside * kind.granules * rng.uniform(0.7, 1.1)
    if not kind.granules_dark:
        specks *= 1 - nucleus
    layers = (
        ((1 - nucleus) * body)[..., None] * (cytoplasm + kind.blue * nucleus_dye)
        + (nucleus * chromatin)[..., None] * nucleus_dye * (0.6 if kind.granules_dark else 1.0)
        + specks[..., None] * granule_dye
    )
    return np.asarray(layers, dtype=np.float32)


def _nucleus(rng: np.random.Generator, patch: Patch, kind: WhiteCellKind) -> Floats:
    """Return how much of each pixel the nucleus fills, in [0, 1], shape (h, w)."""
    radius = float(patch.edge_px.mean())
    n = int(rng.integers(kind.lobes[0], kind.lobes[1] + 1))
    sizes = radius * rng.uniform(*kind.lobe, n) * (1.0 if n < 4 else 0.9)
    step = rng.uniform(1.15, 1.5)
    turn = rng.uniform(0, 2 * np.pi) + step * np.arange(n) + rng.normal(0, 0.15, n)
    away = radius * rng.uniform(*kind.spread, n)
    x, y = away * np.cos(turn), away * np.sin(turn)

    bend = 0.08 * radius
    px = patch.x_px + bend * grain(rng, patch.level.shape, 0.5 * radius)
    py = patch.y_px + bend * grain(rng, patch.level.shape, 0.5 * radius)
    depth = np.full(px.shape, -np.inf, dtype=np.float32)
    for i in range(n):
        depth = np.maximum(depth, sizes[i] - np.hypot(px - x[i], py - y[i]))
    for i in range(n - 1):  # the bridge to the next lobe: all points near the segment between them
        dx, dy = x[i + 1] - x[i], y[i + 1] - y[i]
        along = np.clip(((px - x[i]) * dx + (py - y[i]) * dy) / (dx**2 + dy**2), 0, 1)
        gap = np.hypot(px - x[i] - along * dx, py - y[i] - along * dy)
        depth = np.maximum(depth, kind.bridge * min(sizes[i], sizes[i + 1]) - gap)
    return filled(depth / max(1.0, 0.02 * radius))
