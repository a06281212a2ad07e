"""The magnification estimate is nearly the same where an image can be read at half its size."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smearcount.detector.magnification import estimate_magnification
from smearcount.image.read import open_image
from smearcount.synthetic.smears import demo_smears


@pytest.mark.parametrize("index", range(5))
def test_reading_at_half_the_size_hardly_changes_the_estimate(index: int) -> None:
    image = open_image(demo_smears()[index].pixels)
    halved = estimate_magnification(image)
    whole = estimate_magnification(replace(image, half=None))
    assert whole.rbc_px == pytest.approx(halved.rbc_px, rel=0.15)
