"""What shows no smear is found, filled and left out; what shows cells is left alone."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

import smearcount
from smearcount.image.field_of_view import (
    crop_to_field_of_view,
    find_field_of_view,
    with_field_of_view,
)
from smearcount.image.image import FieldOfView, Pixels
from smearcount.image.read import open_image
from smearcount.results.stored import StoredResult
from smearcount.synthetic.smears import SmearStyle, demo_smears, render

Mask = NDArray[np.bool_]


@pytest.fixture(scope="module")
def smear() -> Pixels:
    style = SmearStyle("field", 640, 480, rbc_px=70, n_wbc=2, n_platelets=5)
    return render(style, seed=4).pixels


def distance_to_center(pixels: Pixels) -> NDArray[np.float64]:
    h, w = pixels.shape[:2]
    rows, columns = np.mgrid[:h, :w]
    return np.hypot(columns - w / 2, rows - h / 2)


def circle(smear: Pixels) -> tuple[Pixels, Mask]:
    covered = distance_to_center(smear) > 230
    return np.where(covered[..., None], np.uint8(4), smear), covered


def soft_circle(smear: Pixels) -> tuple[Pixels, Mask]:
    light = np.clip((235 - distance_to_center(smear)) / 20, 0, 1)
    return (smear * light[..., None] + 3).clip(0, 255).astype(np.uint8), light < 0.4


def corners(smear: Pixels) -> tuple[Pixels, Mask]:
    covered = distance_to_center(smear) > 350
    return np.where(covered[..., None], np.uint8(8), smear), covered


def bars_above_and_below(smear: Pixels, level: int = 0) -> tuple[Pixels, Mask]:
    pixels = np.full((640, 640, 3), level, dtype=np.uint8)
    pixels[80:560] = smear
    covered = np.ones((640, 640), dtype=np.bool_)
    covered[80:560] = False
    return pixels, covered


def white_bars(smear: Pixels) -> tuple[Pixels, Mask]:
    return bars_above_and_below(smear, 255)


def info_bar(smear: Pixels) -> tuple[Pixels, Mask]:
    picture = Image.new("RGB", (640, 530))
    picture.paste(Image.fromarray(smear))
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(22)
    pen.text((10, 492), "Exp 4.2 ms  Gain 1.0  2021-05-17 11:32:08", fill="white", font=font)
    covered = np.zeros((530, 640), dtype=np.bool_)
    covered[480:] = True
    return np.asarray(picture), covered


def scale_bar(smear: Pixels) -> tuple[Pixels, Mask]:
    picture = Image.fromarray(smear)
    mask = Image.new("L", picture.size)
    for canvas, color in ((picture, (0, 0, 0)), (mask, 255)):
        pen = ImageDraw.Draw(canvas)
        pen.rectangle((480, 440, 610, 447), fill=color)
        pen.text((545, 436), "20 µm", fill=color, font=ImageFont.load_default(26), anchor="mb")
    return np.asarray(picture), np.asarray(mask) > 128


ALTERATIONS = (circle, soft_circle, corners, bars_above_and_below, white_bars, info_bar, scale_bar)


def found_in(pixels: Pixels) -> FieldOfView | None:
    return find_field_of_view(open_image(pixels))


@pytest.mark.parametrize("alter", ALTERATIONS, ids=lambda alter: alter.__name__)
def test_what_shows_no_smear_is_found(
    smear: Pixels, alter: Callable[[Pixels], tuple[Pixels, Mask]]
) -> None:
    pixels, truly_covered = alter(smear)
    field = found_in(pixels)
    assert field is not None
    covered = np.asarray(Image.fromarray(field.covered).resize((pixels.shape[1], pixels.shape[0])))
    assert covered[truly_covered].mean() > 0.97
    # A soft edge and the neighborhood of letters may be covered, too.
    assert covered[~truly_covered].mean() < 0.07


@pytest.mark.parametrize("alter", ALTERATIONS, ids=lambda alter: alter.__name__)
def test_no_white_cell_is_counted_where_there_is_no_smear(
    smear: Pixels, alter: Callable[[Pixels], tuple[Pixels, Mask]]
) -> None:
    pixels, truly_covered = alter(smear)
    result = smearcount.count(pixels)
    assert result.counts["WBC"] <= smearcount.count(smear).counts["WBC"]
    boxes = result.detections.boxes_xyxy_px
    column, row = ((boxes[:, :2] + boxes[:, 2:]) / 2).astype(int).T
    assert not truly_covered[row, column].any()
    assert any("shows no smear" in note for note in result.image.notes)


def test_cells_between_bars_are_counted_as_without_them(smear: Pixels) -> None:
    plain = smearcount.count(smear)
    barred = smearcount.count(bars_above_and_below(smear)[0])
    # One row of the bar's edge is taken away with it.
    assert abs(barred.counts["RBC"] - plain.counts["RBC"]) <= 1
    assert barred.counts["WBC"] == plain.counts["WBC"]


@pytest.mark.parametrize("drawn", demo_smears(), ids=lambda drawn: drawn.name)
def test_an_image_that_shows_nothing_but_smear_is_left_alone(drawn: object) -> None:
    assert found_in(drawn.pixels) is None  # type: ignore[attr-defined]


@pytest.mark.parametrize("level", [0, 3, 128, 255])
def test_an_image_of_one_color_has_no_field_of_view(level: int) -> None:
    assert found_in(np.full((200, 300, 3), level, dtype=np.uint8)) is None


def test_covered_pixels_become_glass_and_the_others_stay(smear: Pixels) -> None:
    pixels, truly_covered = circle(smear)
    image = open_image(pixels)
    field = find_field_of_view(image)
    assert field is not None
    left, top, right, bottom = field.bounds
    filled = crop_to_field_of_view(with_field_of_view(image, field)).pixels()
    assert filled.shape == (bottom - top, right - left, 3)
    covered = truly_covered[top:bottom, left:right]
    assert filled[covered].min() > 100
    deep_inside = distance_to_center(pixels)[top:bottom, left:right] < 220
    assert np.array_equal(filled[deep_inside], pixels[top:bottom, left:right][deep_inside])


def test_a_window_of_the_filled_image_is_that_part_of_the_whole(smear: Pixels) -> None:
    image = open_image(circle(smear)[0])
    filled = crop_to_field_of_view(with_field_of_view(image, find_field_of_view(image)))
    whole = filled.pixels().astype(int)
    window = filled.read((10, 20, 210, 170)).astype(int)
    # The fill is interpolated and its edge blurred: by a gray level or two in the worst place.
    assert np.abs(window[5:-5, 5:-5] - whole[25:165, 15:205]).max() <= 2


def test_the_edge_of_the_field_is_the_border_of_the_edge_rules() -> None:
    covered = np.ones((500, 500), dtype=np.bool_)
    rows, columns = np.mgrid[:500, :500]
    covered[np.hypot(columns - 250, rows - 250) < 200] = False
    field = FieldOfView(1000, 1000, (100, 100, 900, 900), covered)
    boxes = np.array(
        [
            [450, 450, 550, 550],  # in the middle
            [96, 450, 196, 550],  # at the left
            [450, 96, 550, 196],  # at the top
            [804, 450, 904, 550],  # at the right
            [450, 804, 550, 904],  # at the bottom
            [200, 200, 300, 300],  # at the upper left
        ],
        dtype=np.float32,
    )
    assert field.touches_edge(boxes, 1).tolist() == [
        [False, False, False, False],
        [True, False, False, False],
        [False, True, False, False],
        [False, False, True, False],
        [False, False, False, True],
        [True, True, False, False],
    ]
    assert field.area_px == pytest.approx(np.pi * 400**2, rel=0.02)


def test_cells_cut_by_the_surround_are_left_out_by_the_edge_rule(smear: Pixels) -> None:
    pixels, _ = circle(smear)
    everything = smearcount.count(pixels)
    inside = smearcount.count(pixels, edge="inside")
    two_edges = smearcount.count(pixels, edge="two-edges")
    assert inside.counts["RBC"] < two_edges.counts["RBC"] < everything.counts["RBC"]
    left_out = inside.detections.boxes_xyxy_px[~inside.counted]
    centers = (left_out[:, :2] + left_out[:, 2:]) / 2
    assert (np.hypot(centers[:, 0] - 320, centers[:, 1] - 240) > 150).all()


def test_the_field_of_view_is_stored_with_the_result(smear: Pixels) -> None:
    result = smearcount.count(circle(smear)[0], edge="inside")
    stored = StoredResult.from_dict(StoredResult.of(result).to_dict())
    before, after = result.image.field_of_view, stored.field_of_view
    assert before is not None
    assert after is not None
    assert after.bounds == before.bounds
    assert np.array_equal(after.covered, before.covered)
    assert pickle.loads(pickle.dumps(result)).counts == result.counts


def test_the_drawn_picture_shows_the_edge_of_the_field(smear: Pixels) -> None:
    pixels, _ = circle(smear)
    drawn = np.asarray(smearcount.count(pixels).draw())[:480]
    ring = np.abs(distance_to_center(pixels) - 231) < 4
    gray = (drawn == (0x6B, 0x6B, 0x6B)).all(axis=2)
    assert gray[ring].mean() > 0.1
