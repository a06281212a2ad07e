"""The functions of the package: count one image, count a folder, predict boxes.

The command line calls the same functions.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from smearcount.analyze import analyze
from smearcount.batch.run import count_batch
from smearcount.counts.grouping import group, grouping
from smearcount.detector.detector import Detector
from smearcount.detector.load import load_detector
from smearcount.errors import UsageError
from smearcount.image.find import ANNOTATED, find_images
from smearcount.image.read import open_image
from smearcount.report.exports import write_exports
from smearcount.results.batch_result import BatchResult
from smearcount.results.corrections import NO_CORRECTIONS, read_corrections
from smearcount.results.image_outcome import ImageOutcome
from smearcount.results.result import CountResult
from smearcount.results.totals import slides_of
from smearcount.settings import EdgeRule, Settings, Threshold

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

StrPath = str | PathLike[str]


def count(
    image: StrPath | PILImage | NDArray[np.uint8],
    settings: Settings | None = None,
    *,
    threshold: Threshold | None = None,
    edge: EdgeRule | None = None,
    pixel_size_um: float | None = None,
    model: StrPath | Detector | None = None,
) -> CountResult:
    """Count the cells of one image.

    Args:
        image: a path, a PIL image, or an RGB array of shape (height, width, 3), uint8.
        settings: how to count; the keywords below replace single values of it.
        threshold: the score in [0, 1] from which a detection counts: one for every class, one for
            each class in label order, or a mapping from class names; None, and a class that is
            not in the mapping, take the model's own.
        edge: which cells at the border count: ``all`` (the default), ``inside`` or
            ``two-edges``.
        pixel_size_um: micrometers per pixel; None takes the file's where it has a plausible one,
            else estimates it from the red cells.
        model: a model file, which is loaded once and kept; a detector; or None for the model that
            ships.

    Returns:
        the counts, their intervals, and every detection.

    Raises:
        ImageError: the image cannot be read.
        ModelError: the model cannot be loaded.
        UsageError: a setting lies outside its range, or names an unknown class.

    Example:
        >>> import smearcount
        >>> result = smearcount.count("smear.png")
        >>> result.counts
        {'WBC': 1, 'RBC': 20, 'Platelets': 5}
        >>> smearcount.count("smear.png", threshold={"RBC": 0.9}, edge="inside").counts
        {'WBC': 0, 'RBC': 12, 'Platelets': 3}
    """
    chosen = _merge(settings, threshold, edge, pixel_size_um)
    return analyze(lambda: open_image(image), _detector_of(model), chosen)


def count_folder(
    paths: StrPath | Sequence[StrPath],
    out: StrPath | None = None,
    *,
    settings: Settings | None = None,
    threshold: Threshold | None = None,
    edge: EdgeRule | None = None,
    pixel_size_um: float | None = None,
    model: StrPath | Detector | None = None,
    group_by: str | Callable[[str], str] | None = None,
    report: bool = False,
    corrections: StrPath | None = None,
    on_start: Callable[[Sequence[str]], None] = lambda images: None,
    on_result: Callable[[ImageOutcome], None] = lambda outcome: None,
    command: Sequence[str] = (),
) -> BatchResult:
    """Count the images of folders, one per core at a time.

    An image that cannot be read does not end the batch: its outcome holds the reason.

    Args:
        paths: an image file, a folder (its images and those of its sub-folders), a pattern such as
            ``slides/*.png``, or several of them.
        out: the folder for ``counts.csv``, ``detections.json``, ``run.json`` and the annotated
            images; None writes nothing. An interrupted batch resumes where it was when it is
            counted again into the same folder.
        settings: how to count; the keywords below replace single values of it.
        threshold: as in :func:`count`.
        edge: as in :func:`count`.
        pixel_size_um: as in :func:`count`.
        model: as in :func:`count`.
        group_by: how images belong to slides: ``folder``, a regular expression for their paths,
            a ``.csv`` file with the columns ``image`` and ``slide``, or a function from path to
            slide name. The slides are in the result, and in ``slides.csv``.
        report: whether to write ``report.html``, one page to read and print.
        corrections: a ``corrections.jsonl`` file, made by hand on the page.
        on_start: called once with the images found, before the first is counted.
        on_result: called with each outcome, in the order of the images, as soon as it is known.
        command: the command line, word by word, for ``run.json``.

    Returns:
        one outcome per image, their sums, and the slides.

    Raises:
        UsageError: no image is found, a setting lies outside its range, or ``group_by`` fits no
            image.
        WriteError: ``out`` cannot be written to.
        ModelError: the model cannot be loaded.
        DataError: the corrections cannot be read.

    Example:
        >>> from pathlib import Path
        >>> import smearcount
        >>> batch = smearcount.count_folder("slides", "results", group_by="folder")
        >>> len(batch.outcomes), len(batch.failed)
        (2, 0)
        >>> batch.slides[0].name, batch.slides[0].classes["RBC"].total
        ('slides/A', 20)
        >>> sorted(path.name for path in Path("results").iterdir())
        ['annotated', 'counts.csv', 'detections.json', 'journal.jsonl', 'run.json', 'slides.csv']
    """
    chosen = _merge(settings, threshold, edge, pixel_size_um)
    folder = None if out is None else Path(out)
    if report and folder is None:
        raise UsageError("a report is a file; name the folder for the results.")
    given = [paths] if isinstance(paths, str | PathLike) else paths
    images = find_images([os.fspath(path) for path in given])
    if folder is not None:
        images = _without_own_pictures(images, given, folder)
    slide_of = grouping(group_by) if isinstance(group_by, str) else group_by
    if slide_of is not None:
        group(images, slide_of)  # a rule that fits no image is an error before the work begins
    edits = NO_CORRECTIONS if corrections is None else read_corrections(Path(corrections))
    # Each of many images gets one core; a single one gets all of them.
    detector = _detector_of(model, threads=1 if len(images) > 1 else None)
    chosen.thresholds(detector.card.thresholds, detector.card.classes)  # do they fit the model?
    on_start(images)
    outcomes = count_batch(images, detector, chosen, folder, on_result, edits)
    batch = BatchResult(
        outcomes=tuple(outcomes),
        settings=chosen,
        card=detector.card,
        slides=tuple(slides_of(outcomes, slide_of, detector.card)) if slide_of else (),
        corrections=edits,
        command=tuple(command),
    )
    if folder is not None:
        asked_for = {"slides": slide_of is not None, "report": report}
        write_exports(folder, batch, [name for name, asked in asked_for.items() if asked])
    return batch


def predict(
    image: StrPath | PILImage | NDArray[np.uint8],
    threshold: Threshold = 0.5,
    model: StrPath | Detector | None = None,
) -> tuple[list[list[float]], list[int], list[float]]:
    """Find the cells of one image, as plain lists, best score first.

    Args:
        image: a path, a PIL image, or an RGB array of shape (height, width, 3), uint8.
        threshold: the score from which a detection is returned; as in :func:`count`.
        model: as in :func:`count`.

    Returns:
        boxes ``[x0, y0, x1, y1]`` in pixels; labels (1 WBC, 2 RBC, 3 Platelets in the model that
        ships); and scores in [0, 1]: three lists of the same length.

    Raises:
        ImageError: the image cannot be read.
        ModelError: the model cannot be loaded.
        UsageError: the threshold lies outside its range.

    Example:
        >>> import smearcount
        >>> boxes, labels, scores = smearcount.predict("smear.png", threshold=0.5)
        >>> len(boxes), len(boxes[0]), labels.count(1), scores[0] > scores[-1] >= 0.5
        (26, 4, 1, True)
    """
    found = count(image, threshold=threshold, model=model).detections
    return found.boxes_xyxy_px.tolist(), found.labels.tolist(), found.scores.tolist()


def _merge(
    settings: Settings | None,
    threshold: Threshold | None,
    edge: EdgeRule | None,
    pixel_size_um: float | None,
) -> Settings:
    """Return the settings with single values replaced."""
    merged = Settings() if settings is None else settings
    if threshold is not None:
        merged = replace(merged, threshold=threshold)
    if edge is not None:
        merged = replace(merged, edge=edge)
    if pixel_size_um is not None:
        merged = replace(merged, pixel_size_um=pixel_size_um)
    return merged


def _detector_of(model: StrPath | Detector | None, threads: int | None = None) -> Detector:
    if model is None:
        return _loaded(None, threads, ())
    if not isinstance(model, str | PathLike):
        return model
    name = os.fspath(model)
    return _loaded(name, threads, (_stamp(Path(name)), _stamp(Path(name).with_suffix(".json"))))


@functools.lru_cache(maxsize=4)
def _loaded(name: str | None, threads: int | None, stamps: tuple[object, ...]) -> Detector:
    """Load a model, once for as long as neither its file nor its card changes."""
    return load_detector(name, threads=threads)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _without_own_pictures(images: list[str], given: Sequence[StrPath], folder: Path) -> list[str]:
    """Leave out the images that an earlier run drew, unless they are asked for by name."""
    drawn = Path(os.path.realpath(folder / ANNOTATED))  # Path.resolve fails on loops of links
    asked_for = {os.fspath(path) for path in given}
    kept = [
        path
        for path in images
        if path in asked_for or not Path(os.path.realpath(path)).is_relative_to(drawn)
    ]
    if not kept:
        raise UsageError(f"{folder}: holds no images but those that smearcount drew.")
    return kept
