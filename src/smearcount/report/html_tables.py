"""The tables of ``report.html``: slides and images, sortable by a click on a title."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from smearcount.counts.slides import ESTIMATE_NOTE, Slide, platelets_per_ul
from smearcount.detector.model_card import ModelCard
from smearcount.results.image_outcome import ImageOutcome
from smearcount.results.result import CountResult

MOST_PICTURES: Final = 300
"""Images after this many are listed without a picture, so that the page still opens."""

_WORDS: Final = ("Warnings",)
_NUMBERS: Final = ' class="n"'


def slides_section(slides: Sequence[Slide], card: ModelCard) -> str:
    """Return the sums of the slides, or nothing where images were not grouped."""
    if not slides:
        return ""
    ratios = list(slides[0].per_1000)
    head = ["Slide", "Fields", *card.classes, *(f"{name} per 1,000 RBC" for name in ratios)]
    rows, notes = [], []
    for slide in slides:
        cells = [f"<td>{escape(slide.name)}</td>", _number(str(slide.fields), slide.fields)]
        for name in card.classes:
            of_class = slide.classes[name]
            doubt = _small(of_class.interval, 0)
            lines = [doubt, f"<small>{of_class.per_field:.1f} per field</small>"]
            if of_class.dispersion is not None:
                lines.append(f"<small>dispersion {of_class.dispersion:.1f}</small>")
            cells.append(_number(f"{of_class.total:,} {'<br>'.join(lines)}", of_class.total))
        for name in ratios:
            ratio = slide.per_1000[name]
            shown = "" if ratio is None else f"{ratio[0]:.1f}<br>{_small(ratio[1], 1)}"
            cells.append(_number(shown, -1 if ratio is None else ratio[0]))
        rows.append(f"<tr>{''.join(cells)}</tr>")
        estimate = platelets_per_ul(slide)
        density = [
            f"{escape(name)} {of_class.per_mm2:,.0f} {_small(of_class.per_mm2_range, 0)}"
            for name, of_class in slide.classes.items()
            if of_class.per_mm2 is not None
        ]
        said = f"per mm²: {', '.join(density)}." if density else f"no density ({slide.no_density})."
        if estimate is not None:
            said += f" Platelets about {estimate:,} per µL ({ESTIMATE_NOTE})."
        notes.append(f"<li>{escape(slide.name)}: {said}</li>")
    return (
        f"<section><h2>Slides</h2>{_sortable(head, rows)}<p class=quiet>Ratios are shown with 95 % "
        "ranges that contain both the error of counting and the chance of which fields were "
        "photographed; a dispersion near 1 means that cells lie as evenly as chance allows.</p>"
        f"<ul class=quiet>{''.join(notes)}</ul></section>"
    )


def images_section(outcomes: Sequence[ImageOutcome], card: ModelCard) -> str:
    """Return one row per input, failed ones included."""
    rows = []
    folder = common_folder([outcome.name for outcome in outcomes])
    for place, outcome in enumerate(outcomes, start=1):
        short = escape(outcome.name[len(folder) :])
        pictured = outcome.result is not None and place <= MOST_PICTURES
        name = f'<td><a href="#image-{place}">{short}</a></td>' if pictured else f"<td>{short}</td>"
        if outcome.result is None:
            rest = "".join('<td class="n" data-v="-1"></td>' for _ in range(len(card.classes) + 1))
            rows.append(f"<tr>{name}{rest}<td>not counted</td></tr>")
            continue
        result = outcome.result
        cells = [_number(_count(result, c), result.counts[c]) for c in card.classes]
        size = result.scale.rbc_diameter_px
        cells.append(_number("" if size is None else f"{size:.0f}", size or -1))
        flags = escape(", ".join(result.flags))
        rows.append(f"<tr>{name}{''.join(cells)}<td>{flags}</td></tr>")
    head = ["Image", *card.classes, "Red cell, px", "Warnings"]
    where = f'<p class="quiet">In {escape(folder)}</p>' if folder else ""
    return f"<section><h2>Images</h2>{where}{_sortable(head, rows)}</section>"


def common_folder(names: Sequence[str]) -> str:
    """Return the folder, with its slash, in which all files lie; empty where there is none."""
    slashed = [name.replace(os.sep, "/") for name in names]
    shared = os.path.commonprefix([name[: name.rfind("/") + 1] for name in slashed])  # noqa: RUF071 (cut at a slash below)
    return names[0][: shared.rfind("/") + 1] if names else ""


def _sortable(head: Iterable[str], rows: Sequence[str]) -> str:
    titles = "".join(
        f'<th scope="col"{"" if place == 0 or title in _WORDS else _NUMBERS}>'
        f"<button>{escape(title)}</button></th>"
        for place, title in enumerate(head)
    )
    return (
        f'<div class="wide"><table><thead><tr>{titles}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _count(result: CountResult, name: str) -> str:
    number = result.counts[name]
    intervals = result.intervals
    return f"{number} {_small(intervals[name], 0)}" if intervals else str(number)


def _small(values: tuple[float, float] | None, digits: int) -> str:
    if values is None:
        return ""
    return f"<small>({values[0]:,.{digits}f} to {values[1]:,.{digits}f})</small>"


def _number(shown: str, value: float) -> str:
    return f'<td class="n" data-v="{value}">{shown}</td>'
