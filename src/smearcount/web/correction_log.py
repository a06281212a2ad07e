"""The corrections on disk: lines are only ever appended, and are safe before they are confirmed."""

from __future__ import annotations

import os
from pathlib import Path

from smearcount.errors import UsageError
from smearcount.results.corrections import Correction, history, read_corrections


class OutdatedError(Exception):
    """A correction was made on a view that other corrections have changed since."""


class Journal:
    """The append-only list of corrections of a session.

    Attributes:
        path: the JSON lines file; see :mod:`smearcount.results.corrections`.
    """

    def __init__(self, path: Path) -> None:
        """Open the list, creating it if need be, and cut off a line that a crash left half done.

        Raises:
            UsageError: the file cannot be written.
            DataError: the file holds something else.
        """
        self.path = path
        try:
            path.touch()
            whole = path.read_bytes()
            end = whole.rfind(b"\n") + 1
            if end < len(whole):
                os.truncate(path, end)
        except OSError as error:
            raise UsageError(f"{path}: this file cannot be used ({error.strerror}).") from None
        self._lines = {image: list(lines) for image, lines in read_corrections(path).items()}

    def of(self, image_sha256: str) -> tuple[Correction, ...]:
        """Return the corrections of one image, in order."""
        return tuple(self._lines.get(image_sha256, ()))

    def labels(self) -> set[str]:
        """Return the classes of all cells that were ever added or removed."""
        lines = (line for lines in self._lines.values() for line in lines)
        return {cell.label for line in lines for cell in (*line.remove, *line.add)}

    def append(self, correction: Correction, after: int) -> None:
        """Add a line; when this returns, it is on the disk.

        Args:
            correction: what was corrected.
            after: how many lines about the image the user had seen.

        Raises:
            OutdatedError: there are other lines meanwhile.
            UsageError: there is nothing to undo or redo.
            OSError: it could not be written; the list is as it was.
        """
        lines = self.of(correction.image)
        if after != len(lines):
            raise OutdatedError
        done, undone = history(lines)
        kind = correction.kind
        if (kind == "undo" and not done) or (kind == "redo" and not undone):
            raise UsageError(f"There is nothing to {kind}.")
        before = self.path.stat().st_size
        try:
            with self.path.open("ab") as file:
                file.write(correction.model_dump_json().encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            os.truncate(self.path, before)
            raise
        self._lines.setdefault(correction.image, []).append(correction)
