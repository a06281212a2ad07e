import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import smearcount
from doubles.square_detector import DOUBTFUL, RED_CELL, WHITE_CELL, SquareDetector, picture
from smearcount.classes import class_color
from smearcount.detections.detections import Detections
from smearcount.detector.scale import Scale
from smearcount.image import draw as overlay
from smearcount.image import read
from smearcount.image.draw import draw_box, scaled_box
from smearcount.image.image import SmearImage
from smearcount.image.read import open_image
from smearcount.results.result import CountResult
from smearcount.settings import Settings


def rgb(color: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(color[1:]))


def shows(pixels: np.ndarray, color: str) -> bool:
    return bool((pixels == rgb(color)).all(axis=2).any())


FIELD = picture((WHITE_CELL, 40, 60, 30), (RED_CELL, 130, 40, 30), (DOUBTFUL, 70, 80, 20))


def test_boxes_have_the_colors_of_the_exercise_and_absent_classes_only_a_legend() -> None:
    result = smearcount.count(FIELD, model=SquareDetector())
    drawn = np.asarray(result.draw())
    on_picture = drawn[:120, :160]
    assert shows(on_picture, "#0094cd")
    assert shows(on_picture, "#d51317")
    assert not shows(on_picture, "#007b3d")
    assert shows(drawn[120:], "#007b3d")


def test_the_legend_hides_no_cell() -> None:
    result = smearcount.count(FIELD, model=SquareDetector())
    drawn = np.asarray(result.draw())
    assert drawn.shape[0] > 120
    # Inside the boxes, away from lines and labels, the photograph shows through unchanged.
    assert (drawn[75:88, 45:65] == FIELD[75:88, 45:65]).all()
    assert (drawn[85:95, 75:85] == FIELD[85:95, 75:85]).all()


def test_cells_left_out_by_the_edge_rule_look_different() -> None:
    counted = smearcount.count(FIELD, model=SquareDetector())
    left_out = smearcount.count(FIELD, model=SquareDetector(), edge="two-edges")
    assert left_out.excluded["RBC"] == 1
    before, after = (np.asarray(r.draw())[:120, :160] for r in (counted, left_out))
    assert shows(before, class_color("RBC", 2))
    assert not shows(after, class_color("RBC", 2))
    assert shows(after, overlay.EXCLUDED_COLOR)


def test_a_field_without_cells_can_be_drawn() -> None:
    empty = smearcount.count(picture(), model=SquareDetector()).draw()
    assert empty.width >= 160


@pytest.mark.parametrize("size", [(16, 16), (30, 900), (400, 20)])
def test_odd_shapes_get_their_legend_in_full(size: tuple[int, int]) -> None:
    width, height = size
    drawn = a_result(np.full((height, width, 3), 200, np.uint8)).draw()
    assert drawn.height > height
    assert drawn.width >= width


def test_a_huge_image_is_drawn_smaller_strip_by_strip(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    smooth = np.repeat(np.repeat(rng.integers(0, 255, (60, 40, 3), np.uint8), 20, 0), 20, 1)
    whole = np.asarray(a_result(smooth).draw().crop((0, 0, 800, 1200)).resize((400, 600)))
    monkeypatch.setattr(overlay, "MAX_PIXELS", 400 * 600)
    small = np.asarray(a_result(smooth).draw())[:600, :400]
    # Where no box is drawn, it is the same picture, without seams between the strips.
    assert np.abs(small[100:].astype(int) - whole[100:]).mean() < 6
    box_color = (np.abs(small[:60].astype(int) - rgb(class_color("RBC", 2))).sum(axis=2) == 0).any()
    assert box_color


def a_result(pixels: np.ndarray) -> CountResult:
    height, width = pixels.shape[:2]
    cell = Detections(np.array([[2, 2, 14, 14]], np.float32), np.ones(1), np.array([2]))
    return CountResult(
        image=SmearImage("a", width, height, "", lambda r: pixels[r[1] : r[3], r[0] : r[2]]),
        candidates=cell,
        detections=cell,
        counted=np.ones(1, np.bool_),
        scale=Scale(None, None, "assumed"),
        flags=(),
        settings=Settings(),
        card=SquareDetector.card,
        seconds=0.0,
    )


def test_a_stored_picture_is_opened_once_for_a_drawing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = np.repeat(np.repeat(FIELD, 8, 0), 8, 1)
    file = tmp_path / "field.png"
    Image.fromarray(pixels).save(file)
    monkeypatch.setattr(overlay, "MAX_PIXELS", 800 * 600)  # drawn smaller, in many strips
    result = smearcount.count(file, model=SquareDetector())
    expected = np.asarray(result.draw())
    stored = pickle.loads(pickle.dumps(result))
    opened: list[object] = []
    monkeypatch.setattr(read, "open_image", lambda path: opened.append(path) or open_image(path))
    assert np.array_equal(np.asarray(stored.draw()), expected)
    assert opened == [str(file)]


def test_a_box_has_the_width_the_color_and_the_dashes_asked_for() -> None:
    plain, dashed = (Image.new("RGB", (60, 40), "white") for _ in range(2))
    box = scaled_box(np.array([10, 5, 50, 35], np.float32), 1.0)
    assert box == (10, 5, 49, 34)
    draw_box(plain, box, "#d51317", 3)
    draw_box(dashed, box, "#d51317", 3, dashed=True)
    solid, gaps = ((np.asarray(p) == rgb("#d51317")).all(axis=2) for p in (plain, dashed))
    assert solid[5:8, 10:50].all()
    assert solid[5:35, 10:13].all()
    assert not solid[8:32, 13:47].any()
    assert 0 < gaps.sum() < solid.sum()
