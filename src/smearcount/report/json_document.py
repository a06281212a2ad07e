"""The one JSON document that ``--json`` prints: everything a script needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from smearcount import __version__
from smearcount.counts.slides import Slide
from smearcount.detector.model_card import ModelCard
from smearcount.report.coco_export import shortest
from smearcount.report.table import status
from smearcount.results.image_outcome import ImageOutcome
from smearcount.results.result import CountResult
from smearcount.results.totals import total, total_intervals
from smearcount.settings import Settings

SCHEMA_VERSION: Final = 1
"""Raised when a key changes its meaning or goes; new keys may come at any time."""


def document(
    outcomes: Sequence[ImageOutcome],
    settings: Settings,
    card: ModelCard,
    slides: Sequence[Slide] = (),
) -> dict[str, Any]:
    """Return the document, ready for ``json.dumps``.

    Each image has a ``status``; a failed one has an ``error`` and null ``counts``, never zeros.
    Boxes are ``xyxy`` in pixels of the upright image and read back as the exact float32 values
    that :func:`smearcount.count` returns.
    """
    failed = sum(outcome.result is None for outcome in outcomes)
    counted = total(outcomes)
    return {
        "schema_version": SCHEMA_VERSION,
        "smearcount": __version__,
        "model": {"name": card.name, "sha256": card.sha256, "classes": list(card.classes)},
        "settings": asdict(settings),
        "images": [_image(outcome) for outcome in outcomes],
        "total": {
            "images_counted": len(outcomes) - failed,
            "images_failed": failed,
            "counts": {name: counted.get(name, 0) for name in card.classes},
            "intervals": total_intervals(outcomes),
        },
        "slides": [asdict(slide) for slide in slides],
    }


def _image(outcome: ImageOutcome) -> dict[str, Any]:
    known: dict[str, Any] = {
        "image": outcome.name,
        "status": status(outcome),
        "error": outcome.error,
        "counts": None,
    }
    if outcome.result is not None:
        known |= _counted(outcome.result)
    return known


def _counted(result: CountResult) -> dict[str, Any]:
    return {
        "counts": result.counts,
        "intervals": result.intervals,
        "excluded": result.excluded,
        "rbc_diameter_px": result.scale.rbc_diameter_px,
        "pixel_size_um": result.scale.pixel_size_um,
        "pixel_size_source": result.scale.source,
        "flags": list(result.flags),
        "notes": list(result.image.notes),
        "width": result.image.width,
        "height": result.image.height,
        "sha256": result.image.sha256,
        "seconds": round(result.seconds, 3),
        "detections": [
            {
                "class": result.card.classes[label - 1],
                "score": score,
                "box_xyxy_px": shortest(box),
                "counted": bool(counted),
            }
            for (box, _, label), score, counted in zip(
                result.detections,
                shortest(result.detections.scores),
                result.counted,
                strict=True,
            )
        ],
    }
