"""Corrections: what one reads from the list is what the person did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearcount.detections.detections import Detections
from smearcount.errors import DataError
from smearcount.results.corrections import (
    Cell,
    Correction,
    correct_detections,
    history,
    read_corrections,
)

IMAGE = "a" * 64
CLASSES = ("WBC", "RBC", "Platelets")
FOUND = Detections(
    np.array([[0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10], [41, 0, 51, 10]], np.float32),
    np.array([0.9, 0.8, 0.7, 0.6], np.float32),
    np.array([2, 2, 2, 1]),
)


def cell(*box: float, label: str = "RBC") -> Cell:
    return Cell(box=(box[0], box[1], box[2], box[3]), label=label)


def edit(remove: tuple[Cell, ...] = (), add: tuple[Cell, ...] = ()) -> Correction:
    return Correction(image=IMAGE, remove=remove, add=add)


UNDO = Correction(image=IMAGE, kind="undo")
REDO = Correction(image=IMAGE, kind="redo")


def test_removing_takes_the_detection_of_that_place_and_class() -> None:
    kept, added = correct_detections([edit(remove=(cell(40, 0, 50, 10),))], FOUND, CLASSES)
    assert kept.tolist() == [True, True, False, True]
    assert len(added) == 0


def test_a_box_that_was_rounded_is_still_the_same_cell() -> None:
    kept, _ = correct_detections([edit(remove=(cell(20.4, 0.3, 30, 10),))], FOUND, CLASSES)
    assert kept.tolist() == [True, False, True, True]


def test_what_was_added_can_be_moved_and_removed() -> None:
    first, moved = cell(60, 0, 70, 10), cell(80, 0, 90, 10)
    lines = [edit(add=(first,)), edit(remove=(first,), add=(moved,))]
    _, added = correct_detections(lines, FOUND, CLASSES)
    assert added.boxes_xyxy_px.tolist() == [[80, 0, 90, 10]]
    _, added = correct_detections([*lines, edit(remove=(moved,))], FOUND, CLASSES)
    assert len(added) == 0


def test_removing_what_is_not_there_changes_nothing() -> None:
    kept, _ = correct_detections([edit(remove=(cell(200, 0, 210, 10),))], FOUND, CLASSES)
    assert kept.all()


steps = st.lists(st.sampled_from(["add", "remove", "undo", "redo"]), max_size=25)


@given(steps)
def test_undoing_everything_gives_back_what_was_found(steps: list[str]) -> None:
    lines = []
    for number, step in enumerate(steps):
        box = cell(100 + number, 50, 120 + number, 70)
        removed = cell(*FOUND.boxes_xyxy_px[number % 3].tolist())
        line = {"add": edit(add=(box,)), "remove": edit(remove=(removed,)), "undo": UNDO}
        lines.append(line.get(step, REDO))
    lines += [UNDO] * len(history(lines)[0])
    kept, added = correct_detections(lines, FOUND, CLASSES)
    assert kept.all()
    assert len(added) == 0


def test_a_new_edit_forgets_what_was_undone() -> None:
    lines = [edit(add=(cell(60, 0, 70, 10),)), UNDO, edit(add=(cell(80, 0, 90, 10),)), REDO]
    done, undone = history(lines)
    assert len(done) == 1
    assert undone == []


def test_the_list_is_read_as_written_and_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    lines = [edit(add=(cell(1.25, 2, 3, 4, label="WBC"),)), UNDO]
    path = tmp_path / "corrections.jsonl"
    path.write_text("".join(line.model_dump_json() + "\n" for line in lines) + '{"image": "aa')
    assert read_corrections(path) == {IMAGE: tuple(lines)}


@pytest.mark.parametrize(
    "line",
    [
        "not JSON",
        '{"image": "short", "kind": "undo"}',
        f'{{"image": "{IMAGE}", "kind": "edit"}}',
        f'{{"image": "{IMAGE}", "add": [{{"box": [5, 0, 1, 1], "label": "RBC"}}]}}',
        f'{{"image": "{IMAGE}", "add": [{{"box": [0, 0, 1e999, 1], "label": "RBC"}}]}}',
        f'{{"image": "{IMAGE}", "kind": "undo", "surprise": 1}}',
    ],
)
def test_a_line_that_is_no_correction_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "corrections.jsonl"
    path.write_text(f"{UNDO.model_dump_json()}\n{line}\n")
    with pytest.raises(DataError, match=r"corrections\.jsonl: line 2 is not a correction"):
        read_corrections(path)


def test_a_missing_file_and_an_unknown_class_say_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_corrections(tmp_path / "none.jsonl")
    with pytest.raises(DataError, match="Parasite"):
        correct_detections([edit(add=(cell(0, 0, 9, 9, label="Parasite"),))], FOUND, CLASSES)
