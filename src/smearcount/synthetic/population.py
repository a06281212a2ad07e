"""Choose the cells of a smear and place them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smearcount.synthetic.layout import Points, Radii, place_apart, spread_red_cells
from smearcount.synthetic.outline import Outline
from smearcount.synthetic.platelet import platelet_outline
from smearcount.synthetic.red_cell import red_cell_outline
from smearcount.synthetic.style import SmearStyle
from smearcount.synthetic.white_cell import WhiteCellKind, white_cell_kind, white_cell_outline

_LAYOUT, _RED_CELLS, _WHITE_CELLS, _PLATELETS = range(4)


@dataclass(frozen=True, eq=False)
class Cell:
    """A cell with its position and outline.

    Attributes:
        x_px: its center, in pixels from the left edge of the picture.
        y_px: its center, in pixels from the top edge of the picture.
        outline: its outline about that center.
    """

    x_px: float
    y_px: float
    outline: Outline


class RedCell(Cell):
    """A red cell."""


@dataclass(frozen=True, eq=False)
class WhiteCell(Cell):
    """A white cell.

    Attributes:
        kind: which of the five kinds.
    """

    kind: WhiteCellKind


class Platelet(Cell):
    """A platelet."""


def populate(style: SmearStyle, seed: int) -> list[Cell]:
    """Return the cells of a smear, those just beyond its border included.

    White cells and platelets have their center in the picture. The same seed gives the same cells
    at every magnification.

    Args:
        style: the numbers and sizes of the cells.
        seed: at least 0; the same seed gives the same cells.
    """
    unit = style.rbc_px
    size = (style.width / unit, style.height / unit)
    white = _white_cells(style, np.random.default_rng([seed, _WHITE_CELLS]), size)
    white_places = _places(white, unit)
    white_radii = _radii(white, unit)

    rng = np.random.default_rng([seed, _RED_CELLS])
    n = round(style.density * (size[0] + 2) * (size[1] + 2) / (np.pi / 4))
    widths = np.clip(rng.normal(1, style.size_spread, n), 0.6, 1.5)
    outlines = [red_cell_outline(rng, unit * width, style.odd) for width in widths]
    places = spread_red_cells(
        np.random.default_rng([seed, _LAYOUT]),
        widths / 2,
        size,
        style.overlap,
        white_places,
        white_radii,
    )
    red = [
        RedCell(x * unit, y * unit, outline)
        for (x, y), outline in zip(places.tolist(), outlines, strict=True)
    ]
    platelets = _platelets(
        style,
        np.random.default_rng([seed, _PLATELETS]),
        size,
        np.concatenate([white_places, places]),
        np.concatenate([white_radii, widths / 2]),
    )
    return [*red, *white, *platelets]


def _white_cells(
    style: SmearStyle, rng: np.random.Generator, size: tuple[float, float]
) -> list[WhiteCell]:
    """Return white cells that do not overlap where there is room."""
    unit = style.rbc_px
    cells: list[WhiteCell] = []
    for _ in range(style.n_wbc):
        kind = white_cell_kind(rng)
        outline = white_cell_outline(rng, kind, unit)
        x, y = place_apart(
            rng,
            outline.reach_px / unit,
            np.zeros(2),
            np.asarray(size),
            _places(cells, unit),
            _radii(cells, unit),
        )
        cells.append(WhiteCell(float(x * unit), float(y * unit), outline, kind))
    return cells


def _platelets(
    style: SmearStyle,
    rng: np.random.Generator,
    size: tuple[float, float],
    others: Points,
    other_radii: Radii,
) -> list[Platelet]:
    """Return platelets between the other cells, some of them against the one before."""
    unit = style.rbc_px
    cells: list[Platelet] = []
    for index in range(style.n_platelets):
        outline = platelet_outline(rng, unit)
        radius = outline.reach_px / unit
        low, high = np.zeros(2), np.asarray(size)
        if index and rng.random() < style.clumped:
            before = cells[-1]
            near = radius + before.outline.reach_px / unit
            middle = np.array([before.x_px, before.y_px]) / unit
            low, high = np.maximum(middle - near, 0), np.minimum(middle + near, size)
        x, y = place_apart(rng, radius, low, high, others, other_radii)
        others = np.concatenate([others, [[x, y]]])
        other_radii = np.append(other_radii, radius)
        cells.append(Platelet(float(x * unit), float(y * unit), outline))
    return cells


def _places(cells: Sequence[Cell], unit: float) -> Points:
    """Return the centers in units of the given length, shape (n, 2)."""
    return (
        np.array([(cell.x_px, cell.y_px) for cell in cells], dtype=np.float64).reshape(-1, 2) / unit
    )


def _radii(cells: Sequence[Cell], unit: float) -> Radii:
    """Return how far each cell reaches in units of the given length, shape (n,)."""
    return np.array([cell.outline.reach_px for cell in cells], dtype=np.float64) / unit
