"""The corrections on disk: lines are only ever appended, and written before they are confirmed."""

from __future__ import annotations

import os
from pathlib import Path

from smearcount.errors import UsageError
from smearcount.results.corrections import Correction, history, read_corrections


class OutdatedError(UsageError):
    """A correction was based on a view that other corrections have changed since."""

    def __init__(self) -> None:
        super().__init__("This photograph was corrected elsewhere meanwhile.")


class CorrectionLog:
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
            content = path.read_bytes()
            end = content.rfind(b"\n") + 1
            if end < len(content):
                os.truncate(path, end)
        except OSError as error:
            raise UsageError(f"{path}: this file cannot be used ({error.strerror}).") from None
        self._by_image = {image: list(lines) for image, lines in read_corrections(path).items()}

    def of(self, image_sha256: str) -> tuple[Correction, ...]:
        """Return the corrections of one image, in order."""
        return tuple(self._by_image.get(image_sha256, ()))

    def class_names(self) -> set[str]:
        """Return the classes of all cells that were ever added or removed."""
        corrections = (one for lines in self._by_image.values() for one in lines)
        return {cell.label for one in corrections for cell in (*one.remove, *one.add)}

    def append(self, correction: Correction, after: int) -> None:
        """Add a line; when this returns, it is on the disk.

        Args:
            correction: what was corrected.
            after: how many lines about the image the user had seen.

        Raises:
            OutdatedError: other lines were added since.
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
        self._by_image.setdefault(correction.image, []).append(correction)
