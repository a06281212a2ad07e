"""Fit all that a model card says about counting, on annotated images that the model never saw."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from smearcount.calibration.coverage import Coverage, cross_validated_coverage
from smearcount.calibration.flag_sensitivity import (
    FlagSensitivity,
    flags_from_card,
    measure_flag_sensitivity,
)
from smearcount.calibration.intervals import fit_intervals
from smearcount.calibration.reference_statistics import MIN_IMAGES as MIN_REFERENCE_IMAGES
from smearcount.calibration.reference_statistics import fit_reference_statistics
from smearcount.calibration.thresholds import (
    BORDER_ODDS_RATIOS,
    choose_border_odds_ratio,
    choose_thresholds,
)
from smearcount.classes import RBC
from smearcount.datasets.dataset import Dataset, labels_digest
from smearcount.datasets.near_duplicates import deduplicate, without_duplicates_of
from smearcount.detections.detections import Detections
from smearcount.detector.detect import detect
from smearcount.detector.detector import Detector
from smearcount.detector.interval_calibration import Calibration
from smearcount.detector.model_card import ModelCard
from smearcount.errors import DataError
from smearcount.evaluation.evaluation import ground_truth
from smearcount.evaluation.matching import GroundTruth
from smearcount.image.read import open_image

MIN_IMAGES: Final = 20
"""Fewer images promise no interval that holds 19 of 20 true counts."""


@dataclass(frozen=True)
class CountError:
    """How far the counts of one class are off.

    Attributes:
        threshold: the score from which the class counts.
        mae: mean absolute error, in cells per image.
        bias: mean error, counted minus true, in cells per image.

    Example:
        >>> from smearcount.calibration import CountError
        >>> CountError(threshold=0.43, mae=0.83, bias=0.04).bias
        0.04
    """

    threshold: float
    mae: float
    bias: float


@dataclass(frozen=True, eq=False)
class CalibrationResult:
    """A model card fitted anew, and how much better it counts.

    Attributes:
        card: the new card; all but the fitted entries is as it was.
        truths: the annotated cells, one per image that was used.
        predictions: what the detector finds with the new card, one per image, low scores kept.
        before: the count errors of each class by name with the card as it was.
        after: the same with the new card, on the images that it was fitted on.
        coverage: how often the intervals hold the true count, fitted on a random half of the images
            and measured on the other, by class name; empty for fewer than four images.
        flag_sensitivity: how often the quality flags of the new card detect corrupted images;
            empty for a card without reference statistics.

    Example:
        >>> from smearcount import load_detector
        >>> from smearcount.calibration import CalibrationResult, calibrate
        >>> from smearcount.datasets import read_dataset
        >>> result: CalibrationResult
        >>> result = calibrate(load_detector(), read_dataset(drawn_smears), min_images=3)
        >>> len(result.predictions) == len(result.truths)
        True
    """

    card: ModelCard
    truths: tuple[GroundTruth, ...]
    predictions: tuple[Detections, ...]
    before: dict[str, CountError]
    after: dict[str, CountError]
    coverage: dict[str, Coverage]
    flag_sensitivity: tuple[FlagSensitivity, ...]


def calibrate(
    detector: Detector,
    dataset: Dataset,
    *,
    training_images: Dataset | None = None,
    min_images: int = MIN_IMAGES,
    on_image: Callable[[], object] = lambda: None,
) -> CalibrationResult:
    """Fit thresholds, border odds ratio, count intervals and reference statistics of a model.

    The detector sees the images as in a count: it is not told their magnification. Images that show
    the same picture as another one, or as a training image, are left out.

    Args:
        detector: the model; its card gives the classes.
        dataset: cleaned images with their ground truth that the model was not trained on; classes
            are matched by name.
        training_images: cleaned images that the model was trained on, for the reference
            statistics; None keeps those of the card.
        min_images: fewer images are refused.
        on_image: called each time an image was seen by the detector, up to
            ``max_detector_runs(detector, dataset)`` times, for a progress bar.

    Returns:
        the new card and what it gains. Nothing is written.

    Raises:
        DataError: the model was trained on these images, there are too few, or one of its classes
            is not annotated in them.
        ImageError: an image cannot be read.

    Example:
        >>> from smearcount import load_detector
        >>> from smearcount.calibration import calibrate
        >>> from smearcount.datasets import read_dataset
        >>> result = calibrate(load_detector(), read_dataset(drawn_smears), min_images=3)
        >>> sorted(result.after)
        ['Platelets', 'RBC', 'WBC']
        >>> result.card.write(drawn_smears / "model.json")
    """
    card = detector.card
    _refuse_training_images(card, dataset)
    _refuse_missing_classes(card, dataset)
    unseen = deduplicate(dataset)
    if training_images is not None:
        unseen = without_duplicates_of(unseen, training_images)
    if len(unseen) < min_images:
        raise DataError(
            f"{dataset.source}: a calibration needs {min_images} images or more that the model "
            f"never saw, and there are {len(unseen)}; annotate more."
        )
    truths = tuple(ground_truth(image, unseen.classes, card.classes) for image in unseen.images)
    predictions_at = _predictions_by_border_odds_ratio(detector, unseen, on_image)

    ratio = 1.0
    if RBC in card.classes:
        label = card.classes.index(RBC) + 1
        ratio = choose_border_odds_ratio(truths, predictions_at, label)
    predictions = predictions_at(ratio)
    thresholds = _thresholds(card, truths, predictions)
    coverage: dict[str, Coverage] = {}
    if len(truths) >= 4:
        coverage = cross_validated_coverage(truths, predictions, thresholds, card.classes)
    intervals = fit_intervals(truths, predictions, thresholds, card.classes)
    fitted = card.model_copy(
        update={
            "thresholds": thresholds,
            "border_odds_ratio": ratio,
            "calibration": _with_coverage(intervals, unseen.source, coverage),
        }
    )
    fitted, sensitivity = _with_reference_statistics(fitted, unseen, training_images)
    return CalibrationResult(
        card=fitted,
        truths=truths,
        predictions=predictions,
        before=_count_errors(card, truths, predictions_at(card.border_odds_ratio)),
        after=_count_errors(fitted, truths, predictions),
        coverage=coverage,
        flag_sensitivity=sensitivity,
    )


def max_detector_runs(detector: Detector, dataset: Dataset) -> int:
    """Return how often :func:`calibrate` calls ``on_image`` at most."""
    card = detector.card
    candidates = BORDER_ODDS_RATIOS if RBC in card.classes else (1.0,)
    return len(dataset) * len({*candidates, card.border_odds_ratio})


def was_trained_on(card: ModelCard, dataset: Dataset) -> bool | None:
    """Return whether a model was trained on just these images; None if its card does not tell."""
    trained_on = card.training.get("train")
    digest = trained_on.get("digest") if isinstance(trained_on, dict) else None
    return None if digest is None else digest == labels_digest(dataset.images)


def _refuse_training_images(card: ModelCard, dataset: Dataset) -> None:
    if was_trained_on(card, dataset):
        raise DataError(
            f"{dataset.source}: the model {card.name} was trained on these images, so its counts "
            "are too good there; name a split that it did not learn from."
        )


def _refuse_missing_classes(card: ModelCard, dataset: Dataset) -> None:
    missing = [name for name in card.classes if name not in dataset.classes]
    if missing:
        raise DataError(
            f"{dataset.source}: {', '.join(missing)} is not annotated there, but the model "
            f"{card.name} finds it; annotate every class of the model."
        )


def _predictions_by_border_odds_ratio(
    detector: Detector, dataset: Dataset, on_image: Callable[[], object]
) -> Callable[[float], tuple[Detections, ...]]:
    """Return a function from a border odds ratio to the detections of each image.

    The detector runs anew for each ratio, since the scores of the cells found also decide at which
    magnification an image is seen.
    """
    card = detector.card

    @functools.cache
    def predictions_at(ratio: float) -> tuple[Detections, ...]:
        twin = _with_card(detector, card.model_copy(update={"border_odds_ratio": ratio}))
        found = []
        for image in dataset.images:
            found.append(detect(open_image(image.path), twin).detections)
            on_image()
        return tuple(found)

    return predictions_at


def _with_card(detector: Detector, card: ModelCard) -> Detector:
    """Return the same network with another card."""
    twin = copy.copy(detector)
    object.__setattr__(twin, "card", card)  # a detector may be a frozen dataclass
    return twin


def _thresholds(
    card: ModelCard, truths: Sequence[GroundTruth], predictions: Sequence[Detections]
) -> tuple[float, ...]:
    """Return the threshold of each class; that of the card where no cell of a class is there."""
    present = {int(label) for truth in truths for label in truth.labels}
    chosen = choose_thresholds(truths, predictions, card.classes)
    return tuple(
        round(threshold, 4) if label in present else card.thresholds[label - 1]
        for label, threshold in enumerate(chosen, start=1)
    )


def _with_coverage(
    intervals: Calibration | None, source: str, coverage: dict[str, Coverage]
) -> Calibration | None:
    if intervals is None:
        return None
    rounded = {
        name: {key: round(value, 4) for key, value in asdict(of_class).items()}
        for name, of_class in coverage.items()
    }
    about = intervals.about | {"data": source, "coverage_on_other_half": rounded}
    return intervals.model_copy(update={"about": about})


def _with_reference_statistics(
    card: ModelCard, dataset: Dataset, training_images: Dataset | None
) -> tuple[ModelCard, tuple[FlagSensitivity, ...]]:
    """Return the card with reference statistics, and how well they flag corrupted images."""
    if RBC not in card.classes:
        return card, ()
    statistics = card.reference_statistics
    if training_images is not None and len(training_images) >= MIN_REFERENCE_IMAGES:
        statistics = fit_reference_statistics(training_images)
    if statistics is None:
        return card, ()
    fitted = card.model_copy(update={"reference_statistics": statistics})
    sensitivity = tuple(measure_flag_sensitivity(dataset, flags_from_card(fitted, dataset)))
    about: dict[str, Any] = statistics.about | {"study": [asdict(row) for row in sensitivity]}
    noted = statistics.model_copy(update={"about": about})
    return fitted.model_copy(update={"reference_statistics": noted}), sensitivity


def _count_errors(
    card: ModelCard, truths: Sequence[GroundTruth], predictions: Sequence[Detections]
) -> dict[str, CountError]:
    counted = [detections.above(card.thresholds) for detections in predictions]
    errors = {}
    for label, name in enumerate(card.classes, start=1):
        differences = np.array(
            [
                np.count_nonzero(cells.labels == label) - np.count_nonzero(truth.labels == label)
                for truth, cells in zip(truths, counted, strict=True)
            ]
        )
        mae, bias = float(np.abs(differences).mean()), float(differences.mean())
        errors[name] = CountError(card.thresholds[label - 1], mae, bias)
    return errors
