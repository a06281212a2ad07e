"""The ruler reads the same at any number of threads, and nearly the same at any file's size."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smearcount.detector.ruler import read_ruler
from smearcount.image.read import open_image
from smearcount.synthetic.smears import demo_smears


@pytest.mark.parametrize("index", range(5))
def test_threads_and_half_pictures_change_nothing_that_matters(index: int) -> None:
    image = open_image(demo_smears()[index].pixels)
    alone = read_ruler(image, threads=1)
    assert read_ruler(image, threads=2).rbc_px == pytest.approx(alone.rbc_px, rel=1e-3)
    whole = read_ruler(replace(image, half=None))
    assert whole.rbc_px == pytest.approx(alone.rbc_px, rel=0.15)
