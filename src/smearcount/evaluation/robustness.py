"""Where the counter breaks: drawn smears that get harder step by step, with exact truth."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from smearcount.analyze import analyze
from smearcount.classes import CLASS_NAMES
from smearcount.counts.edge_rule import count_labels
from smearcount.detector.detector import Detector
from smearcount.evaluation.count_agreement import Estimate, agree
from smearcount.image.read import open_image
from smearcount.settings import Settings
from smearcount.synthetic.smears import SmearStyle, render
from smearcount.synthetic.stain import STAINS

FIELDS: Final = 6
"""How many smears are drawn at each step, each in another stain."""

USABLE_ERROR: Final = 0.1
"""Up to this error of the total, as a share of it, a count is called usable here."""

_PLAIN: Final = SmearStyle(n_wbc=2, n_platelets=8)


@dataclass(frozen=True)
class Sweep:
    """One thing that gets harder while all else stays.

    Attributes:
        field: the field of :class:`SmearStyle` that changes.
        title: what that is, for people.
        axis: the unit or meaning of the values.
        values: ascending.
    """

    field: str
    title: str
    axis: str
    values: tuple[float, ...]


SWEEPS: Final = (
    Sweep(
        "density",
        "Density",
        "area of the red cells over that of the picture",
        (0.1, 0.25, 0.4, 0.55, 0.7, 0.85),
    ),
    Sweep(
        "overlap",
        "Overlap",
        "share of the red cells that lie over a neighbour",
        (0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
    ),
    Sweep(
        "stain_shift",
        "Stain",
        "shift of the colours from a known stain (1: beyond recognition)",
        (0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
    ),
    Sweep(
        "blur_px",
        "Blur",
        "Gaussian blur σ in px, red cells 100 px wide",
        (0.5, 1.5, 3.0, 5.0, 8.0, 12.0),
    ),
    Sweep(
        "rbc_px",
        "Magnification",
        "diameter of a red cell in px",
        (15, 25, 40, 70, 100, 150, 200),
    ),
)


@dataclass(frozen=True, eq=False)
class Curve:
    """What was counted along a sweep, for the three classes of drawn smears.

    Attributes:
        sweep: what changed.
        true: shape (values, fields, 3): cells drawn, in the order of ``CLASS_NAMES``.
        found: shape (values, fields, 3): cells counted at the model's thresholds.
    """

    sweep: Sweep
    true: NDArray[np.int64]
    found: NDArray[np.int64]

    def errors(self, k: int) -> list[Estimate]:
        """Return the error of the total of class ``k`` as a share of it, value by value."""
        return [
            agree(true[:, k], found[:, k]).total_error
            for true, found in zip(self.true, self.found, strict=True)
        ]


def stress(
    detector: Detector,
    sweeps: Sequence[Sweep] = SWEEPS,
    fields: int = FIELDS,
    done: Callable[[], None] = lambda: None,
) -> list[Curve]:
    """Count drawn smears along each sweep.

    Args:
        detector: what to evaluate; classes are matched by name.
        sweeps: what gets harder.
        fields: how many smears are drawn at each value.
        done: called after each smear, for a progress bar; there are ``steps(sweeps, fields)``.
    """
    return [_curve(detector, sweep, fields, done) for sweep in sweeps]


def steps(sweeps: Sequence[Sweep] = SWEEPS, fields: int = FIELDS) -> int:
    """Return how many smears :func:`stress` draws."""
    return fields * sum(len(sweep.values) for sweep in sweeps)


def _curve(detector: Detector, sweep: Sweep, fields: int, done: Callable[[], None]) -> Curve:
    stains = list(STAINS)
    true = np.zeros((len(sweep.values), fields, len(CLASS_NAMES)), dtype=np.int64)
    found = np.zeros_like(true)
    for row, value in enumerate(sweep.values):
        for seed in range(fields):
            change: dict[str, Any] = {"stain": stains[seed % len(stains)], sweep.field: value}
            smear = render(replace(_PLAIN, **change), seed)
            result = analyze(functools.partial(open_image, smear.pixels), detector, Settings())
            true[row, seed] = list(count_labels(smear.labels, CLASS_NAMES).values())
            found[row, seed] = [result.counts.get(name, 0) for name in CLASS_NAMES]
            done()
    return Curve(sweep, true, found)
