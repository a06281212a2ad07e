"""Evaluate a detector on a data set: detect as a user would, then compare with the ground truth."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.analyze import analyze
from smearcount.counts.edge_rule import count_labels
from smearcount.counts.grouping import BY_FOLDER, Grouping, group, grouping
from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.detections.detections import Detections
from smearcount.detector.detector import Detector
from smearcount.detector.inference import SCORE_FLOOR
from smearcount.detector.model_card import ModelCard
from smearcount.errors import DataError
from smearcount.evaluation.average_precision import DetectionScores, detection_scores
from smearcount.evaluation.count_agreement import (
    ALLOWED_ERROR,
    CountAgreement,
    SlideCount,
    compare_counts,
    count_slides,
)
from smearcount.evaluation.error_types import ErrorTypes, count_error_types
from smearcount.evaluation.matching import GroundTruth
from smearcount.image.read import open_image
from smearcount.settings import Settings

FIXED_THRESHOLD: Final = 0.5
"""The score from which the course exercise counts a detection, whatever its class."""

ALL_CLASSES: Final = "All cells"
"""The name under which the classes are compared together."""


@dataclass(frozen=True, eq=False)
class EvaluatedImage:
    """One image of the data set with its ground truth and its detections.

    Attributes:
        path: the image file.
        slide: the slide that the image belongs to, or "" for none.
        truth: the annotated cells.
        detections: every detection, low scores included.
        seconds: from opening the image to the counts.

    Example:
        >>> import numpy as np
        >>> from pathlib import Path
        >>> from smearcount import Detections
        >>> from smearcount.evaluation import EvaluatedImage, GroundTruth
        >>> boxes, labels = np.float32([[0, 0, 40, 40]]), np.array([2])
        >>> truth, found = GroundTruth(boxes, labels), Detections(boxes, np.float32([0.9]), labels)
        >>> image = EvaluatedImage(Path("a.jpg"), "slide A", truth, found, seconds=0.1)
        >>> len(image.detections)
        1
    """

    path: Path
    slide: str
    truth: GroundTruth
    detections: Detections
    seconds: float


@dataclass(frozen=True, eq=False)
class CountEvaluation:
    """How well the cells are counted with one set of thresholds.

    Attributes:
        thresholds: the score from which each class counts, in label order.
        true: shape (images, classes): true counts.
        counted: shape (images, classes): counts.
        agreement: by class name, and under :data:`ALL_CLASSES` for all cells of an image together.
        slides: images summed into slides, by class name, for the classes with an allowed error.
        error_types: the errors by type.

    Example:
        >>> import numpy as np
        >>> from pathlib import Path
        >>> from smearcount import Detections, load_detector
        >>> from smearcount.evaluation import EvaluatedImage, GroundTruth, evaluate_detections
        >>> boxes, labels = np.float32([[0, 0, 40, 40]]), np.array([2])
        >>> truth, found = GroundTruth(boxes, labels), Detections(boxes, np.float32([0.9]), labels)
        >>> image = EvaluatedImage(Path("a.jpg"), "slide A", truth, found, seconds=0.1)
        >>> card = load_detector().card
        >>> evaluation = evaluate_detections(card, "made by hand", card.classes, [image])
        >>> evaluation.at_fixed_threshold.counted.tolist()
        [[0, 1, 0]]
    """

    thresholds: tuple[float, ...]
    true: NDArray[np.int64]
    counted: NDArray[np.int64]
    agreement: dict[str, CountAgreement]
    slides: dict[str, list[SlideCount]]
    error_types: ErrorTypes


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A detector evaluated on a data set.

    Attributes:
        card: of the detector.
        source: what the data set was read from.
        classes: names in label order: the model's, then those that only the data set has.
        images: one per image, in the order of the data set.
        allowed: the allowed error of slides by class name, as a share of the true count.
        scores: average precision and recall, whatever the thresholds.
        at_model_thresholds: counting at the model's own thresholds.
        at_fixed_threshold: counting at :data:`FIXED_THRESHOLD`.

    Example:
        >>> import numpy as np
        >>> from pathlib import Path
        >>> from smearcount import Detections, load_detector
        >>> from smearcount.evaluation import EvaluatedImage, GroundTruth, evaluate_detections
        >>> boxes, labels = np.float32([[0, 0, 40, 40]]), np.array([2])
        >>> truth, found = GroundTruth(boxes, labels), Detections(boxes, np.float32([0.9]), labels)
        >>> image = EvaluatedImage(Path("a.jpg"), "slide A", truth, found, seconds=0.1)
        >>> card = load_detector().card
        >>> evaluation = evaluate_detections(card, "made by hand", card.classes, [image])
        >>> round(evaluation.scores.overall["map"], 3)
        1.0
    """

    card: ModelCard
    source: str
    classes: tuple[str, ...]
    images: tuple[EvaluatedImage, ...]
    allowed: dict[str, float]
    scores: DetectionScores
    at_model_thresholds: CountEvaluation
    at_fixed_threshold: CountEvaluation


