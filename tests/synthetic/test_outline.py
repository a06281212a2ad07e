"""The outline of a drawn cell, its box and the pixels it fills tell the same story."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearcount.synthetic.outline import (
    Outline,
    crenated,
    filled,
    grain,
    patch_of,
    smooth_outline,
    tailed,
    visible_box,
)


def outline(seed: int, radius_px: float = 40) -> Outline:
    return smooth_outline(np.random.default_rng(seed), radius_px, aspect=0.8, roughness=0.03)


@given(seed=st.integers(0, 999), x=st.floats(-20, 120), y=st.floats(-20, 120))
def test_the_visible_box_is_the_extent_of_the_visible_pixels(seed: int, x: float, y: float) -> None:
    cell = outline(seed)
    patch, (left, top) = patch_of(cell, x, y)
    rows, columns = np.nonzero(patch.inside > 0.5)
    rows, columns = rows + top, columns + left
    seen = (rows >= 0) & (rows < 100) & (columns >= 0) & (columns < 100)
    if seen.sum() < 20:
        return
    rows, columns = rows[seen], columns[seen]
    extent = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    box = visible_box(cell, x, y, (100, 100))
    np.testing.assert_allclose(extent, box, atol=3)  # thin tips at a border fill no whole pixel
    assert box[0] >= 0
    assert box[1] >= 0
    assert box[2] <= 100
    assert box[3] <= 100


def test_a_circle_cut_in_half_is_half_as_wide_and_as_high_as_before() -> None:
    circle = Outline(np.full(361, 30, dtype=np.float32))
    assert visible_box(circle, 0, 50, (100, 100)) == pytest.approx((0, 20, 30, 80), abs=0.01)
    assert visible_box(circle, 50, 50, (100, 100)) == pytest.approx((20, 20, 80, 80), abs=0.01)


def test_a_circle_seen_by_its_edge_is_lower_than_the_whole() -> None:
    circle = Outline(np.full(361, 30, dtype=np.float32))
    half_chord = np.sqrt(30**2 - 24**2)
    box = visible_box(circle, -24, 50, (100, 100))
    assert box == pytest.approx((0, 50 - half_chord, 6, 50 + half_chord), abs=0.05)


def test_odd_cells_stand_out_of_the_smooth_outline() -> None:
    cell = outline(1)
    rng = np.random.default_rng(2)
    assert tailed(cell, rng).reach_px > 1.1 * cell.reach_px
    turns = np.sign(np.diff(crenated(cell, rng).radius_px))
    assert (np.diff(turns) != 0).sum() >= 16  # up and down at each of nine spikes or more


def test_filled_goes_from_nothing_to_all_across_the_edge() -> None:
    depth = np.array([-5, 0, 5], dtype=np.float32)
    assert filled(depth).tolist() == [0, 0.5, 1]


def test_grain_has_no_bias_and_a_spread_of_about_one() -> None:
    noise = grain(np.random.default_rng(0), (300, 300), 4)
    assert noise.shape == (300, 300)
    assert abs(noise.mean()) < 0.05
    assert 0.7 < noise.std() < 1.3
