"""Suppression is the greedy one of the textbook, without a table of all pairs."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from smearcount.detections import nms as nms_module
from smearcount.detections.boxes import iou
from smearcount.detections.nms import DEFAULT_IOU_THRESHOLD, nms

coordinates = arrays(
    np.float32, st.tuples(st.integers(0, 25), st.just(4)), elements=st.integers(0, 12)
)


def by_the_book(boxes: np.ndarray, scores: np.ndarray, limit: float) -> list[int]:
    kept: list[int] = []
    overlap = iou(boxes, boxes)
    for index in np.argsort(-scores, kind="stable"):
        if all(overlap[index, other] <= limit for other in kept):
            kept.append(int(index))
    return kept


@given(boxes=coordinates, seed=st.integers(0, 9), limit=st.sampled_from([0.0, 0.3, 0.6, 0.99]))
@settings(max_examples=60, deadline=None)
def test_boxes_are_suppressed_as_in_the_textbook_at_once_or_in_parts(
    boxes: np.ndarray, seed: int, limit: float
) -> None:
    boxes = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
    scores = np.random.default_rng(seed).choice([0.1, 0.5, 0.9], len(boxes)).astype(np.float32)
    at_once = nms(boxes, scores, limit)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nms_module, "PAIRS_AT_ONCE", 7)
        in_parts = nms(boxes, scores, limit)
    assert at_once.tolist() == in_parts.tolist() == by_the_book(boxes, scores, limit)


@pytest.mark.parametrize("size", [(16, 20_000), (20_000, 16), (600, 600)])
def test_in_an_image_of_any_shape_only_near_boxes_are_compared(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = 0
    overlaps = nms_module._overlaps

    def counting(boxes, first, second, limit):
        nonlocal compared
        compared += len(first)
        return overlaps(boxes, first, second, limit)

    monkeypatch.setattr(nms_module, "_overlaps", counting)
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, size, (5000, 2)).astype(np.float32)
    nms(np.concatenate([corners, corners + 12], axis=1), rng.random(5000, dtype=np.float32), 0.6)
    assert compared < 50 * 5000


def test_many_boxes_take_no_table_of_all_pairs() -> None:
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 8000, (20_000, 2)).astype(np.float32)
    boxes = np.concatenate([corners, corners + 30], axis=1)
    scores = rng.random(20_000, dtype=np.float32)
    tracemalloc.start()
    kept = nms(boxes, scores, 0.5)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 18_000 < len(kept) < 20_000
    assert most < 20_000**2 / 2  # bytes: a table would hold one for each pair


@given(boxes=coordinates, seed=st.integers(0, 9), limit=st.sampled_from([0.0, 0.3, 0.6]))
@settings(max_examples=60, deadline=None)
def test_what_is_kept_overlaps_little_and_what_is_dropped_overlaps_a_better_box(
    boxes: np.ndarray, seed: int, limit: float
) -> None:
    boxes = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
    scores = np.random.default_rng(seed).random(len(boxes), dtype=np.float32)
    kept = nms(boxes, scores, limit)
    assert (np.diff(scores[kept]) <= 0).all()
    overlap = iou(boxes, boxes)
    assert not (np.triu(overlap[np.ix_(kept, kept)], 1) > limit).any()
    for dropped in set(range(len(boxes))) - set(kept.tolist()):
        rivals = kept[scores[kept] >= scores[dropped]]
        assert (overlap[dropped, rivals] > limit).any()


def test_the_default_threshold_is_the_one_of_the_package() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 6.1], [0, 0, 10, 5.9]], np.float32)
    assert nms(boxes, np.array([0.9, 0.8, 0.7], np.float32)).tolist() == [0, 2]
    assert DEFAULT_IOU_THRESHOLD == 0.6
