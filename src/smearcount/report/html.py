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

from PIL import Image
from PIL.Image import Image as PILImage

from smearcount import __version__
from smearcount.atomic_write import write_text
from smearcount.classes import class_color
from smearcount.counts.slides import Slide
from smearcount.detector.model_card import ModelCard
from smearcount.image.find import ANNOTATED
from smearcount.quality.flags import FLAG_EXPLANATIONS
from smearcount.report.html_tables import MOST_PICTURES, images_section, slides_section
from smearcount.report.table import in_words
from smearcount.results.image_outcome import ImageOutcome
from smearcount.results.result import CountResult
from smearcount.results.totals import total, total_intervals
from smearcount.settings import Settings

THUMBNAIL_PX: Final = 420
"""Longer side of the pictures on the page."""


def write_report(
    path: Path,
    outcomes: Sequence[ImageOutcome],
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
        slides_section(slides, card),
        images_section(outcomes, card),
        _pictures(outcomes, card, path.parent / ANNOTATED),
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


def _summary(outcomes: Sequence[ImageOutcome], card: ModelCard) -> str:
    results = [outcome.result for outcome in outcomes if outcome.result is not None]
    failed = len(outcomes) - len(results)
    flagged = sum(bool(result.flags) for result in results)
    sums = total(outcomes)
    intervals = total_intervals(outcomes) or {}
    tiles = []
    for label, name in enumerate(card.classes, start=1):
        low_high = intervals.get(name)
        doubt = f"{low_high[0]:,} to {low_high[1]:,}" if low_high else "&nbsp;"
        mean = f"{sums.get(name, 0) / len(results):.1f} per image" if results else ""
        tiles.append(
            f'<div class="tile" style="--colour:{class_color(label)}"><h2>{escape(name)}</h2>'
            f'<p class="number">{sums.get(name, 0):,}</p><p class="doubt">{doubt}</p>'
            f'<p class="quiet">{mean}</p></div>'
        )
    words = [f"{len(results)} image{'s' * (len(results) != 1)} counted"]
    words += [f"{flagged} with a warning"] if flagged else ["none with a warning"]
    words += [f"<strong>{failed} could not be counted</strong>"] if failed else []
    note = (
        '<p class="quiet">Under each number: where the true number in these images lies, 19 times '
        "in 20. It holds if images fail independently; a fault that all of them share, such as a "
        "stain that the model does not know, is not in it. Images corrected by hand are taken as "
        "right.</p>"
        if intervals
        else '<p class="quiet">No intervals: the model has no calibration, or every image was '
        "corrected by hand.</p>"
    )
    return (
        f'<section><p class="lead">{", ".join(words)}.</p>'
        f'<div class="tiles">{"".join(tiles)}</div>{note}</section>'
    )


def _notices(outcomes: Sequence[ImageOutcome]) -> str:
    raised: dict[str, list[str]] = {}
    for outcome in outcomes:
        for flag in outcome.result.flags if outcome.result else ():
            raised.setdefault(flag, []).append(outcome.name)
    items = [
        f"<li><strong>{escape(flag.capitalize())}</strong> ({_images(len(names))}). "
        f"{escape(FLAG_EXPLANATIONS.get(flag, ''))}</li>"
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


def _pictures(outcomes: Sequence[ImageOutcome], card: ModelCard, folder: Path) -> str:
    figures = []
    for place, outcome in enumerate(outcomes, start=1):
        if outcome.result is None or place > MOST_PICTURES:
            continue
        result = outcome.result
        counts = " ".join(
            f'<span class="whole"><span class="dot" style="--colour:{class_color(label)}"></span>'
            f"{escape(name)} {escape(in_words(result, name))}</span>"
            for label, name in enumerate(card.classes, start=1)
        )
        said = escape(", ".join((*result.flags, *result.image.notes)))
        remarks = f"<br><em>{said}</em>" if said else ""
        figures.append(
            f'<figure id="image-{place}"><img loading="lazy" alt="{escape(outcome.name)} with the '
            f'cells found" src="{_thumbnail(result, outcome.picture, folder)}"><figcaption>'
            f"<strong>{escape(Path(outcome.name).name)}</strong><br>{counts}{remarks}</figcaption>"
            "</figure>"
        )
    left = len(outcomes) - MOST_PICTURES
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
            "each file's own where it has a plausible one, else estimated from the red cells "
            "(7.5 µm wide)"
            if settings.pixel_size_um is None
            else f"{settings.pixel_size_um} µm, as given",
        ),
        *((f"Training: {key}", _fact(value)) for key, value in card.training.items()),
        *((f"Measured: {key}", _fact(value)) for key, value in card.metrics.items()),
    ]
    if card.calibration:
        facts.append(("Intervals", _fact(card.calibration.about)))
    rows = "".join(f"<dt>{escape(key)}</dt><dd>{escape(text)}</dd>" for key, text in facts)
    return (
        "<section><h2>How it was counted</h2><p>A neural network finds each cell and gives it a "
        "score. Detections whose score reaches the threshold of their class are counted. Intervals "
        "come from all scores, by a calibration on annotated images that the network did not learn "
        f"from.</p><dl>{rows}</dl></section>"
    )


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


def _images(number: int) -> str:
    return f"{number} image{'s' * (number != 1)}"


def _pairs(pairs: Iterable[tuple[str, object]]) -> str:
    return ", ".join(f"{key} {value}" for key, value in pairs)


def _fact(value: object) -> str:
    """Return a fact of a card in words, however deep it is."""
    if isinstance(value, dict):
        return _pairs((key, _fact(each)) for key, each in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(map(_fact, value))
    return str(value)
