"""Decoding without the warnings that nobody reads."""

from __future__ import annotations

import threading
import warnings
from typing import Final


class _WithoutWarnings:
    """Silences decoders, which warn of odd metadata that nobody reads, in several threads at once.

    Python keeps one list of filters for the whole process: the first thread to come puts it aside
    and the last to go puts it back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._aside = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._aside = warnings.catch_warnings()
                self._aside.__enter__()
                warnings.simplefilter("ignore")

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._aside.__exit__(None, None, None)


WITHOUT_WARNINGS: Final = _WithoutWarnings()
"""Enter it around whatever decodes; it may be entered anew inside itself."""
