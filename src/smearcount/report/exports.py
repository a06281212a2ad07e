"""The files that a batch writes into its folder, in one table.

A new export is one module with a function that takes a path and a
:class:`~smearcount.results.batch_result.BatchResult`, and one line in :data:`EXPORTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from smearcount.report.html import write_report
from smearcount.report.run_record import write_record
from smearcount.report.slides_table import write_slides_csv
from smearcount.report.table import write_counts_csv
from smearcount.results.batch_result import BatchResult
from smearcount.results.coco_export import write_coco


@dataclass(frozen=True)
class Export:
    """One file of the results.

    Attributes:
        name: how callers ask for it.
        file_name: in the folder of the results.
        write: writes it.
        always: whether it is written without being asked for.
    """

    name: str
    file_name: str
    write: Callable[[Path, BatchResult], None]
    always: bool = True


EXPORTS: Final = (
    Export("counts", "counts.csv", write_counts_csv),
    Export("detections", "detections.json", write_coco),
    Export("record", "run.json", write_record),
    Export("slides", "slides.csv", write_slides_csv, always=False),
    Export("report", "report.html", write_report, always=False),
)
"""All exports, in the order in which they are written."""


def write_exports(folder: Path, batch: BatchResult, asked_for: Collection[str] = ()) -> None:
    """Write the files of a batch that are always written, and those asked for.

    Args:
        folder: where to write them; it must exist.
        batch: what was counted.
        asked_for: names of further exports.

    Raises:
        WriteError: the folder cannot be written to.
    """
    for export in EXPORTS:
        if export.always or export.name in asked_for:
            export.write(folder / export.file_name, batch)


def exports_left(folder: Path, asked_for: Collection[str] = ()) -> list[str]:
    """Return the file names of exports that lie in a folder but are not written by this run.

    Args:
        folder: of the results.
        asked_for: names of the exports that this run writes beside those always written.
    """
    return [
        export.file_name
        for export in EXPORTS
        if not export.always
        and export.name not in asked_for
        and (folder / export.file_name).exists()
    ]
