"""``report.html``: one self-contained page per batch, to read on the screen or on paper.

This module gathers the values; ``templates/report.html`` lays them out.
"""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from PIL import Image
from PIL.Image import Image as PILImage

from smearcount import __version__
from smearcount.atomic_write import write_text
from smearcount.classes import class_color
from smearcount.counts.slides import ESTIMATE_NOTE, platelets_per_ul
from smearcount.detector.model_card import ModelCard
from smearcount.formatting import pluralize
from smearcount.image.find import ANNOTATED
from smearcount.quality.flags import FLAG_EXPLANATIONS
from smearcount.results.batch_result import BatchResult
from smearcount.results.image_outcome import ImageOutcome
from smearcount.results.result import CountResult
from smearcount.settings import Settings

if TYPE_CHECKING:
    from jinja2 import Template

THUMBNAIL_PX: Final = 420
"""Longer side of the pictures on the page."""

MAX_PICTURES: Final = 300
"""Images after this many are listed without a picture, so that the page still opens."""

_EDGE_RULES: Final = {
    "all": "all are counted",
    "inside": "none is counted",
    "two-edges": "counted at the top and left border, not at the bottom and right",
}


def write_report(path: Path, batch: BatchResult) -> None:
    """Write the page.

    Args:
        path: the file to write; the annotated pictures are looked for in ``annotated`` beside it.
        batch: what was counted.
    """
    write_text(path, _template().render(_values(batch, path.parent / ANNOTATED)) + "\n")


def common_folder(names: Sequence[str]) -> str:
    """Return the folder, with its slash, in which all files lie; empty where there is none."""
    slashed = [name.replace(os.sep, "/") for name in names]
    shared = os.path.commonprefix([name[: name.rfind("/") + 1] for name in slashed])  # noqa: RUF071 (cut at a slash below)
    return names[0][: shared.rfind("/") + 1] if names else ""


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("smearcount.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["pluralize"] = pluralize
    environment.filters["thousands"] = lambda value, digits: f"{value:,.{digits}f}"
    return environment.get_template("report.html")


def _failure(outcome: ImageOutcome) -> str:
    error = outcome.error or ""
    return error if outcome.name in error else f"{outcome.name}: {error}"


def _values(batch: BatchResult, pictures: Path) -> dict[str, Any]:
    """Return the variables of the template."""
    card, outcomes = batch.card, batch.outcomes
    results = [outcome.result for outcome in outcomes if outcome.result is not None]
    folder = common_folder([outcome.name for outcome in outcomes])
    ratios = list(batch.slides[0].per_1000) if batch.slides else []
    colors = {name: class_color(name, label) for label, name in enumerate(card.classes, start=1)}
    return {
        "version": __version__,
        "when": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "classes": card.classes,
        "colors": colors,
        "counted": len(results),
        "flagged": sum(bool(result.flags) for result in results),
        "failures": [_failure(outcome) for outcome in batch.failed],
        "tiles": [_tile(batch, name, color, len(results)) for name, color in colors.items()],
        "has_intervals": bool(batch.intervals),
        "warnings": _warnings(results),
        "slides": batch.slides,
        "slide_titles": [
            "Slide", "Fields", *card.classes, *(f"{name} per 1,000 RBC" for name in ratios)
        ],
        "platelets_per_ul": platelets_per_ul,
        "estimate_note": ESTIMATE_NOTE,
        "folder": folder,
        "image_titles": ["Image", *card.classes, "Red cell, px", "Warnings"],
        "images": [
            {
                "short_name": outcome.name[len(folder) :],
                "result": outcome.result,
                "pictured": outcome.result is not None and place <= MAX_PICTURES,
            }
            for place, outcome in enumerate(outcomes, start=1)
        ],
        "figures": list(_figures(outcomes, pictures)),
        "without_figure": len(outcomes) - MAX_PICTURES,
        "facts": _method(batch.settings, card),
    }  # fmt: skip


def _tile(batch: BatchResult, name: str, color: str, images: int) -> dict[str, Any]:
    total = batch.counts[name]
    return {
        "name": name,
        "color": color,
        "total": total,
        "interval": (batch.intervals or {}).get(name),
        "per_image": f"{total / images:.1f} per image" if images else "",
    }


def _warnings(results: Sequence[CountResult]) -> list[dict[str, Any]]:
    images: dict[str, int] = {}
    for result in results:
        for flag in result.flags:
            images[flag] = images.get(flag, 0) + 1
    return [
        {"flag": flag, "images": number, "meaning": FLAG_EXPLANATIONS.get(flag, "")}
        for flag, number in images.items()
    ]


def _figures(outcomes: Sequence[ImageOutcome], pictures: Path) -> Iterator[dict[str, Any]]:
    for place, outcome in enumerate(outcomes[:MAX_PICTURES], start=1):
        result = outcome.result
        if result is not None:
            yield {
                "place": place,
                "name": outcome.name,
                "file_name": Path(outcome.name).name,
                "thumbnail": _thumbnail(result, outcome.picture, pictures),
                "counts": {name: result.count_with_interval(name) for name in result.counts},
                "remarks": ", ".join((*result.flags, *result.image.notes)),
            }


def _thumbnail(result: CountResult, picture: str | None, pictures: Path) -> str:
    """Return a small annotated picture as a ``data:`` address."""
    drawn: PILImage
    if picture is not None and (pictures / picture).exists():
        drawn = Image.open(pictures / picture)
        drawn.draft("RGB", (2 * THUMBNAIL_PX, 2 * THUMBNAIL_PX))
    else:
        drawn = result.draw()
    drawn.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    stream = io.BytesIO()
    drawn.convert("RGB").save(stream, format="JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def _method(settings: Settings, card: ModelCard) -> list[tuple[str, str]]:
    """Return how it was counted: titles and what is to be said under each."""
    thresholds = settings.thresholds(card.thresholds, card.classes)
    facts: list[tuple[str, str]] = [
        ("Model", f"{card.name} ({card.architecture})"),
        ("SHA-256 of the model", card.sha256),
        ("A cell counts from score", _pairs(zip(card.classes, thresholds, strict=True))),
        ("Cells at the border", _EDGE_RULES[settings.edge]),
        (
            "Pixel size",
            "each file's own where it has a plausible one, else estimated from the red cells "
            "(7.5 µm wide)"
            if settings.pixel_size_um is None
            else f"{settings.pixel_size_um} µm, as given",
        ),
        *((f"Training: {key}", _in_words(value)) for key, value in card.training.items()),
        *((f"Measured: {key}", _in_words(value)) for key, value in card.metrics.items()),
    ]
    if card.calibration:
        facts.append(("Intervals", _in_words(card.calibration.about)))
    return facts


def _in_words(value: object) -> str:
    """Return a value of a card as text, however deeply it is nested."""
    if isinstance(value, dict):
        return _pairs((key, _in_words(inner)) for key, inner in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(map(_in_words, value))
    return str(value)


def _pairs(pairs: Iterable[tuple[str, object]]) -> str:
    return ", ".join(f"{key} {value}" for key, value in pairs)
