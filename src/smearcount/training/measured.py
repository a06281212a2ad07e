"""What validation images tell of a finished network: thresholds, intervals and figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from smearcount.calibration.intervals import calibrate
from smearcount.calibration.thresholds import choose_cut_odds, choose_thresholds
from smearcount.classes import RBC
from smearcount.detections.detections import Detections
from smearcount.detector.border_correction import each_with_border_doubt
from smearcount.detector.calibration import Calibration
from smearcount.detector.card import ModelCard
from smearcount.detector.detector import Detector
from smearcount.evaluation.average_precision import average_precision
from smearcount.training.finish import predict_all
from smearcount.training.samples import CellSamples


@dataclass(frozen=True)
class Measured:
    """The entries of a model's card that are measured; see :class:`ModelCard`."""

    thresholds: tuple[float, ...]
    cut_odds: float
    metrics: dict[str, Any]
    calibration: Calibration | None


def measure(detector: Detector, val: CellSamples, classes: tuple[str, ...]) -> Measured:
    """Choose thresholds and fit intervals on the validation images, and say how well it went."""
    truths, plain = predict_all(detector, val)
    sizes = [(sample.image.shape[2], sample.image.shape[1]) for sample in val.samples]
    doubted = partial(each_with_border_doubt, plain, sizes, detector.card)
    cut_odds = choose_cut_odds(truths, doubted, classes.index(RBC) + 1) if RBC in classes else 1.0
    found = doubted(cut_odds)
    figures = average_precision(truths, found, classes)
    known = {k: round(v, 4) for k, v in figures.items() if not math.isnan(v)}
    thresholds = choose_thresholds(truths, found, classes)
    counts = _counts(truths, found, thresholds, classes)
    return Measured(
        thresholds,
        cut_odds,
        {
            "validation": {
                "images": len(truths),
                **known,
                **counts,
            }
        },
        calibrate(truths, found, thresholds, classes),
    )


def _counts(
    truths: Sequence[Detections],
    found: Sequence[Detections],
    thresholds: Sequence[float],
    classes: Sequence[str],
) -> dict[str, float]:
    """Return the count errors of each class at the thresholds, in cells per image."""
    figures = {}
    for label, name in enumerate(classes, start=1):
        errors = np.array(
            [
                np.count_nonzero(said.above(tuple(thresholds)).labels == label)
                - np.count_nonzero(truth.labels == label)
                for truth, said in zip(truths, found, strict=True)
            ]
        )
        figures[f"count_mae_{name}"] = round(float(np.abs(errors).mean()), 4)
        figures[f"count_rmse_{name}"] = round(float(np.sqrt((errors**2).mean())), 4)
    return figures


def as_before(card: ModelCard | None) -> Measured:
    """Return what the run before the retraining measured: no image is left to measure on."""
    assert card is not None, "only a retraining has no validation images"
    return Measured(
        card.thresholds, card.cut_odds, {"before retraining": card.metrics}, card.calibration
    )
