"""Draw smears: a picture and the exact box and class of every cell in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.detections.boxes import Boxes
from smearcount.synthetic.optics import compress, expose, lamp, stray_px, transmit
from smearcount.synthetic.outline import Patch, grain, patch_of, visible_box
from smearcount.synthetic.platelet import platelet_density
from smearcount.synthetic.population import Cell, Platelet, RedCell, WhiteCell, populate
from smearcount.synthetic.red_cell import red_cell_density
from smearcount.synthetic.stain import STAINS, Density, Stain, vary
from smearcount.synthetic.style import SmearStyle
from smearcount.synthetic.white_cell import white_cell_density

__all__ = ["LEAST_VISIBLE", "Smear", "SmearStyle", "demo_smears", "render"]

LEAST_VISIBLE: Final = 0.1
"""Cells of which a smaller share than this lies in the picture are not drawn."""

_SECOND_LAYER: Final = 0.45
"""The share of a further layer's density that adds to the densest: overlapping cells thin out."""

_STAIN, _CELLS, _LIGHT, _SENSOR = range(10, 14)  # separate streams of random numbers


@dataclass(frozen=True, eq=False)
class Smear:
    """A drawn smear and its ground truth.

    Attributes:
        name: style and seed, such as ``smear-0``; usable in a file name.
        pixels: RGB, shape (height, width, 3), uint8.
        boxes_xyxy_px: shape (n, 4), float32: left, top, right, bottom of the visible part of each
            cell in pixels.
        labels: shape (n,), int64: 1 WBC, 2 RBC, 3 Platelets.
    """

    name: str
    pixels: NDArray[np.uint8]
    boxes_xyxy_px: Boxes
    labels: NDArray[np.int64]


def render(style: SmearStyle, seed: int = 0) -> Smear:
    """Draw a smear.

    Args:
        style: its appearance.
        seed: at least 0; the same style and seed give the same smear.

    Example:
        >>> from smearcount.synthetic import SmearStyle, render
        >>> smear = render(SmearStyle(width=320, height=240, rbc_px=60), seed=1)
        >>> smear.pixels.shape, len(smear.boxes_xyxy_px) == len(smear.labels)
        ((240, 320, 3), True)
    """
    stain = vary(STAINS[style.stain], np.random.default_rng([seed, _STAIN]), style.stain_shift)
    margin = stray_px(style.blur_px, style.fringe_px)
    layers = _Layers(style.width, style.height, margin)
    boxes: list[tuple[float, float, float, float]] = []
    labels: list[int] = []
    for index, cell in enumerate(populate(style, seed)):
        patch, (left, top) = patch_of(cell.outline, cell.x_px, cell.y_px)
        if layers.visible(patch, left, top) < LEAST_VISIBLE:
            continue
        rng = np.random.default_rng([seed, _CELLS, index])
        label, density = _stained(cell, patch, stain, style, rng)
        layers.add(density, left, top)
        boxes.append(visible_box(cell.outline, cell.x_px, cell.y_px, (style.width, style.height)))
        labels.append(label)

    light_rng = np.random.default_rng([seed, _LIGHT])
    light = transmit(layers.density(), stain, style.blur_px, style.fringe_px)
    mottle = 1 + 0.006 * grain(light_rng, light.shape[:2], 0.6 * style.rbc_px)
    brightest = (float(light_rng.uniform(0.2, 0.8)), float(light_rng.uniform(0.2, 0.8)))
    light *= (mottle * lamp((style.width, style.height), brightest, style.illumination))[..., None]
    pixels = expose(light, style.noise, np.random.default_rng([seed, _SENSOR]))
    return Smear(
        name=f"{style.name}-{seed}",
        pixels=compress(pixels, style.jpeg_quality),
        boxes_xyxy_px=np.array(boxes, dtype=np.float32).reshape(-1, 4),
        labels=np.array(labels, dtype=np.int64),
    )


def demo_smears() -> list[Smear]:
    """Return five smears that differ in magnification, stain, crowding and sharpness.

    Example:
        >>> from smearcount.synthetic import demo_smears
        >>> [smear.name for smear in demo_smears()][:2]
        ['bright-100px-0', 'warm-130px-1']
    """
    styles = (
        SmearStyle("bright-100px", stain="gray-green", n_wbc=1, n_platelets=5, stain_shift=0.1),
        SmearStyle(
            "warm-130px",
            575,
            575,
            rbc_px=130,
            stain="magenta",
            pallor=0.35,
            n_platelets=3,
            illumination=0.25,
        ),
        SmearStyle(
            "dense-40px",
            800,
            600,
            rbc_px=40,
            density=0.55,
            overlap=0.15,
            n_wbc=2,
            n_platelets=16,
            stain="pink",
        ),
        SmearStyle("beige-75px", 360, 363, rbc_px=75, n_platelets=2, blur_px=0.6),
        SmearStyle(
            "overlap-100px", density=0.6, overlap=0.4, stain="lilac", n_platelets=6, n_wbc=2
        ),
    )
    return [render(style, seed) for seed, style in enumerate(styles)]


def _stained(
    cell: Cell, patch: Patch, stain: Stain, style: SmearStyle, rng: np.random.Generator
) -> tuple[int, Density]:
    """Return the label and the optical density, shape (h, w, 3), of a cell."""
    match cell:
        case WhiteCell():
            return 1, white_cell_density(rng, patch, cell.kind, stain)
        case RedCell():
            return 2, red_cell_density(rng, patch, stain, style.pallor)
        case Platelet():
            return 3, platelet_density(rng, patch, stain)
        case _:
            raise TypeError(f"no stain for {type(cell).__name__}")


class _Layers:
    """Overlapping cells: a channel is as dense as its densest layer plus a part of the others.

    The arrays reach ``margin`` pixels beyond the picture, for the blur.
    """

    def __init__(self, width: int, height: int, margin: int) -> None:
        self._size = (width, height)
        self._margin = margin
        shape = (height + 2 * margin, width + 2 * margin, 3)
        self._sum = np.zeros(shape, dtype=np.float32)
        self._densest = np.zeros(shape, dtype=np.float32)

    def visible(self, patch: Patch, left: int, top: int) -> float:
        """Return the share of a patch's cell that lies in the picture."""
        height, width = patch.inside.shape
        columns = slice(max(-left, 0), max(min(width, self._size[0] - left), 0))
        rows = slice(max(-top, 0), max(min(height, self._size[1] - top), 0))
        return float(patch.inside[rows, columns].sum() / patch.inside.sum())

    def add(self, density: Density, left: int, top: int) -> None:
        """Lay one more cell on the slide, its patch at ``left``, ``top`` in the picture."""
        left, top = left + self._margin, top + self._margin
        target = self._sum[max(top, 0) : top + len(density), max(left, 0) : left + density.shape[1]]
        first_row, first_column = max(-top, 0), max(-left, 0)
        own = density[first_row : first_row + len(target)]
        own = own[:, first_column : first_column + target.shape[1]]
        target += own
        densest = self._densest[max(top, 0) : top + len(density)]
        densest = densest[:, max(left, 0) : left + density.shape[1]]
        np.maximum(densest, own, out=densest)

    def density(self) -> Density:
        """Return the optical density of all layers, shape (h + 2 margin, w + 2 margin, 3)."""
        return self._densest + np.float32(_SECOND_LAYER) * (self._sum - self._densest)