def evaluate(
    detector: Detector,
    dataset: Dataset,
    *,
    slide_of: Grouping | None = None,
    allowed: Mapping[str, float] = ALLOWED_ERROR,
    pixel_size_um: float | None = None,
    on_image: Callable[[], None] = lambda: None,
) -> Evaluation:
    """Evaluate a detector on annotated images.

    Every image is analyzed as ``smearcount count`` does, with low scores kept and no limit on the
    number of cells.

    Args:
        detector: what to evaluate.
        dataset: cleaned images with their ground truth; classes are matched by name.
        slide_of: returns the slide that an image belongs to; None groups by folder.
        allowed: the allowed error of slides by class name, as a share of the true count.
        pixel_size_um: micrometers per pixel of all images; None takes that of each file where it
            is plausible, else estimates it from the red cells.
        on_image: called after each image, for a progress bar.

    Returns:
        counts, errors and average precision, with a 95 % interval where it makes sense.

    Raises:
        DataError: there is no image, no class in common, or an image has another size than its
            annotation says.
        ImageError: an image cannot be read.
        UsageError: no image belongs to a slide.

    Example:
        >>> from smearcount import load_detector
        >>> from smearcount.datasets import read_dataset
        >>> from smearcount.evaluation import evaluate
        >>> evaluation = evaluate(load_detector(), read_dataset(drawn_smears))
        >>> evaluation.classes
        ('WBC', 'RBC', 'Platelets')
        >>> evaluation.at_model_thresholds.agreement["RBC"].images
        5
    """
    classes = _all_classes(detector.card.classes, dataset)
    settings = Settings(threshold=SCORE_FLOOR, pixel_size_um=pixel_size_um)
    slide_of = slide_of or grouping(BY_FOLDER)
    group([str(image.path) for image in dataset.images], slide_of)  # fails before the work
    images = []
    for image in dataset.images:
        result = analyze(functools.partial(open_image, image.path), detector, settings)
        size = (result.image.width, result.image.height)
        if size != (image.width, image.height):
            raise DataError(
                f"{image.path}: the image is {size[0]}×{size[1]} pixels, but its annotation is for "
                f"{image.width}×{image.height}; make them match."
            )
        truth = ground_truth(image, dataset.classes, classes)
        slide = slide_of(str(image.path))
        images.append(EvaluatedImage(image.path, slide, truth, result.detections, result.seconds))
        on_image()
    return evaluate_detections(detector.card, dataset.source, classes, images, allowed)


