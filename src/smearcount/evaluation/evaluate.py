"""Count the images of a data set as a user would, and measure the answers against its truth."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from smearcount.analyze import analyze
from smearcount.counts.grouping import BY_FOLDER, Grouping, group, grouping
from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.detector.detector import SCORE_FLOOR, Detector
from smearcount.errors import DataError
from smearcount.evaluation.cells import TrueCells
from smearcount.evaluation.count_agreement import ALLOWED_ERROR
from smearcount.evaluation.measure import Evaluation, Field, measure
from smearcount.image.read import open_image
from smearcount.settings import Settings


def evaluate(
    detector: Detector,
    dataset: Dataset,
    *,
    slide_of: Grouping | None = None,
    allowed: Mapping[str, float] = ALLOWED_ERROR,
    pixel_size_um: float | None = None,
    done: Callable[[], None] = lambda: None,
) -> Evaluation:
    """Evaluate a detector.

    Every image goes through the same door as in ``smearcount count``, with low scores kept, and
    no limit on the number of cells.

    Args:
        detector: what to evaluate.
        dataset: images with the truth, already cleaned; classes are matched by name.
        slide_of: tells which slide an image belongs to; None goes by folder.
        allowed: the allowed error of slides by class name, as a share of the true count.
        pixel_size_um: micrometres per pixel of all images; None takes each file's where it has a
            plausible one, else estimates it from the red cells.
        done: called after each image, for a progress bar.

    Raises:
        DataError: there is no image, no class in common, or an image has another size than its
            annotation says.
        ImageError: an image cannot be read.
        UsageError: no image belongs to a slide.
    """
    classes = _together(detector.card.classes, dataset)
    settings = Settings(threshold=SCORE_FLOOR, pixel_size_um=pixel_size_um)
    slide_of = slide_of or grouping(BY_FOLDER)
    group([str(image.path) for image in dataset.images], slide_of)  # fails before the work
    fields = []
    for image in dataset.images:
        result = analyze(functools.partial(open_image, image.path), detector, settings)
        read = (result.image.width, result.image.height)
        if read != (image.width, image.height):
            raise DataError(
                f"{image.path}: the image is {read[0]}×{read[1]} pixels, but its annotation is for "
                f"{image.width}×{image.height}; make them match."
            )
        truth = _truth(image, dataset.classes, classes)
        fields.append(
            Field(image.path, slide_of(str(image.path)), truth, result.detections, result.seconds)
        )
        done()
    return measure(detector.card, dataset.source, classes, fields, allowed)


def _together(known: Sequence[str], dataset: Dataset) -> tuple[str, ...]:
    """Return the model's classes and after them those that only the data set has."""
    if not dataset.images:
        raise DataError(f"{dataset.source}: there is no image to evaluate; check the split.")
    if not set(known) & set(dataset.classes):
        raise DataError(
            f"{dataset.source}: its classes ({', '.join(dataset.classes)}) are none of the model's "
            f"({', '.join(known)}); rename them or choose another model."
        )
    return (*known, *(name for name in dataset.classes if name not in known))


def _truth(image: AnnotatedImage, theirs: Sequence[str], classes: Sequence[str]) -> TrueCells:
    label_of = np.array([0, *(classes.index(name) + 1 for name in theirs)], dtype=np.int64)
    return TrueCells(image.boxes_xyxy_px.astype(np.float32), label_of[image.labels])
