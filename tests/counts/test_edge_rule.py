"""Which cells at the border count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearcount import Detections, EdgeRule, Scale
from smearcount.counts.edge_rule import count_labels, is_counted
from smearcount.image.read import open_image

IMAGE = open_image(np.zeros((100, 200, 3), np.uint8))
SCALE = Scale(rbc_diameter_px=None, pixel_size_um=None, source="assumed")


def found(*boxes: tuple[float, float, float, float]) -> Detections:
    return Detections(
        np.float32(boxes).reshape(-1, 4), np.full(len(boxes), 0.5), np.ones(len(boxes))
    )


@pytest.mark.parametrize(
    ("box", "inside", "two_edges"),
    [
        ((50, 50, 60, 60), True, True),
        ((0, 50, 10, 60), False, True),
        ((50, 0, 60, 10), False, True),
        ((190, 50, 200, 60), False, False),
        ((50, 90, 60, 100), False, False),
        ((0, 90, 10, 100), False, False),
        ((1, 50, 11, 60), False, True),
        ((1.5, 50, 11, 60), True, True),
    ],
)
def test_what_touches_a_border_follows_the_rule(
    box: tuple[float, float, float, float], inside: bool, two_edges: bool
) -> None:
    for rule, expected in (("all", True), ("inside", inside), ("two-edges", two_edges)):
        assert is_counted(rule, found(box), IMAGE, SCALE).tolist() == [expected]  # type: ignore[arg-type]


def test_large_cells_are_cut_within_a_wider_border() -> None:
    large = Scale(rbc_diameter_px=96, pixel_size_um=None, source="estimated")
    box = found((1.8, 50, 90, 90))
    assert is_counted("inside", box, IMAGE, SCALE).all()
    assert not is_counted("inside", box, IMAGE, large).any()


boxes = st.tuples(st.floats(0, 190), st.floats(0, 90), st.floats(1, 50), st.floats(1, 50)).map(
    lambda b: (b[0], b[1], min(200.0, b[0] + b[2]), min(100.0, b[1] + b[3]))
)


@given(st.lists(boxes, max_size=8))
def test_each_rule_counts_no_more_than_the_looser_one(cells: list[tuple[float, ...]]) -> None:
    detections = found(*cells)  # type: ignore[arg-type]
    rules: tuple[EdgeRule, ...] = ("inside", "two-edges", "all")
    inside, two_edges, everything = (is_counted(r, detections, IMAGE, SCALE) for r in rules)
    assert (inside <= two_edges).all()
    assert (two_edges <= everything).all()
    assert everything.all()


def test_labels_are_counted_by_name() -> None:
    labels = np.array([2, 2, 1, 2], dtype=np.int64)
    assert count_labels(labels, ["WBC", "RBC", "Platelets"]) == {"WBC": 1, "RBC": 3, "Platelets": 0}
