"""Average precision and recall as COCO defines them, with every detection counted.

Computed by faster-coco-eval, the engine under torchmetrics' ``MeanAveragePrecision``: the keys and
the figures are the same, and nothing here needs torch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from smearcount.detections.detections import Detections
from smearcount.evaluation.matching import LabeledBoxes

COCO_MAX_DETECTIONS: Final = 100
"""COCO's own metric takes only the best 100 detections of an image into account."""

_AREAS: Final = ("", "_small", "_medium", "_large")
"""Suffixes in the order of COCO's areas: all, under 32², under 96², and larger, in pixels."""


@dataclass(frozen=True, eq=False)
class DetectionScores:
    """Average precision and recall of a data set.

    A number is NaN where there is nothing to measure, such as a class without any true cell.

    Attributes:
        overall: the scalar keys of torchmetrics' ``MeanAveragePrecision``: ``map``, ``map_50``,
            ``map_75``, ``map_small`` … ``mar_1``, ``mar_10``, ``mar_small`` …, all detections
            counted; ``mar_all`` is recall without a limit, and ``mar_100`` and ``map_capped``
            are those at COCO's usual 100 detections per image.
        per_class: for each class by name: ``map``, ``map_50``, ``map_75``, ``mar_100`` and
            ``mar_all``.
        recall_levels: shape (101,), from 0 to 1.
        precision_50: shape (classes, 101): precision at each recall level at IoU 0.5.

    Example:
        >>> import numpy as np
        >>> from smearcount import Detections
        >>> from smearcount.evaluation import GroundTruth, detection_scores
        >>> boxes, labels = np.float32([[0, 0, 40, 40]]), np.array([1])
        >>> predicted = Detections(boxes, np.float32([0.9]), labels)
        >>> scores = detection_scores([GroundTruth(boxes, labels)], [predicted], ["RBC"])
        >>> scores.precision_50.shape
        (1, 101)
    """

    overall: dict[str, float]
    per_class: dict[str, dict[str, float]]
    recall_levels: NDArray[np.float64]
    precision_50: NDArray[np.float64]


def mean_average_precision(
    truths: Sequence[LabeledBoxes], predictions: Sequence[Detections], classes: Sequence[str]
) -> dict[str, float]:
    """Return mean average precision, overall and per class, as one flat dictionary.

    Args:
        truths: one per image.
        predictions: one per image, with low scores kept.
        classes: names in label order.

    Returns:
        ``map``, ``map_50``, ``map_75``, and with ``_<class>`` appended the same of each class;
        NaN for a class without any true cell.

    Example:
        >>> import numpy as np
        >>> from smearcount import Detections
        >>> from smearcount.evaluation import GroundTruth, mean_average_precision
        >>> boxes, labels = np.float32([[0, 0, 40, 40]]), np.array([1])
        >>> truth = GroundTruth(boxes, labels)
        >>> predicted = Detections(boxes, np.float32([0.9]), labels)
        >>> round(mean_average_precision([truth], [predicted], ["RBC"])["map_50_RBC"], 3)
        1.0
    """
    scores = detection_scores(truths, predictions, classes)
    keys = ("map", "map_50", "map_75")
    flat = {key: scores.overall[key] for key in keys}
    for name, class_scores in scores.per_class.items():
        flat |= {f"{key}_{name}": class_scores[key] for key in keys}
    return flat


