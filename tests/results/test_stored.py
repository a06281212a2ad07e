"""A stored result comes back as it was, whatever wrote it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import smearcount
from doubles.square_detector import SquareDetector, some_smear
from smearcount import DataError, Detections, Scale, Settings
from smearcount.image.image import FieldOfView
from smearcount.quality.flags import IMAGE_FLAG_NAMES
from smearcount.results.stored import StoredResult, read_stored, write_stored

floats = st.floats(0, 1e5, width=32)
sizes = st.none() | st.floats(0.01, 1000)


@st.composite
def detections(draw: st.DrawFn) -> Detections:
    n = draw(st.integers(0, 6))
    boxes = draw(st.lists(floats, min_size=4 * n, max_size=4 * n))
    scores = draw(st.lists(st.floats(0, 1, width=32), min_size=n, max_size=n))
    labels = draw(st.lists(st.integers(1, 3), min_size=n, max_size=n))
    return Detections(np.float32(boxes).reshape(-1, 4), np.float32(scores), np.int64(labels))


@st.composite
def fields_of_view(draw: st.DrawFn) -> FieldOfView:
    h, w = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    bits = draw(st.lists(st.booleans(), min_size=h * w, max_size=h * w))
    return FieldOfView(640, 480, (3, 4, 630, 470), np.array(bits).reshape(h, w))


stored_results = st.builds(
    StoredResult,
    width=st.just(640),
    height=st.just(480),
    sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    notes=st.lists(st.text()).map(tuple),
    file_pixel_size_um=sizes,
    candidates=detections(),
    scale=st.builds(
        Scale, sizes, sizes, st.sampled_from(["user", "file", "estimated"]), st.booleans()
    ),
    picture_flags=st.lists(st.sampled_from(sorted(IMAGE_FLAG_NAMES)), unique=True).map(tuple),
    seconds=st.floats(0, 1e4),
    asked_pixel_size_um=sizes,
    model_sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    field_of_view=st.none() | fields_of_view(),
)


def same(one: StoredResult, other: StoredResult) -> bool:
    mine, theirs = dict(vars(one)), dict(vars(other))
    found, again = mine.pop("candidates"), theirs.pop("candidates")
    shown, shown_again = mine.pop("field_of_view"), theirs.pop("field_of_view")
    if (shown is None) != (shown_again is None):
        return False
    if shown is not None and (
        shown.bounds != shown_again.bounds or not np.array_equal(shown.covered, shown_again.covered)
    ):
        return False
    return mine == theirs and all(
        np.array_equal(getattr(found, name), getattr(again, name))
        for name in ("boxes_xyxy_px", "scores", "labels")
    )


@given(stored_results)
def test_json_brings_back_every_value_to_the_last_bit(stored: StoredResult) -> None:
    text = json.dumps(stored.to_dict())
    assert same(StoredResult.from_dict(json.loads(text)), stored)


def test_a_file_brings_back_the_count_under_any_settings(tmp_path: Path) -> None:
    path, file = some_smear(tmp_path / "a.png"), tmp_path / "count.json"
    write_stored(file, StoredResult.of(smearcount.count(path, model=SquareDetector())))
    stored = read_stored(file)
    assert stored is not None
    for settings in (Settings(), Settings(threshold=0.01), Settings(edge="inside")):
        direct = smearcount.count(path, settings, model=SquareDetector())
        restored = stored.restore(str(path), path, SquareDetector.card, settings)
        assert restored.to_dict() | {"seconds": 0} == direct.to_dict() | {"seconds": 0}
        assert np.array_equal(restored.image.pixels(), direct.image.pixels())


JOURNAL_LINE: dict[str, Any] = {
    "run": "5588c12ff184c789",
    "name": "a.png",
    "picture": "a.jpg",
    "picture_sha256": "4f4c64cb",
    "sha256": "e1dc" * 16,
    "width": 640,
    "height": 480,
    "file_pixel_size_um": None,
    "notes": ["16 bits scaled to 8"],
    "boxes_xyxy_px": [1.5, 2.25, 30.0, 40.0],
    "scores": [0.9],
    "labels": [2],
    "scale": {
        "rbc_diameter_px": 97.5,
        "pixel_size_um": 0.077,
        "source": "user",
        "doubted": True,
    },
    "flags": ["too dark", "nothing found"],
    "seconds": 0.17,
}
"""As the journal of a batch had it before it shared its form with the page."""


def test_a_line_of_an_earlier_journal_is_read() -> None:
    stored = StoredResult.from_dict(JOURNAL_LINE)
    assert stored.scale == Scale(97.5, 0.077, "user", pixel_size_contradicted=True)
    assert stored.picture_flags == ("too dark",), "the others follow the settings"
    assert stored.candidates.boxes_xyxy_px.tolist() == [[1.5, 2.25, 30, 40]]


def test_a_count_of_an_earlier_session_is_read(tmp_path: Path) -> None:
    facts = {
        key: JOURNAL_LINE[key]
        for key in ("width", "height", "sha256", "notes", "file_pixel_size_um", "scale", "seconds")
    }
    facts |= {"picture_flags": [], "asked_pixel_size_um": 0.1, "model_sha256": "ab" * 32}
    np.savez(
        tmp_path / "seen.npz",
        boxes_xyxy_px=np.float32([[1, 2, 3, 4]]),
        scores=np.float32([0.5]),
        labels=np.array([1]),
        facts=np.array(json.dumps(facts)),
    )
    stored = read_stored(tmp_path / "count.json")
    assert stored is not None
    assert stored.asked_pixel_size_um == 0.1
    assert stored.candidates.labels.tolist() == [1]


@pytest.mark.parametrize(
    "change",
    [{"labels": [1, 2]}, {"width": "wide"}, {"scale": None}, {"scores": ["high"]}],
)
def test_damage_is_an_error_of_its_own(change: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="damaged"):
        StoredResult.from_dict(JOURNAL_LINE | change)
    (tmp_path / "count.json").write_text(json.dumps(JOURNAL_LINE | change))
    assert read_stored(tmp_path / "count.json") is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe"])
def test_what_cannot_be_read_is_as_if_nothing_were_stored(content: bytes, tmp_path: Path) -> None:
    assert read_stored(tmp_path / "count.json") is None
    (tmp_path / "count.json").write_bytes(content)
    assert read_stored(tmp_path / "count.json") is None
