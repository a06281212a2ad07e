"""Everything that is measured once the detections of a data set are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.counts.edge_rule import count_labels
from smearcount.detections.detections import Detections
from smearcount.detector.model_card import ModelCard
from smearcount.evaluation.average_precision import Scores, score
from smearcount.evaluation.cells import TrueCells
from smearcount.evaluation.count_agreement import (
    ALLOWED_ERROR,
    Agreement,
    JudgedSlide,
    agree,
    judge_slides,
)
from smearcount.evaluation.error_types import Breakdown, break_down

EXERCISE_THRESHOLD: Final = 0.5
"""The score from which the course exercise counts a detection, whatever its class."""

POOLED: Final = "All cells"
"""The name under which the classes are compared together."""


@dataclass(frozen=True, eq=False)
class Field:
    """One image of the data set: what is on it and what was found.

    Attributes:
        path: the image file.
        slide: the slide that the field belongs to, or "" for none.
        truth: the marked cells.
        found: every detection, low scores included.
        seconds: from opening the image to the counts.
    """

    path: Path
    slide: str
    truth: TrueCells
    found: Detections
    seconds: float


@dataclass(frozen=True, eq=False)
class Counting:
    """How well the cells are counted with one set of thresholds.

    Attributes:
        thresholds: the score from which each class counts, in label order.
        true: shape (fields, classes): true counts.
        found: shape (fields, classes): counts.
        agreement: by class name, and under :data:`POOLED` for all cells of a field together.
        slides: fields summed into slides, by class name, for the classes with an allowed error.
        breakdown: what kind of errors were made.
    """

    thresholds: tuple[float, ...]
    true: NDArray[np.int64]
    found: NDArray[np.int64]
    agreement: dict[str, Agreement]
    slides: dict[str, list[JudgedSlide]]
    breakdown: Breakdown


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A detector measured on a data set.

    Attributes:
        card: of the detector.
        source: what the data set was read from.
        classes: names in label order: the model's, then those that only the data set has.
        fields: one per image, in the order of the data set.
        allowed: the allowed error of slides by class name, as a share of the true count.
        scores: average precision and recall, whatever the thresholds.
        at_model: counting at the model's own thresholds.
        at_exercise: counting at :data:`EXERCISE_THRESHOLD`.
    """

    card: ModelCard
    source: str
    classes: tuple[str, ...]
    fields: tuple[Field, ...]
    allowed: dict[str, float]
    scores: Scores
    at_model: Counting
    at_exercise: Counting


def measure(
    card: ModelCard,
    source: str,
    classes: Sequence[str],
    fields: Sequence[Field],
    allowed: Mapping[str, float] = ALLOWED_ERROR,
) -> Evaluation:
    """Measure detections against the truth.

    Args:
        card: of the detector.
        source: what the data set was read from.
        classes: names in label order: the model's first.
        fields: at least one.
        allowed: the allowed error of slides by class name, as a share of the true count.
    """
    beyond = len(classes) - len(card.classes)
    return Evaluation(
        card=card,
        source=source,
        classes=tuple(classes),
        fields=tuple(fields),
        allowed=dict(allowed),
        scores=score([f.truth for f in fields], [f.found for f in fields], classes),
        at_model=_count(fields, classes, card.thresholds + (1.0,) * beyond, allowed),
        at_exercise=_count(fields, classes, (EXERCISE_THRESHOLD,) * len(classes), allowed),
    )


def _count(
    fields: Sequence[Field],
    classes: Sequence[str],
    thresholds: tuple[float, ...],
    allowed: Mapping[str, float],
) -> Counting:
    counted = [field.found.above(thresholds) for field in fields]
    true = _table([field.truth.labels for field in fields], classes)
    found = _table([cells.labels for cells in counted], classes)
    groups = [field.slide for field in fields]
    agreement = {name: agree(true[:, k], found[:, k]) for k, name in enumerate(classes)}
    return Counting(
        thresholds=thresholds,
        true=true,
        found=found,
        agreement=agreement | {POOLED: agree(true.sum(axis=1), found.sum(axis=1))},
        slides={
            name: judge_slides(true[:, k], found[:, k], groups, allowed[name])
            for k, name in enumerate(classes)
            if name in allowed
        },
        breakdown=break_down([field.truth for field in fields], counted, len(classes)),
    )


def _table(labels: Sequence[NDArray[np.int64]], classes: Sequence[str]) -> NDArray[np.int64]:
    """Return how often each class occurs in each field, shape (fields, classes)."""
    return np.array([list(count_labels(each, classes).values()) for each in labels], np.int64)
