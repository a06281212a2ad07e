"""Corruptions change what they should, and repeat with their seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smearcount.calibration.corruptions import blur, change_exposure, out_of_distribution_images


def test_exposure_by_zero_stops_is_the_identity_and_stops_add_up() -> None:
    gray = np.full((4, 4, 3), 60, np.uint8)
    assert (change_exposure(gray, 0) == gray).all()
    twice = change_exposure(change_exposure(gray, 1), 1).astype(int)
    assert abs(twice - change_exposure(gray, 2)).max() <= 1
    assert change_exposure(gray, 2).mean() > 100


@settings(max_examples=10, deadline=None)
@given(st.floats(0.5, 6))
def test_blur_keeps_the_mean_and_lowers_the_contrast(sigma: float) -> None:
    pixels = np.zeros((60, 60, 3), np.uint8)
    pixels[20:40, 20:40] = 200
    soft = blur(pixels, sigma)
    assert soft.mean() == pytest.approx(pixels.mean(), abs=2)
    assert soft.std() < pixels.std()


def test_out_of_distribution_images_differ_and_repeat_with_their_seed() -> None:
    first, again = (
        out_of_distribution_images(12, 3, (64, 48)),
        out_of_distribution_images(12, 3, (64, 48)),
    )
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert len({image.tobytes() for image in first}) == 12
    assert {image.shape for image in first} == {(48, 64, 3)}
