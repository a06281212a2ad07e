"""``slides.csv``: one row per slide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from smearcount.atomic_write import write_csv
from smearcount.classes import RBC
from smearcount.counts.edge_rule import counted_by
from smearcount.counts.grouping import Grouping, group
from smearcount.counts.slides import CountedField, Slide, add_up
from smearcount.detector.card import ModelCard
from smearcount.results.image_outcome import Outcome
from smearcount.results.result import CountResult

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


def slides_of(outcomes: Sequence[Outcome], slide_of: Grouping, card: ModelCard) -> list[Slide]:
    """Return the slides that images belong to.

    Args:
        outcomes: one per image.
        slide_of: tells the slide of an image.
        card: of the model that looked.

    Raises:
        UsageError: no image belongs to a slide.
    """
    slides = []
    for name, places in group([outcome.name for outcome in outcomes], slide_of).items():
        results = [outcomes[place].result for place in places]
        counted = [counted_field(result) for result in results if result is not None]
        failed = len(results) - len(counted)
        slides.append(add_up(name, counted, card.classes, RBC, card.calibration, failed))
    return slides


def write_slides_csv(path: Path, slides: Sequence[Slide], classes: Sequence[str]) -> None:
    """Write ``slides.csv``; a cell is empty where there is nothing to say, never a zero."""
    columns = slide_columns(classes)
    titles = [title for title, _ in columns]
    write_csv(path, [titles, *([cell(slide) for _, cell in columns] for slide in slides)])


def slide_columns(classes: Sequence[str]) -> list[tuple[str, Callable[[Slide], str]]]:
    """Return the columns of ``slides.csv``: title, and what stands in the row of a slide."""
    columns: list[tuple[str, Callable[[Slide], str]]] = [
        ("slide", lambda slide: slide.name),
        ("fields", lambda slide: str(slide.fields)),
        ("fields_flagged", lambda slide: str(slide.flagged)),
        ("fields_failed", lambda slide: str(slide.failed)),
    ]
    for name in classes:
        columns += _of_class(name)
    if RBC in classes:
        for name in classes:
            if name != RBC:
                columns += _of_ratio(name)
    if PLATELETS in classes:
        columns += [
            ("Platelets_per_ul_estimate", platelets_per_ul),
            ("estimate_note", lambda slide: ESTIMATE_NOTE if platelets_per_ul(slide) else ""),
        ]
    return [*columns, ("no_density_because", lambda slide: slide.no_density)]


def _of_class(name: str) -> list[tuple[str, Callable[[Slide], str]]]:
    return [
        (name, lambda s: str(s.classes[name].total) if s.fields else ""),
        (f"{name}_low", lambda s: _at(s.classes[name].interval, 0, 0)),
        (f"{name}_high", lambda s: _at(s.classes[name].interval, 1, 0)),
        (f"{name}_per_field", lambda s: f"{s.classes[name].per_field:.2f}" if s.fields else ""),
        (
            f"{name}_per_field_low",
            lambda s: _at(s.classes[name].per_field_range, 0, 2) if s.fields else "",
        ),
        (
            f"{name}_per_field_high",
            lambda s: _at(s.classes[name].per_field_range, 1, 2) if s.fields else "",
        ),
        (f"{name}_dispersion", lambda s: _decimal(s.classes[name].dispersion, 2)),
        (f"{name}_per_mm2", lambda s: _decimal(s.classes[name].per_mm2, 0)),
        (f"{name}_per_mm2_low", lambda s: _at(s.classes[name].per_mm2_range, 0, 0)),
        (f"{name}_per_mm2_high", lambda s: _at(s.classes[name].per_mm2_range, 1, 0)),
    ]


def _of_ratio(name: str) -> list[tuple[str, Callable[[Slide], str]]]:
    title = f"{name}_per_1000_RBC"

    def part(which: int) -> Callable[[Slide], str]:
        def cell(slide: Slide) -> str:
            ratio = slide.per_1000[name]
            return "" if ratio is None else f"{(ratio[0], *ratio[1])[which]:.2f}"

        return cell

    return [(title, part(0)), (f"{title}_low", part(1)), (f"{title}_high", part(2))]


def counted_field(result: CountResult) -> CountedField:
    """Return what sums over images need to know of one."""
    image, scale, seen = result.image, result.scale, result.candidates
    allowed = seen[counted_by(result.settings.edge, seen, image, scale)]
    known = scale.source in ("user", "file") and scale.pixel_size_um is not None
    side_mm = (scale.pixel_size_um or np.nan) / 1000
    return CountedField(
        counts=result.counts,
        scores=allowed.scores,
        labels=allowed.labels,
        area_mm2=image.width * image.height * side_mm**2 if known else None,
        two_edges=result.settings.edge == "two-edges",
        flagged=bool(result.flags),
        settled=result.corrections > 0,
    )


def platelets_per_ul(slide: Slide) -> str:
    """Return the estimate that :data:`ESTIMATE_NOTE` describes; empty without density or class."""
    platelets = slide.classes.get(PLATELETS)
    if platelets is None or platelets.per_mm2 is None:
        return ""
    thousands = platelets.per_mm2 * OIL_FIELD_MM2 * PER_OIL_FIELD / 1000
    return str(1000 * round(thousands))


def _at(values: tuple[float, float] | None, which: int, digits: int) -> str:
    return "" if values is None else f"{values[which]:.{digits}f}"


def _decimal(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
