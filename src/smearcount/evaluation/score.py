"""Average precision and recall by torchmetrics, with every detection counted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from smearcount.detections.detections import Detections
from smearcount.evaluation.cells import Cells

if TYPE_CHECKING:
    import torch

COCO_CAP = 100
"""COCO's own measure looks at so many detections of an image and no further."""


@dataclass(frozen=True, eq=False)
class Scores:
    """How well boxes, labels and their ranking fit the truth.

    A figure is NaN where there is nothing to measure, such as a class without any true cell.

    Attributes:
        overall: the scalar keys of torchmetrics' ``MeanAveragePrecision``: ``map``, ``map_50``,
            ``map_75``, ``map_small`` … ``mar_1``, ``mar_10``, ``mar_small`` …, all detections
            counted; ``mar_all`` is recall without a limit, and ``mar_100`` and ``map_capped``
            are the figures at COCO's usual 100 detections per image.
        per_class: for each class by name: ``map``, ``map_50``, ``map_75`` and ``mar_all``.
        recall_levels: shape (101,), from 0 to 1.
        precision_50: shape (classes, 101): precision at each recall level at IoU 0.5.
    """

    overall: dict[str, float]
    per_class: dict[str, dict[str, float]]
    recall_levels: NDArray[np.float64]
    precision_50: NDArray[np.float64]


def average_precision(
    truths: Sequence[Cells], predictions: Sequence[Detections], classes: Sequence[str]
) -> dict[str, float]:
    """Return mean average precision, overall and of each class, as a training loop wants it.

    Args:
        truths: one per image.
        predictions: one per image, with low scores kept.
        classes: names in label order.

    Returns:
        ``map``, ``map_50``, ``map_75``, and with ``_<class>`` appended the same of each class;
        NaN for a class without any true cell.
    """
    scores = _measure(truths, predictions, classes)
    keys = ("map", "map_50", "map_75")
    figures = {key: scores.overall[key] for key in keys}
    for name, of_class in scores.per_class.items():
        figures |= {f"{key}_{name}": of_class[key] for key in keys}
    return figures


def score(
    truths: Sequence[Cells], predictions: Sequence[Detections], classes: Sequence[str]
) -> Scores:
    """Score the predictions of a data set against its truth.

    Args:
        truths: one per image.
        predictions: one per image, with low scores kept.
        classes: names in label order.
    """
    scores = _measure(truths, predictions, classes)
    capped = _torchmetrics(truths, predictions, cap=COCO_CAP)
    as_coco = {"mar_100": _figure(capped["mar_100"]), "map_capped": _figure(capped["map"])}
    return replace(scores, overall=scores.overall | as_coco)


def _measure(
    truths: Sequence[Cells], predictions: Sequence[Detections], classes: Sequence[str]
) -> Scores:
    cap = max([COCO_CAP, *(len(found) for found in predictions)])
    result = _torchmetrics(truths, predictions, cap)
    overall = {
        key.replace(f"mar_{cap}", "mar_all"): _figure(value)
        for key, value in result.items()
        if key.startswith(("map", "mar")) and "per_class" not in key
    }
    # precision: (IoU 10, recall 101, class, area 4, detections 3), recall the same without its
    # own axis; the classes are those that occur, in label order; -1 where there is no true cell.
    precision = np.asarray(result["precision"])[:, :, :, 0, -1]
    recall = np.asarray(result["recall"])[:, :, 0, -1]
    column = {int(label): k for k, label in enumerate(np.atleast_1d(result["classes"]))}
    per_class: dict[str, dict[str, float]] = {}
    precision_50 = np.full((len(classes), precision.shape[1]), np.nan)
    for label, name in enumerate(classes, start=1):
        known = label in column
        curves = precision[:, :, column[label]] if known else np.full(precision.shape[:2], -1.0)
        recalls = recall[:, column[label]] if known else np.full(len(recall), -1.0)
        per_class[name] = {
            "map": _figure(curves.mean()),
            "map_50": _figure(curves[0].mean()),
            "map_75": _figure(curves[5].mean()),
            "mar_all": _figure(recalls.mean()),
        }
        precision_50[label - 1] = np.where(curves[0] < 0, np.nan, curves[0])
    return Scores(overall, per_class, np.linspace(0, 1, precision.shape[1]), precision_50)


def _torchmetrics(
    truths: Sequence[Cells], predictions: Sequence[Detections], cap: int
) -> dict[str, Any]:
    """Return what torchmetrics' ``MeanAveragePrecision`` computes."""
    from torchmetrics.detection import MeanAveragePrecision

    metric = MeanAveragePrecision(
        box_format="xyxy",
        backend="faster_coco_eval",
        max_detection_thresholds=[1, 10, cap],
        extended_summary=True,
    )
    metric.warn_on_many_detections = False
    found = [_tensors(each) | {"scores": _tensor(each.scores)} for each in predictions]
    metric.update(found, [_tensors(each) for each in truths])
    result: dict[str, Any] = metric.compute()
    return result


def _tensors(cells: Cells) -> dict[str, torch.Tensor]:
    return {"boxes": _tensor(cells.boxes_xyxy_px), "labels": _tensor(cells.labels)}


def _tensor(values: NDArray[Any]) -> torch.Tensor:
    import torch

    return torch.from_numpy(np.array(values))


def _figure(value: Any) -> float:
    """Return a figure, NaN for the -1 by which COCO says that there was nothing to measure."""
    return math.nan if float(value) < 0 else float(value)
