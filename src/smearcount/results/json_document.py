"""Counts as JSON for scripts: one image (``CountResult.to_dict``) or a batch (``--json``).

The JSON that this package itself reads back is in :mod:`smearcount.results.stored`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from smearcount import __version__

if TYPE_CHECKING:
    from smearcount.results.batch_result import BatchResult
    from smearcount.results.image_outcome import ImageOutcome
    from smearcount.results.result import CountResult

SCHEMA_VERSION: Final = 1
"""Raised when a key changes its meaning or is removed; new keys may be added at any time."""


def batch_document(batch: BatchResult) -> dict[str, Any]:
    """Return a batch as values that ``json.dumps`` takes.

    Each image has a ``status``; a failed one has an ``error`` and null ``counts``, never zeros.

    Args:
        batch: what was counted.
    """
    card = batch.card
    return {
        "schema_version": SCHEMA_VERSION,
        "smearcount": __version__,
        "model": {"name": card.name, "sha256": card.sha256, "classes": list(card.classes)},
        "settings": asdict(batch.settings),
        "images": [_image_of_batch(outcome) for outcome in batch.outcomes],
        "total": {
            "images_counted": len(batch.outcomes) - len(batch.failed),
            "images_failed": len(batch.failed),
            "counts": batch.counts,
            "intervals": batch.intervals,
        },
        "slides": [asdict(slide) for slide in batch.slides],
    }


def image_document(result: CountResult) -> dict[str, Any]:
    """Return the count of one image as values that ``json.dumps`` takes.

    Boxes are ``xyxy`` in pixels of the upright image. Boxes and scores read back as exactly the
    float32 values of ``result.detections``.

    Args:
        result: what was counted.
    """
    found = result.detections
    return {
        "counts": result.counts,
        "intervals": result.intervals,
        "excluded": result.excluded,
        "rbc_diameter_px": result.scale.rbc_diameter_px,
        "pixel_size_um": result.scale.pixel_size_um,
        "pixel_size_source": result.scale.source,
        "flags": list(result.flags),
        "notes": list(result.image.notes),
        "visible_share": round(
            result.image.visible_area_px / (result.image.width * result.image.height), 4
        ),
        "width": result.image.width,
        "height": result.image.height,
        "sha256": result.image.sha256,
        "seconds": round(result.seconds, 3),
        "detections": [
            {
                "class": result.card.classes[label - 1],
                "score": score,
                "box_xyxy_px": shortest_decimals(box),
                "counted": bool(counted),
            }
            for (box, _, label), score, counted in zip(
                found, shortest_decimals(found.scores), result.counted, strict=True
            )
        ],
    }


def shortest_decimals(values: NDArray[np.float32]) -> list[float]:
    """Return float32 values as the shortest decimals that read back as the same float32.

    Example:
        >>> shortest_decimals(np.array([0.1, 2], np.float32))
        [0.1, 2.0]
    """
    return [float(str(value)) for value in values]


def _image_of_batch(outcome: ImageOutcome) -> dict[str, Any]:
    document: dict[str, Any] = {
        "image": outcome.name,
        "status": outcome.status,
        "error": outcome.error,
        "counts": None,
    }
    if outcome.result is not None:
        document |= image_document(outcome.result)
    return document
