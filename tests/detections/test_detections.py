"""Detections: sorted, frozen, refused when wrong, and sliced without losing their pairing."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearcount.detections.detections import Detections
from smearcount.errors import UsageError

BOXES = np.array([[0, 0, 10, 10], [20, 20, 40, 45], [5, 60, 9, 66]], np.float32)
SCORES = np.array([0.2, 0.9, 0.5], np.float32)
LABELS = np.array([1, 2, 3])


@pytest.fixture
def detections() -> Detections:
    return Detections(BOXES, SCORES, LABELS)


def rows(detections: Detections) -> list[tuple[tuple[float, ...], float, int]]:
    return [(tuple(box.tolist()), score, label) for box, score, label in detections]


def test_the_best_score_comes_first_and_each_row_stays_together(detections: Detections) -> None:
    assert detections.scores.tolist() == np.sort(SCORES)[::-1].tolist()
    assert detections.labels.tolist() == [2, 3, 1]
    assert np.array_equal(detections.boxes_xyxy_px, BOXES[[1, 2, 0]])


@given(st.lists(st.sampled_from([0.1, 0.5, 0.9]), max_size=30))
def test_equal_scores_keep_the_order_in_which_they_were_given(scores: list[float]) -> None:
    lefts = np.arange(len(scores), dtype=np.float32)
    boxes = np.stack([lefts, lefts * 0, lefts + 1, lefts * 0 + 1], axis=1)
    detections = Detections(boxes, np.array(scores), np.ones(len(scores)))
    expected = sorted(range(len(scores)), key=lambda k: -scores[k])
    assert detections.boxes_xyxy_px[:, 0].astype(int).tolist() == expected


def test_types_are_those_that_the_docstring_names() -> None:
    detections = Detections([[0, 0, 1, 1]], [1], [2])  # type: ignore[arg-type]
    assert detections.boxes_xyxy_px.dtype == np.float32
    assert detections.scores.dtype == np.float32
    assert detections.labels.dtype == np.int64


@pytest.mark.parametrize("name", ["boxes_xyxy_px", "scores", "labels"])
def test_nobody_can_change_it(detections: Detections, name: str) -> None:
    with pytest.raises(ValueError, match="read-only"):
        getattr(detections, name)[0] = 1
    with pytest.raises(AttributeError):
        setattr(detections, name, getattr(detections, name))


def test_the_arrays_given_are_copied_and_left_as_they_were() -> None:
    boxes, scores, labels = BOXES.copy(), SCORES.copy(), LABELS.copy()
    detections = Detections(boxes, scores, labels)
    before = rows(detections)
    boxes[:], scores[:], labels[:] = 7, 0.7, 1
    assert rows(detections) == before
    assert boxes.flags.writeable


@pytest.mark.parametrize(
    ("boxes", "scores", "labels"),
    [
        (BOXES, SCORES[:2], LABELS),
        (BOXES, SCORES, LABELS[:2]),
        (BOXES.T, SCORES, LABELS),
        (BOXES.reshape(-1), SCORES, LABELS),
        (BOXES[0], SCORES[:1], LABELS[:1]),
        (BOXES, SCORES[:, None], LABELS),
        (np.zeros((0, 4)), SCORES, LABELS),
    ],
    ids=["scores", "labels", "transposed", "flat", "one box", "column", "no boxes"],
)
def test_shapes_that_do_not_fit_are_refused(
    boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray
) -> None:
    with pytest.raises(UsageError, match=r"shape \(n, 4\)"):
        Detections(boxes, scores, labels)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(value: float) -> None:
    boxes, scores = BOXES.copy(), SCORES.copy()
    boxes[1, 2] = value
    with pytest.raises(UsageError, match="finite"):
        Detections(boxes, SCORES, LABELS)
    scores[1] = value
    with pytest.raises(UsageError, match="finite"):
        Detections(BOXES, scores, LABELS)


def test_labels_count_from_one() -> None:
    with pytest.raises(UsageError, match="labels from 1 on; got 0"):
        Detections(BOXES, SCORES, np.array([1, 0, 2]))


@pytest.mark.parametrize("empty", [[], np.zeros((0, 4)), np.zeros(0)])
def test_nothing_found_is_a_value_too(empty: np.ndarray) -> None:
    for nothing in (Detections(empty, [], []), Detections.empty()):  # type: ignore[arg-type]
        assert len(nothing) == 0
        assert list(nothing) == []
        assert nothing.boxes_xyxy_px.shape == (0, 4)
        assert len(nothing.above((0.5, 0.5, 0.5))) == 0


def test_a_mask_an_index_array_and_a_slice_choose_the_same_rows(detections: Detections) -> None:
    by_mask = detections[detections.labels != 3]
    by_index = detections[np.array([0, 2])]
    assert rows(by_mask) == rows(by_index) == [rows(detections)[0], rows(detections)[2]]
    assert rows(detections[:2]) == rows(detections)[:2]
    assert rows(detections[np.array([2, 0])]) == [rows(detections)[0], rows(detections)[2]]


@given(
    st.lists(st.tuples(st.floats(0, 1, width=32), st.integers(1, 3)), max_size=20),
    st.tuples(*[st.floats(0, 1, width=32)] * 3),
)
def test_above_keeps_exactly_the_scores_that_reach_the_threshold_of_their_class(
    cells: list[tuple[float, int]], thresholds: tuple[float, ...]
) -> None:
    scores, labels = np.array([c[0] for c in cells]), np.array([c[1] for c in cells], dtype=int)
    detections = Detections(np.zeros((len(cells), 4)), scores, labels)
    expected = sorted((c for c in cells if c[0] >= thresholds[c[1] - 1]), key=lambda c: -c[0])
    kept = detections.above(thresholds)
    assert [(score, label) for _, score, label in kept] == expected


def test_a_copy_from_a_pickle_is_the_same_and_as_frozen(detections: Detections) -> None:
    copy = pickle.loads(pickle.dumps(detections))
    assert rows(copy) == rows(detections)
    assert not copy.scores.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        copy.boxes_xyxy_px[0, 0] = 1
