"""A drawn smear is the same for the same seed, and its truth is what the picture shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from smearcount.detections.boxes import area, diameter, iou
from smearcount.errors import UsageError
from smearcount.synthetic.smears import SmearStyle, demo_smears, render
from smearcount.synthetic.stain import STAINS

CLEAN = SmearStyle(
    width=320,
    height=240,
    rbc_px=50,
    illumination=0,
    blur_px=0.3,
    fringe_px=0,
    noise=0,
    jpeg_quality=100,
)


def counts(labels: NDArray[np.int64]) -> list[int]:
    return [int((labels == label).sum()) for label in (1, 2, 3)]


def darker_than_slide(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    slide = np.median(pixels.reshape(-1, 3), axis=0)
    difference: NDArray[np.bool_] = (pixels < slide - 14).any(axis=2)
    return difference


def test_the_same_seed_draws_the_same_smear() -> None:
    first, again, other = render(CLEAN, 3), render(CLEAN, 3), render(CLEAN, 4)
    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.boxes_xyxy_px, again.boxes_xyxy_px)
    assert np.array_equal(first.labels, again.labels)
    assert not np.array_equal(first.pixels, other.pixels)
    assert first.name == "smear-3"


@pytest.mark.parametrize("seed", range(4))
def test_boxes_fit_what_the_picture_shows(seed: int) -> None:
    """Nothing is drawn outside the boxes, and each box is filled to its four sides."""
    smear = render(replace(CLEAN, density=0.2, overlap=0, pallor=0.2, stain="magenta"), seed)
    drawn = darker_than_slide(smear.pixels)
    boxed = np.zeros_like(drawn)
    for x0, y0, x1, y1 in smear.boxes_xyxy_px:
        left, top = int(np.floor(x0)), int(np.floor(y0))
        right, bottom = int(np.ceil(x1)), int(np.ceil(y1))
        boxed[max(top - 1, 0) : bottom + 1, max(left - 1, 0) : right + 1] = True
        inside = drawn[top:bottom, left:right]
        rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        extent = [left + columns[0], top + rows[0], left + columns[-1] + 1, top + rows[-1] + 1]
        np.testing.assert_allclose(extent, [x0, y0, x1, y1], atol=2.5)
    assert not (drawn & ~boxed).any()


@given(
    width=st.integers(1, 200),
    height=st.integers(1, 200),
    rbc_px=st.floats(8, 120),
    density=st.floats(0, 1),
    overlap=st.floats(0, 1),
    n_wbc=st.integers(0, 3),
    n_platelets=st.integers(0, 9),
    stain=st.sampled_from(sorted(STAINS)),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=40, deadline=None)
def test_a_smear_of_any_size_has_boxes_within_it(
    width: int,
    height: int,
    rbc_px: float,
    density: float,
    overlap: float,
    n_wbc: int,
    n_platelets: int,
    stain: str,
    seed: int,
) -> None:
    style = SmearStyle("any", width, height, rbc_px, 0.08, density, overlap, n_wbc, n_platelets)
    smear = render(replace(style, stain=stain), seed)
    assert smear.pixels.shape == (height, width, 3)
    assert smear.pixels.dtype == np.uint8
    assert smear.boxes_xyxy_px.dtype == np.float32
    boxes = smear.boxes_xyxy_px
    assert boxes.shape == (len(smear.labels), 4)
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] <= [width, height]).all()
    assert (area(boxes) > 0).all()
    wbc, _, platelets = counts(smear.labels)
    assert wbc <= n_wbc
    assert platelets <= n_platelets


def test_white_cells_and_platelets_number_as_asked() -> None:
    for n_wbc, n_platelets in ((0, 0), (1, 4), (3, 12)):
        style = replace(CLEAN, n_wbc=n_wbc, n_platelets=n_platelets)
        wbc, _, platelets = counts(render(style, 1).labels)
        assert (wbc, platelets) == (n_wbc, n_platelets)


def test_density_sets_the_area_that_red_cells_cover() -> None:
    for density in (0.2, 0.4, 0.6):
        smear = render(replace(CLEAN, width=600, height=600, density=density, n_wbc=0), 2)
        cells = area(smear.boxes_xyxy_px[smear.labels == 2]).sum() * np.pi / 4
        assert cells / (600 * 600) == pytest.approx(density, rel=0.15)


def test_an_empty_slide_has_no_cells() -> None:
    smear = render(replace(CLEAN, density=0, n_wbc=0, n_platelets=0))
    assert smear.boxes_xyxy_px.shape == (0, 4)
    assert smear.labels.shape == (0,)


def test_overlap_sets_the_share_of_red_cells_over_a_neighbor() -> None:
    def overlapping(overlap: float) -> float:
        style = replace(CLEAN, width=600, height=600, density=0.35, overlap=overlap, n_wbc=0)
        smear = render(style, 5)
        boxes = smear.boxes_xyxy_px[smear.labels == 2]
        pairs = np.triu(iou(boxes, boxes), 1) > 0.1
        return float(pairs.sum() / len(boxes))

    assert overlapping(0) < 0.03
    assert overlapping(0.3) == pytest.approx(0.3, abs=0.08)
    assert overlapping(0.6) == pytest.approx(0.6, abs=0.1)


def test_cells_are_cut_by_every_side_and_none_is_a_mere_sliver() -> None:
    smear = render(replace(CLEAN, width=600, height=600), 6)
    boxes = smear.boxes_xyxy_px[smear.labels == 2]
    assert (boxes[:, 0] == 0).any()
    assert (boxes[:, 1] == 0).any()
    assert (boxes[:, 2] == 600).any()
    assert (boxes[:, 3] == 600).any()
    assert area(boxes).min() > 0.08 * 50 * 50 * np.pi / 4


def test_red_cells_are_as_wide_as_asked_and_white_cells_wider() -> None:
    for rbc_px in (20.0, 60.0):
        side = round(rbc_px * 8)
        smear = render(replace(CLEAN, width=side, height=side, rbc_px=rbc_px, overlap=0), 7)
        boxes = smear.boxes_xyxy_px
        whole = ((boxes > 0) & (boxes < side)).all(axis=1)
        widths = diameter(boxes)
        assert np.median(widths[whole & (smear.labels == 2)]) == pytest.approx(rbc_px, rel=0.08)
        assert (widths[whole & (smear.labels == 1)] > 1.2 * rbc_px).all()
        assert (widths[whole & (smear.labels == 3)] < 0.6 * rbc_px).all()


@pytest.mark.parametrize(
    "change",
    [
        {"stain": "pink"},
        {"stain_shift": 0.5},
        {"blur_px": 3.0},
        {"noise": 0.05},
        {"illumination": 0.5},
        {"pallor": 0.9},
        {"jpeg_quality": 40},
    ],
)
def test_looks_change_alone(change: dict[str, float | str]) -> None:
    """A sweep over the looks keeps every cell where it is."""
    plain, changed = render(CLEAN, 8), render(replace(CLEAN, **change), 8)  # type: ignore[arg-type]
    assert np.array_equal(plain.boxes_xyxy_px, changed.boxes_xyxy_px)
    assert not np.array_equal(plain.pixels, changed.pixels)


def test_magnification_changes_alone() -> None:
    """The same field at twice the magnification holds the same cells, twice as large."""
    small = render(CLEAN, 9)
    large = render(replace(CLEAN, width=640, height=480, rbc_px=100), 9)
    assert np.array_equal(small.labels, large.labels)
    np.testing.assert_allclose(2 * small.boxes_xyxy_px, large.boxes_xyxy_px, atol=0.01)


def test_blur_takes_detail_away() -> None:
    def detail(blur_px: float) -> float:
        gray = render(replace(CLEAN, blur_px=blur_px), 10).pixels.mean(axis=2)
        return float(np.abs(np.diff(gray, axis=1)).max())

    assert detail(0.5) > detail(2) > detail(6)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rbc_px", 0),
        ("rbc_px", float("nan")),
        ("density", 1.1),
        ("overlap", -0.1),
        ("n_wbc", -1),
        ("blur_px", 0),
        ("jpeg_quality", 0),
        ("stain", "plaid"),
    ],
)
def test_a_style_out_of_range_is_refused_by_name(field: str, value: float | str) -> None:
    with pytest.raises(UsageError, match=field):
        replace(CLEAN, **{field: value})  # type: ignore[arg-type]


def test_the_demo_has_five_different_smears_with_every_class() -> None:
    smears = demo_smears()
    assert len({smear.name for smear in smears}) == len(smears) == 5
    assert len({smear.pixels.shape for smear in smears}) >= 3
    for smear in smears:
        assert min(counts(smear.labels)) >= 1
