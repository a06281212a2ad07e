"""What the images of a run add up to."""

from __future__ import annotations

from collections.abc import Iterable

from smearcount.counts.interval import Interval
from smearcount.counts.slides import interval_of_sum
from smearcount.report.slides_table import counted_field
from smearcount.results.image_outcome import Outcome


def total(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Return the cells counted in all images together, by class name, in label order."""
    sums: dict[str, int] = {}
    for outcome in outcomes:
        if outcome.result is not None:
            for name, n in outcome.result.counts.items():
                sums[name] = sums.get(name, 0) + n
    return sums


def total_intervals(outcomes: Iterable[Outcome]) -> dict[str, Interval] | None:
    """Return between which numbers the true sums lie at 95 %, by class name.

    It holds if images fail independently; see :func:`smearcount.counts.slides.interval_of_sum`.

    Returns:
        None where nothing was counted, for a model without calibration, and where a person
        corrected every image.
    """
    results = [outcome.result for outcome in outcomes if outcome.result is not None]
    if not results:
        return None
    return interval_of_sum([counted_field(each) for each in results], results[0].card.calibration)
