"""Slides: the counts of several fields (images) added up, with densities and ratios.

Two kinds of error are taken into account. The counting itself may be wrong (see
:mod:`smearcount.counts.interval`). And the fields of a slide are a sample: where N cells were
counted, other fields of the same smear would have shown about N ± √N (Poisson), or more if fields
differ more than chance explains. The interval of a total includes the first only, because it is
about the fields counted; the ranges of means and ratios include both, because they are about the
smear.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.counts.interval import Interval, interval
from smearcount.detector.interval_calibration import Calibration

Range = tuple[float, float]
"""Lowest and highest value of a ratio."""

_Z95: Final = 1.959964
_LEAST_EXPECTED: Final = 0.025
"""The lowest expected number of cells where one was counted: 1 - exp(-0.025) is 2.5 %."""


PLATELETS: Final = "Platelets"

OIL_FIELD_MM2: Final = 0.0314
"""Area seen through a 100x oil objective and eyepieces of field number 20: a disc 0.2 mm wide."""

PER_OIL_FIELD: Final = 15_000
"""Platelets per µL of blood for each platelet in an oil field: an estimate that laboratories use.

Source: Cornell University, Clinical Pathology, platelet estimate; laboratories' own factors lie
between 14,000 and 20,000 and depend on the microscope.
"""

ESTIMATE_NOTE: Final = (
    "estimate, not a measurement: platelets per oil field (0.0314 mm2) times 15,000; "
    "laboratories use 14,000 to 20,000"
)


@dataclass(frozen=True, eq=False)
class CountedField:
    """One image of a slide, as far as sums need it.

    Attributes:
        counts: cells by class name.
        scores: shape (n,), of all detections that the edge rule allows, those below the thresholds
            included.
        labels: shape (n,), 1-based.
        area_mm2: area of the field, or None where the pixel size is not known.
        two_edges: whether the edge rule is ``two-edges``, which a density needs: adjacent fields
            then count each cell once.
        flagged: whether the image has a flag.
        corrected: whether a person corrected the count, which is then taken as right.
    """

    counts: Mapping[str, int]
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]
    area_mm2: float | None
    two_edges: bool
    flagged: bool
    corrected: bool = False


@dataclass(frozen=True)
class ClassSum:
    """One class over the fields of a slide.

    Attributes:
        total: cells counted.
        interval: the 95 % interval of the true total; see :func:`interval_of_sum`.
        sampled: the 95 % range of the expected total of as many other fields of the smear; see
            :func:`sampling_range`.
        per_field: mean cells of a field.
        per_field_range: the 95 % range of the mean of the smear, sampling included.
        dispersion: variance over mean between fields: about 1 if they differ only by chance, more
            if the smear is uneven; None for fewer than two fields or no cell.
        per_mm2: cells per square millimeter, or None: see :attr:`Slide.no_density`.
        per_mm2_range: its 95 % range, sampling included.
    """

    total: int
    interval: Interval | None
    sampled: Range
    per_field: float
    per_field_range: Range
    dispersion: float | None
    per_mm2: float | None
    per_mm2_range: Range | None


@dataclass(frozen=True)
class Slide:
    """The sums of the fields of one slide.

    Attributes:
        name: of the slide.
        fields: how many images were counted.
        flagged: how many of them have a flag.
        failed: how many of the slide's images could not be counted.
        classes: the sums by class name.
        per_1000: class names other than the base: cells per 1,000 cells of the base, with range;
            None where no base cell was counted.
        no_density: why there is no density; empty if there is one.
    """

    name: str
    fields: int
    flagged: int
    failed: int
    classes: dict[str, ClassSum]
    per_1000: dict[str, tuple[float, Range] | None]
    no_density: str


def add_up(
    name: str,
    fields: Sequence[CountedField],
    classes: Sequence[str],
    base: str,
    calibration: Calibration | None,
    failed: int = 0,
) -> Slide:
    """Add up the fields of a slide.

    Args:
        name: of the slide.
        fields: what was counted; empty if all images failed.
        classes: names in label order.
        base: the class that ratios are relative to: RBC.
        calibration: ``card.calibration``.
        failed: how many images of the slide could not be counted.
    """
    reason = _no_density(fields)
    mm2 = sum(field.area_mm2 or 0.0 for field in fields) if not reason else None
    intervals = interval_of_sum(fields, calibration) or {}
    sums = {
        label: _class_sum([f.counts.get(label, 0) for f in fields], intervals.get(label), mm2)
        for label in classes
    }
    ratios = (
        {other: _per_1000(sums[other], sums[base]) for other in classes if other != base}
        if base in classes
        else {}
    )
    flagged = sum(field.flagged for field in fields)
    return Slide(name, len(fields), flagged, failed, sums, ratios, reason)


def interval_of_sum(
    fields: Sequence[CountedField], calibration: Calibration | None
) -> dict[str, Interval] | None:
    """Return the 95 % interval of the true sum of each class.

    Args:
        fields: the errors of their counts are taken as independent, and counts that a person
            corrected as right.
        calibration: ``card.calibration``.

    Returns:
        the interval of each class by name; None for a model without calibration, and if a person
        corrected every field: the interval is about the model's errors.
    """
    automatic = [field for field in fields if not field.corrected]
    if not automatic:
        return None
    scores = np.concatenate([field.scores for field in automatic])
    labels = np.concatenate([field.labels for field in automatic])
    intervals = interval(scores, labels, calibration, images=len(automatic))
    if intervals is None:
        return None
    certain = {
        name: sum(field.counts.get(name, 0) for field in fields if field.corrected)
        for name in intervals
    }
    return {
        name: (low + certain[name], high + certain[name]) for name, (low, high) in intervals.items()
    }


def sampling_range(total: int, dispersion: float, count_interval: Interval | None) -> Range:
    """Return the 95 % range of the expected number of cells, given the number counted.

    Args:
        total: cells counted.
        dispersion: variance over mean between fields, taken as 1 if it is less.
        count_interval: of the count itself, whose error is added.

    Returns:
        the score interval of a Poisson mean, widened by the dispersion and by the error of
        counting; both ends are at least 0, and the upper one is above 0.
    """
    below = above = 0.0
    if count_interval is not None:
        below, above = max(0, total - count_interval[0]), max(0, count_interval[1] - total)
    shift = _Z95**2 * max(1.0, dispersion) / 2
    half = math.sqrt(2 * shift * (total + shift / 2))
    low = total - math.hypot(half - shift, below)
    high = total + math.hypot(half + shift, above)
    return max(0.0, low), high


def platelets_per_ul(slide: Slide) -> int | None:
    """Return the estimate that :data:`ESTIMATE_NOTE` describes; None without density or class."""
    platelets = slide.classes.get(PLATELETS)
    if platelets is None or platelets.per_mm2 is None:
        return None
    thousands = platelets.per_mm2 * OIL_FIELD_MM2 * PER_OIL_FIELD / 1000
    return 1000 * round(thousands)


def _class_sum(
    counts: Sequence[int], count_interval: Interval | None, mm2: float | None
) -> ClassSum:
    total, n = sum(counts), len(counts)
    mean = total / n if n else 0.0
    dispersion = float(np.var(counts, ddof=1)) / mean if n > 1 and total else None
    low, high = sampling_range(total, dispersion or 1.0, count_interval)
    per = (low / n, high / n) if n else (0.0, 0.0)
    return ClassSum(
        total=total,
        interval=count_interval,
        sampled=(low, high),
        per_field=mean,
        per_field_range=per,
        dispersion=dispersion,
        per_mm2=None if not mm2 else total / mm2,
        per_mm2_range=None if not mm2 else (low / mm2, high / mm2),
    )


def _per_1000(cells: ClassSum, base: ClassSum) -> tuple[float, Range] | None:
    """Return a ratio with its range, from the relative errors of both numbers on a log scale."""
    if not base.total:
        return None
    value = 1000 * cells.total / base.total
    if not cells.total:
        return 0.0, (0.0, 1000 * cells.sampled[1] / base.total)
    ups = (cells.sampled[1] / cells.total, base.total / max(base.sampled[0], _LEAST_EXPECTED))
    downs = (cells.total / max(cells.sampled[0], _LEAST_EXPECTED), base.sampled[1] / base.total)
    up = math.exp(math.hypot(*(math.log(ratio) for ratio in ups)))
    down = math.exp(math.hypot(*(math.log(ratio) for ratio in downs)))
    return value, (value / down, value * up)


def _no_density(fields: Sequence[CountedField]) -> str:
    if not fields:
        return "no image of the slide could be counted"
    missing = []
    if any(field.area_mm2 is None for field in fields):
        missing.append("the pixel size is not known; give it")
    if not all(field.two_edges for field in fields):
        missing.append("cells cut by the border need the rule two-edges; choose it")
    if missing:
        return ", and ".join(missing)
    return ""
