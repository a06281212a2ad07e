"""Stains color a cell as they say, and vary by as much as asked."""

from __future__ import annotations

import numpy as np
import pytest

from smearcount.synthetic.stain import STAINS, Stain, vary


@pytest.mark.parametrize("stain", STAINS.values(), ids=STAINS.keys())
def test_one_layer_turns_the_slide_into_the_color(stain: Stain) -> None:
    for color in (stain.red_cell, stain.nucleus, stain.platelet):
        seen = np.array(stain.background) * np.exp(-stain.density(color))
        np.testing.assert_allclose(seen, color, atol=1e-6)


@pytest.mark.parametrize("stain", STAINS.values(), ids=STAINS.keys())
def test_a_nucleus_is_darker_than_a_red_cell_and_that_than_the_slide(stain: Stain) -> None:
    assert sum(stain.nucleus) < sum(stain.red_cell) < sum(stain.background)


def test_no_variation_leaves_the_stain_as_it_is() -> None:
    stain = STAINS["beige"]
    same = vary(stain, np.random.default_rng(0), 0)
    assert same.red_cell == pytest.approx(stain.red_cell, abs=1e-6)
    assert same.background == pytest.approx(stain.background, abs=1e-6)


def test_more_variation_leads_farther_from_the_stain() -> None:
    stain = STAINS["lilac"]

    def distance(degree: float) -> float:
        varied = vary(stain, np.random.default_rng(1), degree)
        return float(np.abs(np.subtract(varied.red_cell, stain.red_cell)).sum())

    assert 0 < distance(0.2) < distance(0.5) < distance(1)
