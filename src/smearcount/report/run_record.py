"""``run.json``: all that is needed to repeat a batch and to get the same numbers."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from smearcount import __version__
from smearcount.atomic_write import write_text
from smearcount.results.batch_result import BatchResult
from smearcount.results.corrections import corrections_digest
from smearcount.results.image_outcome import ImageOutcome

_PACKAGES: Final = ("numpy", "onnxruntime", "pillow", "tifffile")


def write_record(path: Path, batch: BatchResult) -> None:
    """Write ``run.json``. Of corrections by hand only a digest is written.

    Args:
        path: the file to write.
        batch: what was counted.
    """
    card = batch.card
    record = {
        "schema_version": 1,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": list(batch.command),
        "settings": asdict(batch.settings),
        "corrections_sha256": corrections_digest(batch.corrections) if batch.corrections else None,
        "model": {
            "name": card.name,
            "architecture": card.architecture,
            "sha256": card.sha256,
            "thresholds": dict(zip(card.classes, card.thresholds, strict=True)),
            "cut_odds": card.border_odds_ratio,
            "iou_threshold": card.iou_threshold,
        },
        "versions": {
            "smearcount": __version__,
            "python": platform.python_version(),
            "platform": platform.platform(),
            **{name: version(name) for name in _PACKAGES},
        },
        "images": [_image(outcome) for outcome in batch.outcomes],
    }
    write_text(path, json.dumps(record, indent=2) + "\n")


def _image(outcome: ImageOutcome) -> dict[str, Any]:
    known: dict[str, Any] = {"image": outcome.name, "status": outcome.status}
    if outcome.result is None:
        return known | {"error": outcome.error}
    image = outcome.result.image
    return known | {
        "sha256": image.sha256,
        "width": image.width,
        "height": image.height,
        "notes": list(image.notes),
        "corrections": outcome.result.corrections,
        "picture": outcome.picture,
    }
