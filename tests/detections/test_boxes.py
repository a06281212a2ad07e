"""The geometry of boxes, held by what must be true of any boxes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from smearcount.detections.boxes import area, center, clip, diameter, iou, touches_edge

corners_and_sizes = arrays(
    np.float32, st.tuples(st.integers(0, 8), st.just(4)), elements=st.integers(0, 50)
)


def as_boxes(corners_and_sizes: np.ndarray) -> np.ndarray:
    left_top, size = corners_and_sizes[:, :2], corners_and_sizes[:, 2:]
    return np.concatenate([left_top, left_top + size], axis=1)


@given(corners_and_sizes)
def test_area_and_diameter_follow_from_the_sides(drawn: np.ndarray) -> None:
    boxes = as_boxes(drawn)
    assert np.array_equal(area(boxes), drawn[:, 2] * drawn[:, 3])
    assert diameter(boxes) ** 2 == pytest.approx(area(boxes), rel=1e-5)
    assert center(boxes) == pytest.approx(drawn[:, :2] + drawn[:, 2:] / 2)


def test_an_inverted_box_has_no_area() -> None:
    assert area(np.array([[10, 10, 5, 20], [10, 10, 5, 5]], np.float32)).tolist() == [0, 0]


@given(corners_and_sizes, corners_and_sizes)
def test_iou_is_symmetric_and_a_share(first: np.ndarray, second: np.ndarray) -> None:
    a, b = as_boxes(first), as_boxes(second)
    overlap = iou(a, b)
    assert overlap.shape == (len(a), len(b))
    assert ((overlap >= 0) & (overlap <= 1)).all()
    assert np.array_equal(overlap, iou(b, a).T)
    assert np.array_equal(np.diag(iou(a, a)), (area(a) > 0).astype(np.float32))


def test_iou_of_known_boxes() -> None:
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [10, 0, 20, 10]], np.float32)
    assert iou(boxes[:1], boxes)[0] == pytest.approx([1, 1 / 3, 0])


@given(corners_and_sizes, st.integers(1, 60), st.integers(1, 60))
def test_clipped_boxes_lie_inside_and_clipping_again_changes_nothing(
    drawn: np.ndarray, width: int, height: int
) -> None:
    clipped = clip(as_boxes(drawn), width, height)
    assert (clipped[:, 0::2] <= width).all()
    assert (clipped[:, 1::2] <= height).all()
    assert (clipped >= 0).all()
    assert np.array_equal(clip(clipped, width, height), clipped)


@pytest.mark.parametrize(
    ("box", "sides"),
    [
        ((10, 10, 20, 20), ""),
        ((1, 10, 20, 20), "left"),
        ((1.5, 10, 20, 20), ""),
        ((10, 0, 20, 20), "top"),
        ((10, 10, 99, 20), "right"),
        ((10, 10, 20, 80), "bottom"),
        ((0, 0, 100, 80), "left top right bottom"),
    ],
)
def test_a_box_touches_the_sides_that_it_ends_at(box: tuple[float, ...], sides: str) -> None:
    touching = touches_edge(np.array([box], np.float32), 100, 80)[0]
    names = np.array(["left", "top", "right", "bottom"])
    assert names[touching].tolist() == sides.split()


@given(corners_and_sizes, st.floats(0, 20, width=32), st.floats(0, 20, width=32))
def test_a_larger_tolerance_never_touches_less(
    drawn: np.ndarray, first: float, second: float
) -> None:
    boxes = as_boxes(drawn)
    less, more = sorted((first, second))
    assert not (touches_edge(boxes, 60, 60, less) & ~touches_edge(boxes, 60, 60, more)).any()
