"""A result as plain values, COCO and tables."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import smearcount
from doubles.square_detector import RED_CELL, SquareDetector, save, some_smear
from smearcount import CountResult, UsageError


def result_of(folder: Path) -> CountResult:
    path = save(folder / "a.png", (RED_CELL, 0, 50, 20), (RED_CELL, 60, 50, 20))
    return smearcount.count(path, edge="inside", model=SquareDetector())


def test_plain_values_say_what_the_result_says(tmp_path: Path) -> None:
    result = result_of(tmp_path)
    values = json.loads(result.to_json())
    assert values == result.to_dict()
    assert values["counts"] == result.counts == {"WBC": 0, "RBC": 1, "Platelets": 0}
    assert values["excluded"] == result.excluded == {"WBC": 0, "RBC": 1, "Platelets": 0}
    assert [cell["counted"] for cell in values["detections"]] == result.counted.tolist()
    boxes = np.array([cell["box_xyxy_px"] for cell in values["detections"]], dtype=np.float32)
    assert np.array_equal(boxes, result.detections.boxes_xyxy_px)


def test_coco_has_the_boxes_of_the_one_image(tmp_path: Path) -> None:
    result = result_of(tmp_path)
    coco = json.loads(json.dumps(result.to_coco()))
    (image,) = coco["images"]
    assert image == {"id": 1, "file_name": result.image.name, "width": 160, "height": 120}
    assert [each["bbox"] for each in coco["annotations"]] == [[0, 50, 20, 20], [60, 50, 20, 20]]
    assert {each["image_id"] for each in coco["annotations"]} == {1}


def test_a_table_has_a_row_per_cell(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    result = result_of(tmp_path)
    table = result.to_dataframe()
    assert table.columns.tolist() == [
        "image", "class", "score", "x0", "y0", "x1", "y1", "counted",
    ]  # fmt: skip
    assert table["class"].tolist() == ["RBC", "RBC"]
    assert table["counted"].tolist() == result.counted.tolist()
    assert table[["x0", "y0", "x1", "y1"]].to_numpy().tolist() == [
        [0, 50, 20, 70],
        [60, 50, 80, 70],
    ]


def test_a_table_of_a_batch_has_a_row_per_image_and_no_zeros_for_a_failure(
    tmp_path: Path,
) -> None:
    pandas = pytest.importorskip("pandas")
    paths = [some_smear(tmp_path / "a.png"), tmp_path / "gone.png"]
    table = smearcount.count_folder(paths, model=SquareDetector()).to_dataframe()
    assert table["status"].tolist() == ["counted", "error"]
    assert table["RBC"][0] == 3
    assert pandas.isna(table["RBC"][1])
    assert "gone.png" in table["error"][1]


def test_without_pandas_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match="pip install"):
        result_of(tmp_path).to_dataframe()