def detection_scores(
    truths: Sequence[LabeledBoxes], predictions: Sequence[Detections], classes: Sequence[str]
) -> DetectionScores:
    """Compute every COCO metric of the predictions of a data set.

    Args:
        truths: one per image.
        predictions: one per image, with low scores kept.
        classes: names in label order.

    Example:
        >>> import numpy as np
        >>> from smearcount import Detections
        >>> from smearcount.evaluation import GroundTruth, detection_scores
        >>> boxes, labels = np.float32([[0, 0, 40, 40], [50, 0, 90, 40]]), np.array([1, 1])
        >>> predicted = Detections(boxes[:1], np.float32([0.9]), labels[:1])
        >>> scores = detection_scores([GroundTruth(boxes, labels)], [predicted], ["RBC"])
        >>> scores.overall["mar_100"]
        0.5
    """
    no_limit = max([COCO_MAX_DETECTIONS, *(len(detections) for detections in predictions)]) + 1
    limits = [1, 10, COCO_MAX_DETECTIONS, no_limit]
    precision, recall = _coco_tables(truths, predictions, len(classes), limits)
    overall = {
        "map": _mean(precision[..., 0, 3]),
        "map_50": _mean(precision[0, ..., 0, 3]),
        "map_75": _mean(precision[5, ..., 0, 3]),
        "map_capped": _mean(precision[..., 0, 2]),
    }
    for area, suffix in enumerate(_AREAS[1:], start=1):
        overall[f"map{suffix}"] = _mean(precision[..., area, 3])
    for k, limit in enumerate(limits[:3]):
        overall[f"mar_{limit}"] = _mean(recall[..., 0, k])
    overall["mar_all"] = _mean(recall[..., 0, 3])
    for area, suffix in enumerate(_AREAS[1:], start=1):
        overall[f"mar{suffix}"] = _mean(recall[..., area, 3])
    per_class = {
        name: {
            "map": _mean(precision[:, :, k, 0, 3]),
            "map_50": _mean(precision[0, :, k, 0, 3]),
            "map_75": _mean(precision[5, :, k, 0, 3]),
            "mar_100": _mean(recall[:, k, 0, 2]),
            "mar_all": _mean(recall[:, k, 0, 3]),
        }
        for k, name in enumerate(classes)
    }
    precision_50 = precision[0, :, :, 0, 3].T
    return DetectionScores(
        overall,
        per_class,
        np.linspace(0, 1, precision.shape[1]),
        np.where(precision_50 < 0, np.nan, precision_50),
    )


def _coco_tables(
    truths: Sequence[LabeledBoxes],
    predictions: Sequence[Detections],
    n_classes: int,
    limits: list[int],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return precision and recall, -1 where there is no true cell.

    Args:
        truths: one per image.
        predictions: one per image.
        n_classes: how many classes there are.
        limits: how many detections of an image and class are taken, ascending.

    Returns:
        precision, shape (10 IoUs, 101 recalls, classes, 4 areas, limits), and recall, without
        the second axis.
    """
    if not any(len(truth.labels) for truth in truths):
        return np.full((10, 101, n_classes, 4, 4), -1.0), np.full((10, n_classes, 4, 4), -1.0)
    from faster_coco_eval import COCO, COCOeval_faster

    def coco_of(cells: Sequence[LabeledBoxes], scores: Sequence[NDArray[np.float32]] | None) -> Any:
        coco = COCO()
        coco.dataset = {
            "images": [{"id": k} for k in range(len(truths))],
            "categories": [{"id": label} for label in range(1, n_classes + 1)],
            "annotations": _annotations(cells, scores),
        }
        coco.createIndex()
        return coco

    true = coco_of(truths, None)
    found = coco_of(predictions, [detections.scores for detections in predictions])
    evaluator = COCOeval_faster(true, found, iouType="bbox", print_function=_ignore_output)
    evaluator.params.maxDets = limits
    evaluator.evaluate()
    evaluator.accumulate()
    shape = (10, 101, n_classes, 4, len(limits))
    precision = np.asarray(evaluator.eval["precision"], dtype=np.float64).reshape(shape)
    recall = np.asarray(evaluator.eval["recall"], dtype=np.float64).reshape(shape[:1] + shape[2:])
    return precision, recall


def _annotations(
    cells: Sequence[LabeledBoxes], scores: Sequence[NDArray[np.float32]] | None
) -> list[dict[str, Any]]:
    """Return COCO's annotations; with scores they are detections."""
    rows: list[dict[str, Any]] = []
    for image, labeled in enumerate(cells):
        corners = labeled.boxes_xyxy_px
        xywh = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
        boxes = xywh.astype(float).tolist()
        for k, (box, label) in enumerate(zip(boxes, labeled.labels.tolist(), strict=True)):
            row = {
                "id": len(rows) + 1,
                "image_id": image,
                "category_id": label,
                "bbox": box,
                "area": box[2] * box[3],
                "iscrowd": 0,
            }
            if scores is not None:
                row["score"] = float(scores[image][k])
            rows.append(row)
    return rows


def _ignore_output(*_: object) -> None:
    """Discard the progress lines that the evaluator prints."""


def _mean(table: NDArray[np.float64]) -> float:
    """Return the mean of the entries that are defined (-1 is not), NaN if none is."""
    known = table[table > -1]
    return float(known.mean()) if known.size else math.nan
