"""``report.html``: one self-contained page per run, to read on the screen or on paper."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image
from PIL.Image import Image as PILImage

from smearcount import __version__
from smearcount.classes import class_colour
from smearcount.counts.interval import interval
from smearcount.counts.slides import Slide
from smearcount.detector.card import ModelCard
from smearcount.quality.flags import EXPLAINED
from smearcount.report.outcome import Outcome, total
from smearcount.report.slides import ESTIMATE_NOTE, allowed_candidates, platelets_per_ul
from smearcount.report.table import in_words
from smearcount.report.write import write_text
from smearcount.result import CountResult
from smearcount.settings import Settings

THUMBNAIL_PX: Final = 420
"""Longer side of the pictures on the page."""

MOST_THUMBNAILS: Final = 300
"""Images after this many are listed without a picture, so that the page still opens."""


def write_report(
    path: Path,
    outcomes: Sequence[Outcome],
    slides: Sequence[Slide],
    settings: Settings,
    card: ModelCard,
) -> None:
    """Write the page.

    Args:
        path: the file to write; the annotated pictures are looked for in ``annotated`` beside it.
        outcomes: one per input, in input order.
        slides: what the images add up to, if they were grouped.
        settings: what was asked for.
        card: of the model that looked.
    """
    parts = [
        _head(),
        _summary(outcomes, card),
        _notices(outcomes),
        _slides(slides, card),
        _table(outcomes, card),
        _pictures(outcomes, card, path.parent / "annotated"),
        _method(settings, card),
        _foot(),
    ]
    write_text(path, "\n".join(part for part in parts if part))


def _head() -> str:
    style = (resources.files("smearcount.report") / "report.css").read_text(encoding="utf-8")
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Blood cell counts</title><style>{style}</style></head><body><main>"
        f'<header><h1>Blood cell counts</h1><p class="quiet">smearcount {escape(__version__)}, '
        f"{when}. <strong>For research use only; not for diagnosis.</strong></p></header>"
    )


def _summary(outcomes: Sequence[Outcome], card: ModelCard) -> str:
    results = [outcome.result for outcome in outcomes if outcome.result is not None]
    failed = len(outcomes) - len(results)
    flagged = sum(bool(result.flags) for result in results)
    sums = total(outcomes)
    intervals = _of_sum(results, card)
    tiles = []
    for label, name in enumerate(card.classes, start=1):
        low_high = intervals.get(name)
        doubt = f"{low_high[0]:,} to {low_high[1]:,}" if low_high else "&nbsp;"
        mean = f"{sums.get(name, 0) / len(results):.1f} per image" if results else ""
        tiles.append(
            f'<div class="tile" style="--colour:{class_colour(label)}"><h2>{escape(name)}</h2>'
            f'<p class="number">{sums.get(name, 0):,}</p><p class="doubt">{doubt}</p>'
            f'<p class="quiet">{mean}</p></div>'
        )
    words = [f"{len(results)} image{'s' * (len(results) != 1)} counted"]
    words += [f"{flagged} with a warning"] if flagged else ["none with a warning"]
    words += [f"<strong>{failed} could not be counted</strong>"] if failed else []
    note = (
        '<p class="quiet">Under each number: where the true number in these images lies, 19 times '
        "in 20. It holds if images fail independently; a fault that all of them share, such as a "
        "stain that the model does not know, is not in it.</p>"
        if intervals
        else '<p class="quiet">This model has no calibration, so no intervals are given.</p>'
    )
    return (
        f'<section><p class="lead">{", ".join(words)}.</p>'
        f'<div class="tiles">{"".join(tiles)}</div>{note}</section>'
    )


def _of_sum(results: Sequence[CountResult], card: ModelCard) -> dict[str, tuple[int, int]]:
    if not results or not card.calibration:
        return {}
    seen = [allowed_candidates(result) for result in results]
    scores = np.concatenate([each.scores for each in seen])
    labels = np.concatenate([each.labels for each in seen])
    return interval(scores, labels, card.calibration, images=len(results)) or {}


def _notices(outcomes: Sequence[Outcome]) -> str:
    raised: dict[str, list[str]] = {}
    for outcome in outcomes:
        for flag in outcome.result.flags if outcome.result else ():
            raised.setdefault(flag, []).append(outcome.name)
    items = [
        f"<li><strong>{escape(flag.capitalize())}</strong> ({_images(len(names))}). "
        f"{escape(EXPLAINED.get(flag, ''))}</li>"
        for flag, names in raised.items()
    ]
    items += [
        f"<li><strong>Not counted.</strong> {escape(outcome.error)}</li>"
        for outcome in outcomes
        if outcome.error
    ]
    if not items:
        return ""
    return (
        f'<section class="notice"><h2>Look at these first</h2><ul>{"".join(items)}</ul>'
        '<p class="quiet">A warning never hides a count; it says how sure to be.</p></section>'
    )


def _slides(slides: Sequence[Slide], card: ModelCard) -> str:
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
            f"{name} {of_class.per_mm2:,.0f} {_small(of_class.per_mm2_range, 0)}"
            for name, of_class in slide.classes.items()
            if of_class.per_mm2 is not None
        ]
        notes.append(
            f"<li>{escape(slide.name)}: "
            + (
                f"per mm²: {', '.join(density)}. Platelets about {int(estimate):,} per µL "
                f"({escape(ESTIMATE_NOTE)})."
                if density and estimate
                else f"no density ({escape(slide.no_density)})."
            )
            + "</li>"
        )
    return (
        f"<section><h2>Slides</h2>{_sortable(head, rows)}<p class=quiet>Ratios are shown with 95 % "
        "ranges that contain both the error of counting and the chance of which fields were "
        "photographed; a dispersion near 1 means that cells lie as evenly as chance allows.</p>"
        f"<ul class=quiet>{''.join(notes)}</ul></section>"
    )


def _table(outcomes: Sequence[Outcome], card: ModelCard) -> str:
    rows = []
    for place, outcome in enumerate(outcomes, start=1):
        name = f'<td><a href="#image-{place}">{escape(outcome.name)}</a></td>'
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
    return f"<section><h2>Images</h2>{_sortable(head, rows)}</section>"


def _pictures(outcomes: Sequence[Outcome], card: ModelCard, folder: Path) -> str:
    figures = []
    for place, outcome in enumerate(outcomes, start=1):
        if outcome.result is None or place > MOST_THUMBNAILS:
            continue
        result = outcome.result
        counts = " ".join(
            f'<span class="dot" style="--colour:{class_colour(label)}"></span>'
            f"{escape(name)} {escape(in_words(result, name))}"
            for label, name in enumerate(card.classes, start=1)
        )
        flags = f"<br><em>{escape(', '.join(result.flags))}</em>" if result.flags else ""
        figures.append(
            f'<figure id="image-{place}"><img loading="lazy" alt="{escape(outcome.name)} with the '
            f'cells found" src="{_thumbnail(result, outcome.picture, folder)}"><figcaption>'
            f"<strong>{escape(Path(outcome.name).name)}</strong><br>{counts}{flags}</figcaption>"
            "</figure>"
        )
    left = len(outcomes) - MOST_THUMBNAILS
    more = f"<p class=quiet>{left} further images: see annotated/.</p>" if left > 0 else ""
    if not figures:
        return ""
    return (
        f'<section><h2>What was counted</h2><div class="sheet">{"".join(figures)}</div>'
        f"{more}</section>"
    )


def _method(settings: Settings, card: ModelCard) -> str:
    thresholds = settings.thresholds(card.thresholds)
    facts: list[tuple[str, str]] = [
        ("Model", f"{card.name} ({card.architecture})"),
        ("SHA-256 of the model", card.sha256),
        ("A cell counts from score", _pairs(zip(card.classes, thresholds, strict=True))),
        ("Cells at the border", _EDGE[settings.edge]),
        (
            "Pixel size",
            "estimated from the red cells (7.5 µm wide)"
            if settings.pixel_size_um is None
            else f"{settings.pixel_size_um} µm, as given",
        ),
        *((f"Training: {key}", str(value)) for key, value in card.training.items()),
        *((f"Measured: {key}", _fact(value)) for key, value in card.metrics.items()),
    ]
    if card.calibration:
        about = card.calibration.get("about", {})
        facts.append(("Intervals", _fact(about)))
    rows = "".join(f"<dt>{escape(key)}</dt><dd>{escape(text)}</dd>" for key, text in facts)
    return (
        "<section><h2>How it was counted</h2><p>A neural network finds each cell and gives it a "
        "score. Detections whose score reaches the threshold of their class are counted. Intervals "
        "come from all scores, by a calibration on annotated images that the network did not learn "
        f"from.</p><dl>{rows}</dl></section>"
    )


_WORDS: Final = ("Warnings",)
_NUMBERS: Final = ' class="n"'

_EDGE: Final = {
    "all": "all are counted",
    "inside": "none is counted",
    "two-edges": "counted at the top and left border, not at the bottom and right",
}


def _foot() -> str:
    script = (resources.files("smearcount.report") / "report.js").read_text(encoding="utf-8")
    return (
        "<footer><p>For research use only. Not a medical device; not for diagnosis or treatment."
        f"</p></footer></main><script>{script}</script></body></html>\n"
    )


def _thumbnail(result: CountResult, picture: str | None, folder: Path) -> str:
    drawn: PILImage
    if picture is not None and (folder / picture).exists():
        drawn = Image.open(folder / picture)
        drawn.draft("RGB", (2 * THUMBNAIL_PX, 2 * THUMBNAIL_PX))
    else:
        drawn = result.draw()
    drawn.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    stream = io.BytesIO()
    drawn.convert("RGB").save(stream, format="JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


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


def _images(number: int) -> str:
    return f"{number} image{'s' * (number != 1)}"


def _pairs(pairs: Iterable[tuple[str, object]]) -> str:
    return ", ".join(f"{key} {value}" for key, value in pairs)


def _fact(value: object) -> str:
    return _pairs(value.items()) if isinstance(value, dict) else str(value)
