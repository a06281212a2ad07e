"""What the images of a batch add up to."""

from __future__ import annotations

from pathlib import Path

import pytest

import smearcount
from doubles.square_detector import SquareDetector, some_smear
from smearcount import BatchResult
from smearcount.results.totals import counted_field, total, total_intervals


def batch_of(folder: Path, edge: smearcount.EdgeRule = "all") -> BatchResult:
    paths = [
        some_smear(folder / "a.png", reds=2),
        folder / "gone.png",
        some_smear(folder / "b.png", reds=5),
    ]
    return smearcount.count_folder(paths, edge=edge, pixel_size_um=0.5, model=SquareDetector())


def test_failed_images_are_in_no_sum(tmp_path: Path) -> None:
    batch = batch_of(tmp_path)
    assert total(batch.outcomes) == batch.counts == {"WBC": 2, "RBC": 7, "Platelets": 2}
    assert [outcome.status for outcome in batch.outcomes] == ["counted", "error", "counted"]
    assert batch.to_dict()["total"]["counts"] == batch.counts


def test_nothing_counted_has_no_interval_and_no_sum(tmp_path: Path) -> None:
    batch = smearcount.count_folder(tmp_path / "gone.png", model=SquareDetector())
    assert total(batch.outcomes) == {}
    assert batch.counts == {"WBC": 0, "RBC": 0, "Platelets": 0}
    assert total_intervals(batch.outcomes) is None


@pytest.mark.parametrize(("edge", "two_edges"), [("all", False), ("two-edges", True)])
def test_a_field_knows_its_area_and_its_rule(
    tmp_path: Path, edge: smearcount.EdgeRule, two_edges: bool
) -> None:
    result = batch_of(tmp_path, edge).outcomes[0].result
    assert result is not None
    field = counted_field(result)
    assert field.area_mm2 == pytest.approx(160 * 120 * 0.0005**2)
    assert field.two_edges is two_edges
    assert field.counts == result.counts
    assert len(field.scores) == len(result.candidates), "those below the thresholds included"
