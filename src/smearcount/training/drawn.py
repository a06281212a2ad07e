"""Drawn smears to learn from: stains, shapes and crowding that no photograph has.

With them a new microscope is less of a surprise; see docs/experiments.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.classes import CLASS_NAMES
from smearcount.detections.boxes import Boxes
from smearcount.detector.detector import Pixels
from smearcount.synthetic.smears import render
from smearcount.synthetic.stain import STAINS
from smearcount.synthetic.style import SmearStyle

SIDE_PX: Final = 480

PLATELET_MARGIN: Final = 1.2
"""People draw boxes so much wider than the platelet."""


@dataclass(frozen=True, eq=False)
class DrawnSmear:
    """A drawn smear with its cells, boxed as people would.

    Attributes:
        pixels: RGB, shape (480, 480, 3), uint8.
        boxes_xyxy_px: shape (n, 4), float32, inside the picture.
        labels: shape (n,), int64: 1 WBC, 2 RBC, 3 Platelets.
        rbc_px: mean diameter of its red cells in pixels.
    """

    pixels: Pixels
    boxes_xyxy_px: Boxes
    labels: NDArray[np.int64]
    rbc_px: float


def drawn_smears(count: int, seed: int) -> list[DrawnSmear]:
    """Draw smears of random looks; the same seed draws the same smears."""
    return [_drawn(random) for random in np.random.default_rng(seed).spawn(count)]


def _drawn(random: np.random.Generator) -> DrawnSmear:
    style = SmearStyle(
        width=SIDE_PX,
        height=SIDE_PX,
        rbc_px=float(random.uniform(50, 90)),
        density=float(random.uniform(0.05, 0.6)),
        overlap=float(random.uniform(0, 0.4)),
        n_wbc=int(random.integers(0, 3)),
        n_platelets=int(random.integers(0, 14)),
        stain=str(random.choice(sorted(STAINS))),
        stain_shift=float(random.uniform(0, 0.6)),
        pallor=float(random.uniform(0, 1)),
        odd=float(random.uniform(0, 0.25)),
        illumination=float(random.uniform(0, 0.3)),
        blur_px=float(random.uniform(0.4, 2)),
        noise=float(random.uniform(0.004, 0.02)),
        jpeg_quality=int(random.integers(60, 95)),
    )
    smear = render(style, int(random.integers(1 << 30)))
    boxes = smear.boxes_xyxy_px.copy()
    platelets = smear.labels == CLASS_NAMES.index("Platelets") + 1
    margin = (PLATELET_MARGIN - 1) / 2 * (boxes[platelets, 2:] - boxes[platelets, :2])
    boxes[platelets] += np.concatenate([-margin, margin], axis=1)
    return DrawnSmear(smear.pixels, boxes.clip(0, SIDE_PX), smear.labels, style.rbc_px)
