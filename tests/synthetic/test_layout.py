"""Cells lie where the layout was asked to put them: apart, or over a neighbor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smearcount.synthetic.layout import place_apart, spread_red_cells

NO_PLACES = np.zeros((0, 2))
NO_RADII = np.zeros(0)


def distances(points: NDArray[np.float64]) -> NDArray[np.float64]:
    apart: NDArray[np.float64] = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    return apart[np.triu_indices(len(points), 1)]


def test_red_cells_without_overlap_keep_apart() -> None:
    radii = np.full(60, 0.5)
    points = spread_red_cells(np.random.default_rng(0), radii, (8, 8), 0, NO_PLACES, NO_RADII)
    assert points.shape == (60, 2)
    assert distances(points).min() > 0.9


def test_red_cells_make_way_for_a_white_cell() -> None:
    white = np.array([[4.0, 4.0]])
    points = spread_red_cells(
        np.random.default_rng(1), np.full(50, 0.5), (8, 8), 0, white, np.array([1.0])
    )
    assert np.hypot(*(points - white).T).min() > 1.35


def test_the_share_asked_for_lies_over_a_neighbor() -> None:
    points = spread_red_cells(
        np.random.default_rng(2), np.full(60, 0.5), (9, 9), 0.25, NO_PLACES, NO_RADII
    )
    assert 12 <= (distances(points) < 0.9).sum() <= 18


def test_nothing_to_place_is_no_error() -> None:
    rng = np.random.default_rng(3)
    assert spread_red_cells(rng, NO_RADII, (5, 5), 0.5, NO_PLACES, NO_RADII).shape == (0, 2)


def test_one_more_cell_goes_where_there_is_room() -> None:
    others = np.array([[x, y] for x in range(5) for y in range(5) if (x, y) != (2, 2)], dtype=float)
    place = place_apart(
        np.random.default_rng(4), 0.2, np.zeros(2), np.full(2, 4.0), others, np.full(24, 0.7)
    )
    np.testing.assert_allclose(place, [2, 2], atol=0.8)


def test_a_full_field_takes_one_more_cell_all_the_same() -> None:
    others = np.array([[0.5, 0.5]])
    place = place_apart(
        np.random.default_rng(5), 1, np.zeros(2), np.ones(2), others, np.array([9.0])
    )
    assert ((place >= 0) & (place <= 1)).all()
