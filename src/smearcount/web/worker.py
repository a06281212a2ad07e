"""The one thread that counts, so that the user's other work keeps its memory and processor."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from smearcount.analyze import analyze
from smearcount.detector.detector import Detector
from smearcount.errors import SmearcountError
from smearcount.image.image import Pixels, Region, RegionReader, SmearImage
from smearcount.image.read import open_image
from smearcount.results.stored import StoredResult
from smearcount.settings import Settings
from smearcount.web.photographs import Photograph
from smearcount.web.session import Session
from smearcount.web.tiles import build_pyramid

_log = logging.getLogger(__name__)


class _CanceledError(Exception):
    """Nobody wants the count that is going on any more."""


_BLANK_SHAPE = (480, 640, 3)


class Worker:
    """Counts the waiting photographs of a session, one after the other."""

    def __init__(self, session: Session, detector: Detector) -> None:
        """Prepare to count.

        Args:
            session: whose photographs to count.
            detector: finds the cells; only the counting thread uses it.
        """
        self._session = session
        self._detector = detector
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="counting", daemon=True)

    def start(self) -> None:
        """Begin to count, now and whenever a photograph comes."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the present photograph; wait a moment for that."""
        with self._session.photographs.changed:
            self._stopping = True
            self._session.photographs.changed.notify_all()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        self._warm_up()
        while True:
            with self._session.photographs.changed:
                photograph = self._session.next_waiting()
                while photograph is None and not self._stopping:
                    self._session.photographs.changed.wait()
                    photograph = self._session.next_waiting()
                if self._stopping or photograph is None:
                    return
                settings = self._session.settings_of(photograph)
            try:
                stored, reason = self._count(photograph, settings), ""
            except _CanceledError:
                stored, reason = None, ""
            except SmearcountError as error:
                stored, reason = None, str(error)
            except MemoryError:
                stored, reason = None, "There is not enough memory to count this photograph."
            except Exception as error:  # one photograph must not stop the others
                _log.exception("counting %s failed", photograph.name)
                stored, reason = None, f"Counting failed ({type(error).__name__}: {error})."
            reason = reason.replace(f"{self._session.folder.file(photograph)}: ", "")
            try:
                self._session.finish(photograph, settings, stored, reason)
            except (OSError, SmearcountError) as error:
                why = getattr(error, "strerror", None) or str(error)
                self._session.finish(photograph, settings, None, f"Not saved ({why}).")

    def _warm_up(self) -> None:
        """Count an empty picture, so that the first photograph finds everything loaded."""
        blank = np.full(_BLANK_SHAPE, 230, dtype=np.uint8)
        try:
            analyze(lambda: open_image(blank), self._detector, Settings())
        except Exception as error:  # the first photograph will tell the user
            _log.debug("warming up failed: %s", error)

    def _count(self, photograph: Photograph, settings: Settings) -> StoredResult:
        path = self._session.folder.file(photograph)
        # The page applies thresholds and edge rule later, to what is stored.
        wanted = partial(self._session.is_counted_now, photograph, settings)
        result = analyze(lambda: _cancelable(open_image(path), wanted), self._detector, settings)
        tiles = self._session.folder.tiles(photograph)
        if not tiles.exists():
            build_pyramid(result.image, tiles)
        return StoredResult.of(replace(result, image=replace(result.image, name=photograph.name)))


def _cancelable(image: SmearImage, wanted: Callable[[], bool]) -> SmearImage:
    """Return the image so that reading from it ends the count once the count is not wanted."""

    def checked(read: RegionReader) -> RegionReader:
        def read_if_wanted(region: Region) -> Pixels:
            if not wanted():
                raise _CanceledError
            return read(region)

        return read_if_wanted

    half = None if image.half is None else checked(image.half)
    return replace(image, read=checked(image.read), half=half)
