"""What the images of a batch add up to: total counts, their intervals, and slides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from smearcount.classes import RBC
from smearcount.counts.edge_rule import is_counted
from smearcount.counts.grouping import Grouping, group
from smearcount.counts.interval import Interval
from smearcount.counts.slides import CountedField, Slide, add_up, interval_of_sum
from smearcount.detector.model_card import ModelCard
from smearcount.results.image_outcome import ImageOutcome
from smearcount.results.result import CountResult


def total(outcomes: Iterable[ImageOutcome]) -> dict[str, int]:
    """Return the cells counted in all images together, by class name, in label order."""
    sums: dict[str, int] = {}
    for outcome in outcomes:
        if outcome.result is not None:
            for name, n in outcome.result.counts.items():
                sums[name] = sums.get(name, 0) + n
    return sums


def total_intervals(outcomes: Iterable[ImageOutcome]) -> dict[str, Interval] | None:
    """Return the 95 % intervals of the true sums, by class name.

    The errors of the images are taken as independent; see
    :func:`smearcount.counts.slides.interval_of_sum`.

    Returns:
        None if nothing was counted, for a model without calibration, and if a person corrected
        every image.
    """
    results = [outcome.result for outcome in outcomes if outcome.result is not None]
    if not results:
        return None
    return interval_of_sum(
        [counted_field(result) for result in results], results[0].card.calibration
    )


def slides_of(outcomes: Sequence[ImageOutcome], slide_of: Grouping, card: ModelCard) -> list[Slide]:
    """Group images into slides and add up each.

    Args:
        outcomes: one per image.
        slide_of: returns the slide of an image; see :mod:`smearcount.counts.grouping`.
        card: of the model.

    Raises:
        UsageError: no image belongs to a slide.
    """
    slides = []
    for name, indices in group([outcome.name for outcome in outcomes], slide_of).items():
        results = [outcomes[index].result for index in indices]
        counted = [counted_field(result) for result in results if result is not None]
        failed = len(results) - len(counted)
        slides.append(add_up(name, counted, card.classes, RBC, card.calibration, failed))
    return slides


def counted_field(result: CountResult) -> CountedField:
    """Return an image as sums over images need it."""
    image, scale, candidates = result.image, result.scale, result.candidates
    allowed = candidates[is_counted(result.settings.edge, candidates, image, scale)]
    known = scale.source in ("user", "file") and scale.pixel_size_um is not None
    side_mm = (scale.pixel_size_um or np.nan) / 1000
    return CountedField(
        counts=result.counts,
        scores=allowed.scores,
        labels=allowed.labels,
        area_mm2=image.visible_area_px * side_mm**2 if known else None,
        two_edges=result.settings.edge == "two-edges",
        flagged=bool(result.flags),
        corrected=result.corrections > 0,
    )
