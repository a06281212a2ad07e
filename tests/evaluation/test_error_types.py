"""Each error stands once, under one kind."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from smearcount.detections.detections import Detections
from smearcount.evaluation.error_types import ERROR_TYPES, count_error_types


def cells(*rows: tuple[float, float, float, float, int]) -> Detections:
    """Return cells from (left, top, right, bottom, label)."""
    table = np.array(rows, dtype=np.float64).reshape(-1, 5)
    return Detections(table[:, :4], np.ones(len(table)), table[:, 4].astype(np.int64))


def errors(truth: Detections, found: Detections) -> dict[str, list[int]]:
    """Return errors by kind, per class."""
    table = count_error_types([truth], [found], n_classes=3).errors
    return dict(zip(ERROR_TYPES, table.tolist(), strict=True))


NONE = [0, 0, 0]


def test_each_type_of_error_is_counted_once() -> None:
    truth = cells(
        (0, 0, 10, 10, 2),  # found
        (100, 0, 110, 10, 2),  # missed
        (200, 0, 210, 10, 1),  # found as a platelet
        (300, 0, 310, 10, 2),  # found twice
        (400, 0, 410, 10, 3),  # found beside its place
    )
    found = cells(
        (0, 0, 10, 10, 2),
        (200, 0, 210, 10, 3),
        (300, 0, 310, 10, 2),
        (300, 0, 310, 11, 2),
        (405, 0, 415, 10, 3),
        (900, 0, 910, 10, 1),  # nothing there
    )
    assert errors(truth, found) == {
        "missed": [0, 1, 0],
        "background": [1, 0, 0],
        "classification": [1, 0, 0],
        "duplicate": [0, 1, 0],
        "localization": [0, 0, 1],
    }
    confusion = count_error_types([truth], [found], 3).confusion
    assert confusion.tolist() == [
        [0, 0, 1, 0],
        [0, 2, 0, 1],
        [0, 0, 0, 1],
        [1, 1, 1, 0],
    ]


def test_perfect_and_empty_images_have_no_errors() -> None:
    truth = cells((0, 0, 10, 10, 1), (20, 0, 30, 10, 2))
    for image in (truth, cells()):
        assert all(row == NONE for row in errors(image, image).values())


@given(st.integers(0, 8), st.integers(0, 8), st.integers(0, 2**32 - 1))
def test_the_confusion_matrix_adds_up_to_all_cells(n: int, m: int, seed: int) -> None:
    random = np.random.default_rng(seed)

    def some(k: int) -> Detections:
        low = random.uniform(0, 30, (k, 2))
        boxes = np.concatenate([low, low + random.uniform(5, 15, (k, 2))], axis=1)
        return Detections(boxes, np.ones(k), random.integers(1, 4, k))

    truth, found = some(n), some(m)
    table = count_error_types([truth], [found], 3)
    of_truth = np.bincount(truth.labels, minlength=4)[1:]
    of_found = np.bincount(found.labels, minlength=4)[1:]
    assert (table.confusion[:-1].sum(axis=1) == of_truth).all()
    assert (table.confusion[:, :-1].sum(axis=0) == of_found).all()
    assert table.confusion[-1, -1] == 0
