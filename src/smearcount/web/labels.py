"""Photographs that a person corrected, as labels that ``smearcount train`` reads."""

from __future__ import annotations

import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Final

from smearcount.errors import UsageError
from smearcount.results.batch_result import BatchResult
from smearcount.results.coco_export import write_coco

VALIDATION_EVERY: Final = 5
"""Of so many photographs one validates; training drops it if it nearly repeats another."""


def write_labels(path: Path, batch: BatchResult, photographs: Path) -> None:
    """Write a zip archive with ``train.bbox.json``, ``val.bbox.json`` (COCO) and ``images/``.

    A photograph that nobody corrected holds only the model's own opinion, and is left out.

    Args:
        path: the archive to write.
        batch: what became of the photographs, corrections included.
        photographs: the folder below which the photographs lie under their names.

    Raises:
        UsageError: no photograph was corrected.
        OSError: the disk is full or not writable.
    """
    corrected = [one for one in batch.outcomes if one.result is not None and one.result.corrections]
    if not corrected:
        raise UsageError("No photograph is corrected yet, so there are no labels to learn from.")
    val = corrected[1::VALIDATION_EVERY]
    train = [one for one in corrected if one not in val]
    with tempfile.TemporaryDirectory() as scratch, zipfile.ZipFile(path, "w") as archive:
        for split, some in (("train", train), ("val", val)):
            if some:
                file = Path(scratch, f"{split}.bbox.json")
                write_coco(file, replace(batch, outcomes=tuple(some)))
                archive.write(file, file.name)
        for one in corrected:
            archive.write(photographs / one.name, f"images/{one.name}")
