"""``slides.csv``: one row per slide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from smearcount.classes import RBC
from smearcount.counts.slides import ESTIMATE_NOTE, PLATELETS, Slide, platelets_per_ul
from smearcount.csv_writer import write_csv
from smearcount.formatting import format_decimal
from smearcount.results.batch_result import BatchResult


def write_slides_csv(path: Path, batch: BatchResult) -> None:
    """Write ``slides.csv``: one row per slide; an unknown value is an empty cell, never a zero.

    Args:
        path: the file to write.
        batch: what was counted, with its slides.
    """
    columns = slide_columns(batch.card.classes)
    titles = [title for title, _ in columns]
    write_csv(path, [titles, *([cell(slide) for _, cell in columns] for slide in batch.slides)])


def slide_columns(classes: Sequence[str]) -> list[tuple[str, Callable[[Slide], str]]]:
    """Return the columns of ``slides.csv``: title, and a function for the cell of a slide."""
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
            ("Platelets_per_ul_estimate", lambda slide: format_decimal(platelets_per_ul(slide), 0)),
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
        (f"{name}_dispersion", lambda s: format_decimal(s.classes[name].dispersion, 2)),
        (f"{name}_per_mm2", lambda s: format_decimal(s.classes[name].per_mm2, 0)),
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


def _at(values: tuple[float, float] | None, which: int, digits: int) -> str:
    return "" if values is None else f"{values[which]:.{digits}f}"
