import csv
import sys
from pathlib import Path

import pytest
from PIL import Image

from smearcount.cli import main
from smearcount.synthetic.smears import demo_smears


def test_the_demo_counts_what_it_drew_and_says_where_the_pictures_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["smearcount", "demo", "-o", str(tmp_path), "--n", "1"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    smear = demo_smears()[0]
    out, _ = capsys.readouterr()
    reds = int((smear.labels == 2).sum())
    (line,) = [line for line in out.splitlines() if line.strip().startswith(f"{smear.name}.png")]
    assert f"/ {reds}" in line
    assert str(tmp_path / "drawn") in out
    with Image.open(tmp_path / "drawn" / f"{smear.name}.png") as drawn:
        assert drawn.size == (smear.pixels.shape[1], smear.pixels.shape[0])
    with (tmp_path / "counts.csv").open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    # The shipped model finds the cells that were drawn, give or take a few.
    assert abs(int(row["RBC"]) - reds) <= max(2, 0.15 * reds)
