"""Cells that the labels likely miss are found and shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smearcount.classes import class_color
from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.detections.detections import Detections
from smearcount.detector.model_card import ModelCard
from smearcount.evaluation.missing_labels import contact_sheet, find_missing_labels


class ThreeCells:
    """Finds one cell where the label is, one sure and one unsure cell elsewhere."""

    card = ModelCard(
        name="three", architecture="none", sha256="0" * 64, classes=("RBC",), thresholds=(0.5,)
    )

    def detect(self, pixels: object) -> Detections:
        boxes = np.array([[10, 10, 30, 30], [60, 60, 80, 80], [10, 60, 30, 80]], np.float32)
        return Detections(boxes, np.array([0.9, 0.8, 0.4], np.float32), np.array([1, 1, 1]))


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    Image.new("RGB", (100, 100), "white").save(tmp_path / "a.png")
    boxes = np.array([[11.0, 11.0, 31.0, 31.0]])
    image = AnnotatedImage(tmp_path / "a.png", 100, 100, boxes, np.array([1]))
    return Dataset(("RBC",), (image,), "made")


def test_a_sure_cell_without_a_label_is_likely_missing(dataset: Dataset) -> None:
    (missing,) = find_missing_labels(dataset, ThreeCells())
    assert missing.box_xyxy_px == (60, 60, 80, 80)
    assert missing.name == "RBC"
    assert missing.score == pytest.approx(0.8)


def test_the_contact_sheet_shows_ten_a_row_each_with_its_box(dataset: Dataset) -> None:
    sheet = contact_sheet(find_missing_labels(dataset, ThreeCells()) * 11)
    assert sheet.size == (1260, 252)
    color = tuple(int(class_color("RBC", 1)[k : k + 2], 16) for k in (1, 3, 5))
    first = np.asarray(sheet)[:112, :112]
    rows, columns = np.nonzero((first == color).all(axis=2))
    margin = 112 * 0.35 / 1.7
    assert rows.min() == columns.min() == pytest.approx(margin, abs=1)
    assert rows.max() == columns.max() == pytest.approx(112 - margin, abs=1)
