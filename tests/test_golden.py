"""Counts of fixed pictures stay what they were before the rooms were rearranged.

``golden/`` holds four drawn smears as JPEG files and what version 0.1.0 counted in them. A change
that is meant to change counts renews ``golden/expected.json`` and says so in the CHANGELOG.
Processors round the 8-bit network a little differently, hence the tolerances.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

import smearcount
from smearcount.detections.boxes import iou
from smearcount.settings import EdgeRule

GOLDEN = Path(__file__).with_name("golden")
EXPECTED: dict[str, Any] = json.loads((GOLDEN / "expected.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_cell_is_found_where_it_was(name: str) -> None:
    expected = EXPECTED[name]
    result = smearcount.count(GOLDEN / name)
    assert list(result.flags) == expected["flags"]
    assert result.scale.source == expected["pixel_size_source"]
    assert result.scale.rbc_diameter_px == pytest.approx(expected["rbc_diameter_px"], rel=0.01)
    boxes = np.array([cell["box_xyxy_px"] for cell in expected["cells"]], dtype=np.float32)
    assert len(result.detections) == len(boxes)
    overlaps = iou(boxes, result.detections.boxes_xyxy_px)
    for cell, row in zip(expected["cells"], overlaps, strict=True):
        same = int(row.argmax())
        assert row[same] > 0.95
        assert result.card.classes[int(result.detections.labels[same]) - 1] == cell["class"]
        assert float(result.detections.scores[same]) == pytest.approx(cell["score"], abs=0.03)


@pytest.mark.parametrize("edge", get_args(EdgeRule))
@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_counts_and_intervals_are_what_they_were(name: str, edge: EdgeRule) -> None:
    expected = EXPECTED[name]["rules"][edge]
    result = smearcount.count(GOLDEN / name, edge=edge)
    assert result.counts == expected["counts"]
    assert result.excluded == expected["excluded"]
    assert result.intervals is not None
    for label, (low, high) in expected["intervals"].items():
        assert result.intervals[label] == pytest.approx((low, high), abs=1)
