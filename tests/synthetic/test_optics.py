"""The drawn camera blurs, shades, adds noise and compresses without moving a picture."""

from __future__ import annotations

import numpy as np
import pytest

from smearcount.synthetic.optics import compress, expose, lamp, stray_px, transmit
from smearcount.synthetic.outline import Floats
from smearcount.synthetic.stain import STAINS

STAIN = STAINS["pink"]


def dot(blur_px: float, fringe_px: float) -> Floats:
    margin = stray_px(blur_px, fringe_px)
    density = np.zeros((21 + 2 * margin, 31 + 2 * margin, 3), dtype=np.float32)
    density[margin + 10, margin + 15] = 3
    return transmit(density, STAIN, blur_px, fringe_px)


def test_blur_keeps_the_picture_in_place_and_its_light() -> None:
    sharp, soft = dot(0.3, 0), dot(1.5, 0)
    assert sharp.shape == soft.shape == (21, 31, 3)
    for light in (sharp, soft):
        assert light[..., 1].argmin() == 10 * 31 + 15
    missing = (np.array(STAIN.background) - sharp).sum()
    assert (np.array(STAIN.background) - soft).sum() == pytest.approx(missing, rel=0.01)
    assert soft.min() > sharp.min()


def test_a_fringe_moves_red_and_blue_apart() -> None:
    light = dot(0.6, 1.0)[10]
    assert light[:, 0].argmin() - light[:, 2].argmin() in (-2, 2)
    assert light[:, 1].argmin() == 15


def test_the_lamp_is_brightest_where_asked_and_darkest_in_the_far_corner() -> None:
    light = lamp((40, 30), (0.25, 0.25), 0.4)
    assert light.shape == (30, 40)
    assert light.argmax() in {7 * 40 + 9, 7 * 40 + 10}
    assert light[-1, -1] == light.min() == pytest.approx(0.6, abs=0.03)


def test_noise_is_as_strong_as_asked_and_never_wraps() -> None:
    light = np.full((200, 200, 3), 0.5, dtype=np.float32)
    pixels = expose(light, 0.02, np.random.default_rng(0))
    assert pixels.std() == pytest.approx(0.02 * np.sqrt(0.5) * 255, rel=0.05)
    glare = expose(np.full((9, 9, 3), 1.5, dtype=np.float32), 0.01, np.random.default_rng(0))
    assert (glare == 255).all()


def test_jpeg_at_high_quality_is_nearly_the_picture() -> None:
    pixels = expose(np.full((32, 32, 3), 0.7, dtype=np.float32), 0, np.random.default_rng(0))
    assert np.abs(compress(pixels, 100).astype(int) - pixels).max() <= 2
