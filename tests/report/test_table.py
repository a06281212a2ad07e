import csv
import sys
from pathlib import Path

import pytest

from doubles.square_detector import RED_CELL, SquareDetector, save, some_smear
from smearcount.api import count_folder
from smearcount.report.table import print_table
from smearcount.settings import Settings


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "counts.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_the_first_columns_are_image_and_counts_and_a_failure_is_never_a_zero(
    tmp_path: Path,
) -> None:
    paths = [
        str(some_smear(tmp_path / "b.png", reds=4)),
        str(tmp_path / "gone.png"),
        str(save(tmp_path / "a.png")),
    ]
    count_folder(paths, tmp_path / "out", model=SquareDetector())
    header = (tmp_path / "out" / "counts.csv").read_text().splitlines()[0]
    assert header.startswith("image,WBC,RBC,Platelets,")
    for name in ("rbc_diameter_px", "pixel_size_um", "pixel_size_source", "flags", "status"):
        assert name in header.split(",")
    counted, failed, empty = rows(tmp_path / "out")
    assert [counted["image"], failed["image"], empty["image"]] == paths
    assert (counted["WBC"], counted["RBC"], counted["Platelets"]) == ("1", "4", "1")
    assert counted["status"] == "counted"
    assert counted["model"] == "squares"
    assert float(counted["seconds"]) >= 0
    assert failed["status"] == "error"
    assert "gone.png" in failed["error"]
    assert failed["WBC"] == failed["RBC"] == failed["Platelets"] == failed["RBC_excluded"] == ""
    assert (empty["WBC"], empty["RBC"], empty["error"]) == ("0", "0", "")


def test_cells_left_out_have_their_own_columns(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", (RED_CELL, 0, 50, 20), (RED_CELL, 140, 50, 20))
    count_folder(
        [str(path)], tmp_path / "out", settings=Settings(edge="two-edges"), model=SquareDetector()
    )
    (row,) = rows(tmp_path / "out")
    assert (row["RBC"], row["RBC_excluded"]) == ("1", "1")


@pytest.mark.skipif(sys.platform == "win32", reason="such names are not allowed")
def test_file_names_with_commas_quotes_and_line_breaks_survive(tmp_path: Path) -> None:
    path = some_smear(tmp_path / 'a,"b"\nµ.png')
    count_folder([str(path)], tmp_path / "out", model=SquareDetector())
    assert rows(tmp_path / "out")[0]["image"] == str(path)


def test_in_a_pipe_every_image_is_one_line_and_no_number_is_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = tmp_path / ("a long name " * 10) / ("and longer " * 12 + ".png")
    paths = [str(some_smear(long, reds=5)), str(some_smear(tmp_path / "b.png", reds=2))]
    print_table(count_folder(paths, model=SquareDetector()))
    lines = capsys.readouterr().out.splitlines()
    (line,) = [line for line in lines if str(long) in line]
    assert line.split()[-4:-1] == ["1", "5", "1"]
    (bottom,) = [line for line in lines if "total of 2" in line]
    assert bottom.split()[-3:] == ["2", "7", "2"]


def test_on_a_narrow_terminal_paths_fold_and_numbers_stay_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "40")
    long = some_smear(tmp_path / ("x" * 100 + ".png"), reds=5)
    print_table(count_folder([str(long)], model=SquareDetector()))
    out = capsys.readouterr().out
    assert all(word in out for word in ("WBC", "RBC", "Platelets"))
    assert "…" not in out
