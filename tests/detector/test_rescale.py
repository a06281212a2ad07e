"""The magnification is found by detection where it cannot be estimated."""

from __future__ import annotations

import numpy as np
import pytest

import smearcount
from smearcount.detector.rescale import search_rbc_px
from smearcount.image.read import open_image
from smearcount.synthetic.smears import SmearStyle, render


@pytest.mark.parametrize("rbc_px", [10, 24, 60, 150])
def test_red_cells_of_any_size_are_found(rbc_px: int) -> None:
    side = max(200, 5 * rbc_px)
    drawn = render(SmearStyle("search", side, side, rbc_px=rbc_px, density=0.4), seed=7)
    found = search_rbc_px(open_image(drawn.pixels), smearcount.load_detector())
    assert found is not None
    assert found == pytest.approx(rbc_px, rel=0.4)


def test_glass_without_cells_has_no_magnification() -> None:
    glass = np.full((300, 400, 3), 220, dtype=np.uint8)
    assert search_rbc_px(open_image(glass), smearcount.load_detector()) is None


def test_small_cells_in_a_black_surround_are_counted() -> None:
    """As a phone held to the eyepiece shows them."""
    drawn = render(SmearStyle("phone", 560, 560, rbc_px=12, density=0.35, n_wbc=2), seed=3)
    rows, columns = np.mgrid[:560, :560]
    outside = np.hypot(columns - 280, rows - 280) > 250
    pixels = np.full((640, 800, 3), 4, dtype=np.uint8)
    pixels[40:600, 120:680] = np.where(outside[..., None], np.uint8(4), drawn.pixels)
    result = smearcount.count(pixels)
    centers = (drawn.boxes_xyxy_px[:, :2] + drawn.boxes_xyxy_px[:, 2:]) / 2
    visible = np.hypot(centers[:, 0] - 280, centers[:, 1] - 280) < 250
    true = np.bincount(drawn.labels[visible], minlength=4)
    assert result.scale.rbc_diameter_px == pytest.approx(12, rel=0.2)
    assert result.counts["RBC"] == pytest.approx(int(true[2]), rel=0.1)
    without_surround = smearcount.count(drawn.pixels, pixel_size_um=7.5 / 12)
    assert result.counts["WBC"] <= without_surround.counts["WBC"]
