"""Average precision that can be checked by hand, and against torchmetrics."""

from __future__ import annotations

import math

import numpy as np
import pytest

from smearcount.detections.detections import Detections
from smearcount.evaluation.average_precision import detection_scores, mean_average_precision

CLASSES = ("WBC", "RBC", "Platelets")


def at(*lefts: float, scores: list[float] | None = None, label: int = 2) -> Detections:
    """Return 40 px boxes in a row, all of one class."""
    boxes = np.array([[x, 10, x + 40, 50] for x in lefts], np.float32).reshape(-1, 4)
    return Detections(
        boxes,
        np.array(scores or [1] * len(lefts), np.float32),
        np.full(len(lefts), label, np.int64),
    )


def test_average_precision_matches_a_calculation_by_hand() -> None:
    # Four cells; ranked by score: hit, false alarm, hit, hit; the fourth cell is never found.
    truth = at(0, 100, 200, 300)
    found = at(0, 500, 100, 200, scores=[0.9, 0.8, 0.7, 0.6])
    # Precision at recall 1/4 is 1; at 2/4 it is 2/3 but 3/4 later on, so 3/4; at 3/4 it is 3/4.
    # Of the 101 recall levels 0 … 0.25 are 26 and 0.26 … 0.75 are 50; beyond, nothing is found.
    by_hand = (26 * 1 + 50 * 3 / 4) / 101
    figures = mean_average_precision([truth], [found], CLASSES)
    assert figures["map_50"] == pytest.approx(by_hand)
    assert figures["map_50_RBC"] == pytest.approx(by_hand)
    assert figures["map"] == pytest.approx(by_hand), "boxes that fit exactly count at every IoU"
    assert math.isnan(figures["map_50_WBC"]), "a class without a cell has no figure"
    scores = detection_scores([truth], [found], CLASSES)
    assert scores.overall["mar_1"] == pytest.approx(1 / 4)
    assert scores.overall["mar_10"] == pytest.approx(3 / 4)
    assert scores.precision_50.shape == (3, 101)
    assert scores.precision_50[1, [0, 26, 75, 76]].tolist() == [1, 0.75, 0.75, 0]


def test_more_than_a_hundred_cells_of_an_image_are_all_counted() -> None:
    lefts = [50.0 * k for k in range(250)]
    truth = at(*lefts)
    found = at(*lefts, scores=[1 - k / 1000 for k in range(250)])
    overall = detection_scores([truth], [found], CLASSES).overall
    assert overall["map"] == pytest.approx(1)
    assert overall["mar_all"] == pytest.approx(1)
    assert overall["mar_100"] == pytest.approx(0.4), "COCO looks at 100 of the 250"
    assert overall["map_capped"] == pytest.approx(41 / 101)


def test_images_without_truth_or_without_detections_have_figures() -> None:
    assert math.isnan(mean_average_precision([at()], [at(10, scores=[0.5])], CLASSES)["map"])
    assert mean_average_precision([at(10)], [at()], CLASSES)["map"] == 0


def test_every_key_of_torchmetrics_is_there_with_its_figure() -> None:
    torch = pytest.importorskip("torch")
    detection = pytest.importorskip("torchmetrics.detection")
    random = np.random.default_rng(5)
    truths, predictions = [], []
    for _ in range(12):
        n = int(random.integers(0, 12))
        low = random.uniform(0, 300, (n, 2))
        boxes = np.concatenate([low, low + random.uniform(10, 150, (n, 2))], axis=1)
        labels = random.integers(1, 3, n)
        truths.append(Detections(boxes, np.ones(n), labels))
        moved = np.concatenate([boxes + random.normal(0, 5, boxes.shape), boxes[: n // 3] + 40])
        predicted = np.concatenate([labels, labels[: n // 3]])
        predictions.append(Detections(moved, random.uniform(0.05, 1, len(moved)), predicted))

    def tensors(cells: Detections) -> dict[str, object]:
        return {
            "boxes": torch.from_numpy(cells.boxes_xyxy_px.copy()),
            "labels": torch.from_numpy(cells.labels.copy()),
            "scores": torch.from_numpy(cells.scores.copy()),
        }

    metric = detection.MeanAveragePrecision(
        backend="faster_coco_eval",
        class_metrics=True,
        # Its own recall levels are rounded to float32, which moves a cell now and then.
        rec_thresholds=np.linspace(0, 1, 101).tolist(),
    )
    metric.update([tensors(each) for each in predictions], [tensors(each) for each in truths])
    theirs = metric.compute()
    ours = detection_scores(truths, predictions, CLASSES)
    for key, value in theirs.items():
        if value.ndim == 0:
            assert ours.overall[key] == pytest.approx(float(value), abs=1e-6), key
    for name, ap, recall in zip(
        CLASSES, theirs["map_per_class"], theirs["mar_100_per_class"], strict=False
    ):
        assert ours.per_class[name]["map"] == pytest.approx(float(ap), abs=1e-6)
        assert ours.per_class[name]["mar_100"] == pytest.approx(float(recall), abs=1e-6)
    assert math.isnan(ours.per_class["Platelets"]["map"])
