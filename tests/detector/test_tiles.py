"""Tiles cover a field, and each cell belongs to exactly one of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smearcount.detector.tiles import tiles
from smearcount.errors import ModelError

FIELDS = st.tuples(
    st.integers(1, 700), st.integers(1, 700), st.integers(0, 40), st.sampled_from([1, 8, 16])
)


@settings(deadline=None)
@given(FIELDS, st.integers(20, 300), st.integers(0, 2**32 - 1))
def test_every_point_has_exactly_one_owner(field, room, seed) -> None:
    width, height, margin, stride = field
    side = 2 * (margin + stride) + room + stride
    low, high = -20, max(width, height) + 20
    points = np.random.default_rng(seed).uniform(low, high, (200, 2)).astype(np.float32)
    corners = np.array([[0, 0], [width, height], [width, 0], [0, height]], np.float32)
    points = np.concatenate([points, corners, np.rint(points)])
    owners = sum(t.owns(points).astype(int) for t in tiles(width, height, side, margin, stride))
    assert np.all(owners == 1)


@settings(deadline=None)
@given(FIELDS, st.integers(20, 300))
def test_windows_are_bounded_aligned_and_wider_than_their_cores(field, room) -> None:
    width, height, margin, stride = field
    side = 2 * (margin + stride) + room + stride
    for tile in tiles(width, height, side, margin, stride):
        for axis, length in ((0, width), (1, height)):
            start, end = tile.window[axis], tile.window[axis + 2]
            core_start, core_end = tile.core[axis], tile.core[axis + 2]
            assert 0 <= start <= core_start < core_end <= end <= length
            assert end - start <= side
            assert start % stride == 0
            assert end % stride == 0 or end == length
            assert start == 0 or core_start - start >= margin
            assert end == length or end - core_end >= margin


def test_a_field_that_fits_is_one_tile() -> None:
    (only,) = tiles(640, 480, 1024, 192, 16)
    assert only.window == only.core == (0, 0, 640, 480)


def test_a_side_without_room_is_refused() -> None:
    with pytest.raises(ModelError, match="no room"):
        tiles(1000, 1000, 64, 32, 8)
