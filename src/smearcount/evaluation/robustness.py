"""Robustness: counts on drawn smears that get harder step by step, with exact ground truth."""

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
from smearcount.evaluation.count_agreement import Estimate, compare_counts
from smearcount.image.read import open_image
from smearcount.settings import Settings
from smearcount.synthetic.smears import SmearStyle, render
from smearcount.synthetic.stain import STAINS

SMEARS: Final = 6
"""How many smears are drawn at each step, each with another stain."""

USABLE_ERROR: Final = 0.1
"""Up to this relative error of the total a count is called usable here."""

_BASE_STYLE: Final = SmearStyle(n_wbc=2, n_platelets=8)


@dataclass(frozen=True)
class Sweep:
    """One parameter of drawn smears that gets harder while all else stays.

    Attributes:
        parameter: the attribute of :class:`SmearStyle` that changes.
        title: what it is, for people.
        axis: the unit or meaning of the values.
        values: ascending.

    Example:
        >>> from smearcount.evaluation import Sweep
        >>> Sweep("blur_px", "Blur", "Gaussian blur in px", (0.5, 2.0, 8.0)).values[-1]
        8.0
    """

    parameter: str
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
        "share of the red cells that lie over a neighbor",
        (0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
    ),
    Sweep(
        "stain_shift",
        "Stain",
        "shift of the colors from a known stain (1: beyond recognition)",
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
    """The counts along a sweep, for the three classes of drawn smears.

    Attributes:
        sweep: what changed.
        true: shape (values, smears, 3): cells drawn, in the order of ``CLASS_NAMES``.
        counted: shape (values, smears, 3): cells counted at the model's thresholds.

    Example:
        >>> import numpy as np
        >>> from smearcount.evaluation import Curve, Sweep
        >>> sweep = Sweep("blur_px", "Blur", "Gaussian blur in px", (0.5, 8.0))
        >>> true = np.full((2, 6, 3), 10)
        >>> curve = Curve(sweep, true, counted=true - [[[0]], [[2]]])
        >>> [error.value for error in curve.errors(1)]
        [0.0, -0.2]
    """

    sweep: Sweep
    true: NDArray[np.int64]
    counted: NDArray[np.int64]

    def errors(self, k: int) -> list[Estimate]:
        """Return the relative error of the total of class ``k``, one for each value."""
        return [
            compare_counts(true[:, k], counted[:, k]).total_error
            for true, counted in zip(self.true, self.counted, strict=True)
        ]


def measure_robustness(
    detector: Detector,
    sweeps: Sequence[Sweep] = SWEEPS,
    smears: int = SMEARS,
    on_smear: Callable[[], None] = lambda: None,
) -> list[Curve]:
    """Count drawn smears along each sweep.

    Args:
        detector: what to evaluate; classes are matched by name.
        sweeps: what gets harder.
        smears: how many smears are drawn at each value.
        on_smear: called after each smear, for a progress bar; there are
            ``n_smears(sweeps, smears)``.

    Example:
        >>> from smearcount import load_detector
        >>> from smearcount.evaluation import Sweep, measure_robustness
        >>> blur = Sweep("blur_px", "Blur", "Gaussian blur in px", (0.5, 8.0))
        >>> (curve,) = measure_robustness(load_detector(), [blur], smears=1)
        >>> curve.counted.shape
        (2, 1, 3)
    """
    return [_curve(detector, sweep, smears, on_smear) for sweep in sweeps]


def n_smears(sweeps: Sequence[Sweep] = SWEEPS, smears: int = SMEARS) -> int:
    """Return how many smears :func:`measure_robustness` draws in all."""
    return smears * sum(len(sweep.values) for sweep in sweeps)


def _curve(detector: Detector, sweep: Sweep, smears: int, on_smear: Callable[[], None]) -> Curve:
    stains = list(STAINS)
    true = np.zeros((len(sweep.values), smears, len(CLASS_NAMES)), dtype=np.int64)
    counted = np.zeros_like(true)
    for row, value in enumerate(sweep.values):
        for seed in range(smears):
            change: dict[str, Any] = {"stain": stains[seed % len(stains)], sweep.parameter: value}
            smear = render(replace(_BASE_STYLE, **change), seed)
            result = analyze(functools.partial(open_image, smear.pixels), detector, Settings())
            true[row, seed] = list(count_labels(smear.labels, CLASS_NAMES).values())
            counted[row, seed] = [result.counts.get(name, 0) for name in CLASS_NAMES]
            on_smear()
    return Curve(sweep, true, counted)
