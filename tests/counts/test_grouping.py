"""Images find their slide by folder, by pattern or by table, and a rule that fits none is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from smearcount.counts.grouping import group, grouping
from smearcount.errors import UsageError


def test_by_folder() -> None:
    assert group(["a/1.png", "b/1.png", "a/2.png"], grouping("folder")) == {"a": [0, 2], "b": [1]}


def test_by_the_brackets_of_a_pattern() -> None:
    names = ["run/P07_field1.png", "run/P07_field2.png", "run/P08_field1.png", "run/other.png"]
    assert group(names, grouping(r"(P\d+)_field")) == {"P07": [0, 1], "P08": [2]}


def test_by_all_that_a_pattern_without_brackets_matches() -> None:
    assert grouping(r"P\d+")("x/P07_1.png") == "P07"


def test_by_a_table_with_paths_or_file_names(tmp_path: Path) -> None:
    table = tmp_path / "slides.csv"
    table.write_text("image,slide\nx/1.png,S1\n2.png,S2\n", encoding="utf-8-sig")
    assert group(["x/1.png", "y/2.png", "3.png"], grouping(str(table))) == {"S1": [0], "S2": [1]}


def test_a_table_as_european_spreadsheets_write_it(tmp_path: Path) -> None:
    table = tmp_path / "slides.csv"
    table.write_text("Image; Slide\n1.png; S1\n", encoding="utf-8-sig")
    assert grouping(str(table))("x/1.png") == "S1"


def test_an_image_listed_for_two_slides_and_a_table_in_utf_16_are_refused(tmp_path: Path) -> None:
    table = tmp_path / "slides.csv"
    table.write_text("image,slide\n1.png,S1\n1.png,S2\n")
    with pytest.raises(UsageError, match=r"1\.png is listed for S1 and for S2"):
        grouping(str(table))
    table.write_text("image,slide\n1.png,S1\n", encoding="utf-16")
    with pytest.raises(UsageError, match="UTF-8"):
        grouping(str(table))


@pytest.mark.parametrize("text", ["", "image,slide\n", "picture,slide\n1.png,A\n"])
def test_a_table_without_its_columns_is_refused(tmp_path: Path, text: str) -> None:
    table = tmp_path / "slides.csv"
    table.write_text(text)
    with pytest.raises(UsageError, match="columns image and slide"):
        grouping(str(table))


def test_a_broken_pattern_and_one_that_fits_nothing_are_refused() -> None:
    with pytest.raises(UsageError, match="pattern"):
        grouping("(")
    with pytest.raises(UsageError, match="no slide"):
        group(["a.png"], grouping("slide-[0-9]+"))
