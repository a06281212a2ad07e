"""Counting many images: failures become rows, and an interrupted batch resumes where it was.

This module counts and draws; the files that sum a batch up are written by
:mod:`smearcount.report.exports`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

from smearcount.analyze import analyze
from smearcount.atomic_write import make_folder, open_atomic
from smearcount.batch.journal import Journal
from smearcount.batch.workers import in_order
from smearcount.detector.detector import Detector, ThreadedDetector
from smearcount.detector.onnx_session import available_cores
from smearcount.errors import ImageError, SmearcountError, UsageError
from smearcount.image.find import ANNOTATED
from smearcount.image.image import Pixels, Region, SmearImage
from smearcount.image.read import open_image
from smearcount.results.corrections import NO_CORRECTIONS, Corrections, apply_corrections
from smearcount.results.image_outcome import ImageOutcome
from smearcount.settings import Settings


def count_batch(
    paths: Sequence[str],
    detector: Detector,
    settings: Settings,
    out: Path | None = None,
    on_result: Callable[[ImageOutcome], None] = lambda outcome: None,
    corrections: Corrections = NO_CORRECTIONS,
) -> list[ImageOutcome]:
    """Count many images, one per core at a time where the detector allows it.

    The results do not depend on the number of cores.

    Args:
        paths: image files; one that cannot be read becomes a failed outcome, the rest is counted.
        detector: finds the cells.
        settings: threshold, edge rule, pixel size.
        out: the folder of the annotated pictures and the journal; None writes nothing. Images that
            the journal there lists as finished, with the same bytes, settings and model, are not
            counted again.
        on_result: called with each outcome, in input order, as soon as it is known.
        corrections: what was corrected by hand, by the SHA-256 of the image file.

    Returns:
        one outcome per path, in the same order, holding no pixels.

    Raises:
        UsageError: a setting does not fit the model.
        WriteError: ``out`` cannot be written to.
    """
    pictures = picture_names(paths) if out is not None else [None] * len(paths)
    with _open_journal(out, settings, detector, corrections) as journal:
        finished = [
            journal.find(path, picture) if journal is not None and picture is not None else None
            for path, picture in zip(paths, pictures, strict=True)
        ]
        unfinished = [
            (path, picture)
            for path, picture, outcome in zip(paths, pictures, finished, strict=True)
            if outcome is None
        ]
        workers = min(available_cores(), len(unfinished))
        if workers > 1 and isinstance(detector, ThreadedDetector):
            detector = detector.with_threads(1)
        else:
            workers = 1

        def work(job: tuple[str, str | None], stop: threading.Event) -> ImageOutcome:
            path, picture = job
            counted = _count_image(path, detector, settings, corrections, stop)
            outcome = _with_picture(counted, out, picture).without_pixels()
            if outcome.result is not None:
                _ = outcome.result.intervals  # computed in this worker, and kept for the tables
            return outcome

        outcomes = []
        with closing(in_order(work, unfinished, workers)) as counted:
            for known in finished:
                outcome = known or next(counted)
                if known is None and journal is not None:
                    journal.add(outcome)
                outcomes.append(outcome)
                on_result(outcome)
    return outcomes


def picture_names(paths: Sequence[str]) -> list[str]:
    """Return a file name for the annotated picture of each input, no two alike.

    The name is the input's, with ``.jpg``; a number tells apart inputs of the same name, also on
    a disk that ignores case.
    """
    taken: set[str] = set()
    names = []
    for path in paths:
        stem = Path(path).stem
        name, number = f"{stem}.jpg", 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem}-{number}.jpg"
        taken.add(name.casefold())
        names.append(name)
    return names


def _open_journal(
    out: Path | None, settings: Settings, detector: Detector, corrections: Corrections
) -> Journal | nullcontext[None]:
    if out is None:
        return nullcontext()
    make_folder(out / ANNOTATED)
    path = out / "journal.jsonl"
    return Journal(path, out / ANNOTATED, settings, detector.card, corrections)


def _count_image(
    path: str,
    detector: Detector,
    settings: Settings,
    corrections: Corrections,
    stop: threading.Event,
) -> ImageOutcome:
    """Count one image; whatever is wrong with it becomes its outcome."""
    try:
        result = analyze(partial(_open_until, stop, path), detector, settings)
        edits = corrections.get(result.image.sha256, ())
        return ImageOutcome(path, apply_corrections(result, edits))
    except UsageError:
        raise  # the same for every image: a setting that makes no sense
    except SmearcountError as error:
        return ImageOutcome(path, error=str(error))
    except Exception as error:
        kind = type(error).__name__
        return ImageOutcome(path, error=f"{path}: failed unexpectedly ({kind}: {error}).")


def _open_until(stop: threading.Event, path: str) -> SmearImage:
    """Open an image whose pixels can be read until ``stop`` is set, so that Ctrl-C is prompt."""
    image = open_image(path)

    def read(region: Region) -> Pixels:
        if stop.is_set():
            raise ImageError(f"{path}: the batch was stopped.")
        return image.read(region)

    return replace(image, read=read)


def _with_picture(outcome: ImageOutcome, out: Path | None, picture: str | None) -> ImageOutcome:
    """Write the annotated picture of a counted image."""
    if outcome.result is None or out is None or picture is None:
        return outcome
    try:
        drawn = outcome.result.draw()
    except ImageError as error:  # the file went away between the count and the drawing
        return ImageOutcome(outcome.name, error=str(error))
    with open_atomic(out / ANNOTATED / picture) as stream:
        drawn.save(stream, format="JPEG", quality=92, subsampling=0)
    return ImageOutcome(outcome.name, outcome.result, picture=picture)
