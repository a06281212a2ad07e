"""The files of an evaluation hold every number, for programs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from smearcount.evaluation.evaluation import Evaluation
from smearcount.evaluation.report.files import write_evaluation, write_robustness
from smearcount.evaluation.robustness import Curve


def test_files_for_programs_hold_every_number(evaluation: Evaluation, tmp_path: Path) -> None:
    write_evaluation(evaluation, tmp_path)
    found = json.loads((tmp_path / "evaluation.json").read_text(encoding="utf-8"))
    assert found["data"]["images"] == 6
    assert {"map", "map_50", "map_75", "map_small", "mar_1", "mar_100", "mar_large"} <= set(
        found["average_precision"]
    )
    ours = found["counts"]["model_thresholds"]
    assert ours["agreement"]["RBC"]["mae"]["value"] == pytest.approx(
        evaluation.at_model_thresholds.agreement["RBC"].mae.value
    )
    assert sum(ours["errors"]["missed"].values()) == 1
    with (tmp_path / "fields.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6 * 3
    assert sum(int(row["true"]) for row in rows) == evaluation.at_model_thresholds.true.sum()
    assert (
        sum(int(row["threshold_0.5"]) for row in rows)
        == evaluation.at_fixed_threshold.counted.sum()
    )
    for name in ("agreement.csv", "slides.csv"):
        assert "nan" not in (tmp_path / name).read_text(encoding="utf-8").lower()


def test_the_table_of_robustness_has_a_row_per_value_and_class(
    curve: Curve, tmp_path: Path
) -> None:
    write_robustness([curve], tmp_path)
    with (tmp_path / "stress.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * 3
    assert rows[4] | {"true": "20", "found": "10", "error": "-0.5"} == rows[4]
