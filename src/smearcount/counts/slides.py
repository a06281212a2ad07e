"""Fields into slides: sums, their spread and ratios, each with its interval.

Two kinds of doubt meet here. The counting itself may be wrong (``interval``). And a slide's fields
are a sample: with N cells seen, the smear itself could as well have shown N ± √N (Poisson), more
where fields differ more than chance explains. Totals carry the first, as they speak of the fields
counted; means and ratios carry both, as they speak of the smear.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.counts.interval import Interval, interval
from smearcount.detector.calibration import Calibration

Range = tuple[float, float]
"""Lowest and highest value of a ratio."""

_Z95: Final = 1.959964
_LEAST: Final = 0.025
"""The lowest expected number of a cell that was seen once: 1 - exp(-0.025) is 2.5 %."""


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
    """What a slide needs to know of one image.

    Attributes:
        counts: cells by class name.
        scores: shape (n,), of all detections that the edge rule allows, doubtful ones included.
        labels: shape (n,), 1-based.
        area_mm2: area of the field, or None where the pixel size is not known.
        two_edges: whether the edge rule counts each cell of a plane once, as a density needs.
        flagged: whether the image has a flag.
        settled: whether a person corrected the count, which is then taken as right.
    """

    counts: Mapping[str, int]
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]
    area_mm2: float | None
    two_edges: bool
    flagged: bool
    settled: bool = False


@dataclass(frozen=True)
class ClassSum:
    """One class over the fields of a slide.

    Attributes:
        total: cells counted.
        interval: between which numbers the true total lies at 95 %: see :func:`interval_of_sum`.
        sampled: where the total of as many other fields of the smear would be expected, at 95 %:
            see :func:`sampling_range`.
        per_field: mean cells of a field.
        per_field_range: where the mean of the smear lies at 95 %, sampling included.
        dispersion: variance over mean between fields: 1 is chance, more is uneven; None for fewer
            than two fields or no cell.
        per_mm2: cells per square millimetre, or None: see :attr:`Slide.no_density`.
        per_mm2_range: likewise at 95 %, sampling included.
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
    """The fields of one slide together.

    Attributes:
        name: of the slide.
        fields: how many images were counted.
        flagged: how many of them have a flag.
        failed: how many of the slide's images could not be counted.
        classes: the sums by class name.
        per_1000: class names other than the base: cells per 1,000 cells of the base, with range;
            None where no base cell was counted.
        no_density: why there is no density, in a sentence; empty where there is one.
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
    """Add the fields of a slide up.

    Args:
        name: of the slide.
        fields: what was counted; may be empty where all images failed.
        classes: names in label order.
        base: the class that ratios are taken over, RBC.
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
    """Return between which numbers the true sum of each class lies, at 95 %.

    Args:
        fields: their errors are taken as independent; counts that a person corrected as right.
        calibration: ``card.calibration``.

    Returns:
        the interval of each class by name, or None for a model without calibration and where a
        person corrected every field: the interval is about the model's errors.
    """
    unsettled = [field for field in fields if not field.settled]
    if not unsettled:
        return None
    scores = np.concatenate([field.scores for field in unsettled])
    labels = np.concatenate([field.labels for field in unsettled])
    model = interval(scores, labels, calibration, images=len(unsettled))
    if model is None:
        return None
    right = [field.counts for field in fields if field.settled]
    sums = {name: sum(counts.get(name, 0) for counts in right) for name in model}
    return {name: (low + sums[name], high + sums[name]) for name, (low, high) in model.items()}


def sampling_range(total: int, dispersion: float, method: Interval | None) -> Range:
    """Return where the expected number of cells lies at 95 %, given the number counted.

    Args:
        total: cells counted.
        dispersion: variance over mean between fields, taken as 1 where it is less.
        method: the interval of the count itself, whose error is added.

    Returns:
        the score interval of a Poisson mean, widened by the dispersion and by the method's error;
        both ends are at least 0, the upper one is never 0.
    """
    below = above = 0.0
    if method is not None:
        below, above = max(0, total - method[0]), max(0, method[1] - total)
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


def _class_sum(counts: Sequence[int], method: Interval | None, mm2: float | None) -> ClassSum:
    total, n = sum(counts), len(counts)
    mean = total / n if n else 0.0
    dispersion = float(np.var(counts, ddof=1)) / mean if n > 1 and total else None
    low, high = sampling_range(total, dispersion or 1.0, method)
    per = (low / n, high / n) if n else (0.0, 0.0)
    return ClassSum(
        total=total,
        interval=method,
        sampled=(low, high),
        per_field=mean,
        per_field_range=per,
        dispersion=dispersion,
        per_mm2=None if not mm2 else total / mm2,
        per_mm2_range=None if not mm2 else (low / mm2, high / mm2),
    )


def _per_1000(cells: ClassSum, base: ClassSum) -> tuple[float, Range] | None:
    """Return a ratio with its range, from the relative errors of both numbers (log scale)."""
    if not base.total:
        return None
    value = 1000 * cells.total / base.total
    if not cells.total:
        return 0.0, (0.0, 1000 * cells.sampled[1] / base.total)
    ups = (cells.sampled[1] / cells.total, base.total / max(base.sampled[0], _LEAST))
    downs = (cells.total / max(cells.sampled[0], _LEAST), base.sampled[1] / base.total)
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
