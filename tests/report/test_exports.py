"""What a batch writes, by one table."""

from __future__ import annotations

from pathlib import Path

import pytest

import smearcount
from doubles.square_detector import SquareDetector, some_smear
from smearcount import WriteError
from smearcount.report.exports import EXPORTS, exports_left, write_exports


def test_names_and_files_are_unique() -> None:
    assert len({export.name for export in EXPORTS}) == len(EXPORTS)
    assert len({export.file_name for export in EXPORTS}) == len(EXPORTS)


@pytest.mark.parametrize("asked_for", [(), ("slides",), ("slides", "report")])
def test_exports_are_written_that_always_are_or_that_are_asked_for(
    tmp_path: Path, asked_for: tuple[str, ...]
) -> None:
    image = some_smear(tmp_path / "in/a.png")
    batch = smearcount.count_folder(image, model=SquareDetector(), group_by="folder")
    out = tmp_path / "out"
    out.mkdir()
    write_exports(out, batch, asked_for)
    expected = {e.file_name for e in EXPORTS if e.always or e.name in asked_for}
    assert {path.name for path in out.iterdir()} == expected


def test_files_of_earlier_runs_are_found(tmp_path: Path) -> None:
    image, out = some_smear(tmp_path / "in/a.png"), tmp_path / "out"
    smearcount.count_folder(image, out, model=SquareDetector(), group_by="folder", report=True)
    assert exports_left(out) == ["slides.csv", "report.html"]
    assert exports_left(out, ["slides"]) == ["report.html"]
    assert exports_left(out, ["slides", "report"]) == []


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    image, out = some_smear(tmp_path / "in/a.png"), tmp_path / "out"
    (out / "run.json").mkdir(parents=True)
    with pytest.raises(WriteError, match=r"run\.json"):
        smearcount.count_folder(image, out, model=SquareDetector())
