"""Pairing detections with true cells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearcount.detections.detections import Detections
from smearcount.evaluation.matching import assign, match_detections


def cells(*rows: tuple[float, float, float, float, int]) -> Detections:
    """Return cells from (left, top, right, bottom, label)."""
    table = np.array(rows, dtype=np.float64).reshape(-1, 5)
    return Detections(table[:, :4], np.ones(len(table)), table[:, 4].astype(np.int64))


def test_pairs_are_of_one_class_and_overlap_enough() -> None:
    truth = cells((0, 0, 10, 10, 2), (20, 0, 30, 10, 2), (40, 0, 50, 10, 1))
    found = cells((1, 0, 11, 10, 2), (26, 0, 36, 10, 2), (40, 0, 50, 10, 2))
    matched = match_detections(truth, found, n_classes=3)
    assert matched.pairs.tolist() == [[0, 0]]
    assert matched.missed.tolist() == [1, 2]
    assert matched.extra.tolist() == [1, 2]
    assert matched.tp.tolist() == [0, 1, 0]
    assert matched.fp.tolist() == [0, 2, 0]
    assert matched.fn.tolist() == [1, 1, 0]


def test_one_detection_never_answers_two_cells() -> None:
    matched = match_detections(
        cells((0, 0, 10, 10, 1), (0, 0, 10, 11, 1)), cells((0, 0, 10, 10, 1)), 1
    )
    assert matched.pairs.tolist() == [[0, 0]], "the better overlap wins"
    assert matched.missed.tolist() == [1]


def test_two_pairs_win_over_one_better_pair() -> None:
    overlap = np.array([[0.9, 0.6], [0.6, 0.0]])
    assert assign(overlap, 0.5).tolist() == [[0, 1], [1, 0]]


def test_images_without_cells_match_nothing() -> None:
    empty = cells()
    assert match_detections(empty, empty, 3).pairs.shape == (0, 2)
    assert match_detections(cells((0, 0, 5, 5, 3)), empty, 3).fn.tolist() == [0, 0, 1]
    assert match_detections(empty, cells((0, 0, 5, 5, 3)), 3).fp.tolist() == [0, 0, 1]


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 2**32 - 1))
def test_assignment_is_the_best_of_all(rows: int, columns: int, seed: int) -> None:
    overlap = np.random.default_rng(seed).uniform(0, 1, (rows, columns))

    def best(row: int, free: frozenset[int]) -> tuple[int, float]:
        if row == rows:
            return 0, 0.0
        options = [best(row + 1, free)]
        for column in free:
            if overlap[row, column] >= 0.5:
                pairs, total = best(row + 1, free - {column})
                options.append((pairs + 1, total + overlap[row, column]))
        return max(options)

    pairs = assign(overlap, 0.5)
    assert len(set(pairs[:, 0])) == len(set(pairs[:, 1])) == len(pairs)
    count, total = best(0, frozenset(range(columns)))
    assert len(pairs) == count
    assert overlap[pairs[:, 0], pairs[:, 1]].sum() == pytest.approx(total)