def evaluate_detections(
    card: ModelCard,
    source: str,
    classes: Sequence[str],
    images: Sequence[EvaluatedImage],
    allowed: Mapping[str, float] = ALLOWED_ERROR,
) -> Evaluation:
    """Compare detections that are there already with the ground truth.

    Args:
        card: of the detector.
        source: what the data set was read from.
        classes: names in label order: the model's first.
        images: at least one.
        allowed: the allowed error of slides by class name, as a share of the true count.

    Returns:
        counts, errors and average precision, with a 95 % interval where it makes sense.

    Example:
        >>> import numpy as np
        >>> from pathlib import Path
        >>> from smearcount import Detections, load_detector
        >>> from smearcount.evaluation import EvaluatedImage, GroundTruth, evaluate_detections
        >>> boxes, labels = np.float32([[0, 0, 40, 40]]), np.array([2])
        >>> truth, found = GroundTruth(boxes, labels), Detections(boxes, np.float32([0.9]), labels)
        >>> image = EvaluatedImage(Path("a.jpg"), "slide A", truth, found, seconds=0.1)
        >>> card = load_detector().card
        >>> evaluation = evaluate_detections(card, "made by hand", card.classes, [image])
        >>> evaluation.at_model_thresholds.agreement["RBC"].counted_total
        1
    """
    only_in_data = len(classes) - len(card.classes)
    fixed = (FIXED_THRESHOLD,) * len(classes)
    truths = [image.truth for image in images]
    return Evaluation(
        card=card,
        source=source,
        classes=tuple(classes),
        images=tuple(images),
        allowed=dict(allowed),
        scores=detection_scores(truths, [image.detections for image in images], classes),
        at_model_thresholds=_count_evaluation(
            images, classes, card.thresholds + (1.0,) * only_in_data, allowed
        ),
        at_fixed_threshold=_count_evaluation(images, classes, fixed, allowed),
    )


def ground_truth(
    image: AnnotatedImage, data_classes: Sequence[str], classes: Sequence[str]
) -> GroundTruth:
    """Return the annotated cells of an image, their labels counting in other classes.

    Args:
        image: annotated.
        data_classes: the classes of its data set, in label order.
        classes: the classes to count in, in label order; cells of other classes are left out.
    """
    new_label = [classes.index(name) + 1 if name in classes else 0 for name in data_classes]
    labels = np.array([0, *new_label], dtype=np.int64)[image.labels]
    known = labels > 0
    return GroundTruth(image.boxes_xyxy_px.astype(np.float32)[known], labels[known])


def _all_classes(model_classes: Sequence[str], dataset: Dataset) -> tuple[str, ...]:
    """Return the model's classes and after them those that only the data set has."""
    if not dataset.images:
        raise DataError(f"{dataset.source}: there is no image to evaluate; check the split.")
    if not set(model_classes) & set(dataset.classes):
        raise DataError(
            f"{dataset.source}: its classes ({', '.join(dataset.classes)}) are none of the model's "
            f"({', '.join(model_classes)}); rename them or choose another model."
        )
    return (*model_classes, *(name for name in dataset.classes if name not in model_classes))


def _count_evaluation(
    images: Sequence[EvaluatedImage],
    classes: Sequence[str],
    thresholds: tuple[float, ...],
    allowed: Mapping[str, float],
) -> CountEvaluation:
    truths = [image.truth for image in images]
    detections = [image.detections.above(thresholds) for image in images]
    true = _count_table([truth.labels for truth in truths], classes)
    counted = _count_table([cells.labels for cells in detections], classes)
    slides = [image.slide for image in images]
    agreement = {name: compare_counts(true[:, k], counted[:, k]) for k, name in enumerate(classes)}
    agreement[ALL_CLASSES] = compare_counts(true.sum(axis=1), counted.sum(axis=1))
    return CountEvaluation(
        thresholds=thresholds,
        true=true,
        counted=counted,
        agreement=agreement,
        slides={
            name: count_slides(true[:, k], counted[:, k], slides, allowed[name])
            for k, name in enumerate(classes)
            if name in allowed
        },
        error_types=count_error_types(truths, detections, len(classes)),
    )


def _count_table(labels: Sequence[NDArray[np.int64]], classes: Sequence[str]) -> NDArray[np.int64]:
    """Return how often each class occurs in each image, shape (images, classes)."""
    return np.array([list(count_labels(each, classes).values()) for each in labels], np.int64)
