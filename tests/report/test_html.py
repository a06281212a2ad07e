"""The page of a run stands alone, tells failures and warnings, and trusts no file name."""

from __future__ import annotations

import csv
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import smearcount
from doubles.square_detector import SquareDetector, some_smear
from smearcount.detections.detections import Detections
from smearcount.detector.interval_calibration import Calibration, ClassCalibration
from smearcount.report.html import common_folder
from smearcount.settings import Settings

CALIBRATION = Calibration(
    classes=tuple(
        ClassCalibration(
            name=name,
            scores=(0.05, 0.9),
            probabilities=(0.1, 0.95),
            misses_per_cell=0.01,
            miss_dispersion=1,
            threshold=0.5,
            tail=0.025,
        )
        for name in ("WBC", "RBC", "Platelets")
    )
)


class Calibrated(SquareDetector):
    card = SquareDetector.card.model_copy(update={"calibration": CALIBRATION})


class Balanced(HTMLParser):
    """Follows the tags of a page and holds that each is closed."""

    VOID = ("meta", "img", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def run(tmp_path: Path, settings: Settings, *names: str) -> tuple[str, list[dict[str, str]]]:
    detector = Calibrated()
    paths = [str(some_smear(tmp_path / name)) for name in names] + [str(tmp_path / "A/gone.png")]
    out = tmp_path / "out"
    smearcount.count_folder(
        paths, out, settings=settings, model=detector, group_by="folder", report=True
    )
    with (out / "slides.csv").open(newline="") as stream:
        return (out / "report.html").read_text(encoding="utf-8"), list(csv.DictReader(stream))


def test_the_page_stands_alone_and_is_well_formed(tmp_path: Path) -> None:
    page, _ = run(tmp_path, Settings(), "A/1.png", "A/2.png", "B/<b>3&.png")
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    assert not re.search(r'(?:src|href)="(?!data:|#)', page)
    assert "<b>3" not in page
    assert "research use only" in page
    assert "gone.png" in page
    assert "could not be counted" in page
    assert page.count("<figure") == 3


def test_slides_are_summed_with_their_failures_and_say_why_there_is_no_density(
    tmp_path: Path,
) -> None:
    _, rows = run(tmp_path, Settings(), "A/1.png", "A/2.png", "B/3.png")
    first, second = rows
    assert (first["RBC"], first["fields"], first["fields_failed"]) == ("6", "2", "1")
    assert int(first["RBC_low"]) <= 6 <= int(first["RBC_high"])
    assert second["WBC_per_1000_RBC"] == "333.33"
    assert first["RBC_per_mm2"] == ""
    assert "pixel size" in first["no_density_because"]


def test_a_density_is_given_where_the_pixel_size_is(tmp_path: Path) -> None:
    settings = Settings(edge="two-edges", pixel_size_um=0.5)
    page, rows = run(tmp_path, settings, "A/1.png")
    # 160 × 120 px at 0.5 µm are 0.0048 mm².
    assert float(rows[0]["RBC_per_mm2"]) == pytest.approx(3 / 0.0048, abs=1)
    assert rows[0]["no_density_because"] == ""
    assert "estimate, not a measurement" in page


def test_a_model_without_platelets_has_a_page_with_densities_and_no_estimate(
    tmp_path: Path,
) -> None:
    class NoPlatelets(SquareDetector):
        card = SquareDetector.card.model_copy(
            update={"classes": ("WBC", "RBC"), "thresholds": (0.5, 0.5)}
        )

        def detect(self, pixels: np.ndarray) -> Detections:
            found = super().detect(pixels)
            return found[found.labels < 3]

    detector, settings = NoPlatelets(), Settings(edge="two-edges", pixel_size_um=0.5)
    paths = [some_smear(tmp_path / "A/1.png")]
    out = tmp_path / "out"
    smearcount.count_folder(
        paths, out, settings=settings, model=detector, group_by="folder", report=True
    )
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "per mm²: WBC" in page
    assert "per µL" not in page


def test_counts_stand_with_their_interval_in_table_and_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from smearcount.report.table import print_table

    batch = smearcount.count_folder(
        [str(some_smear(tmp_path / "1.png"))], tmp_path / "out", model=Calibrated()
    )
    print_table(batch)
    assert re.search(r"3 \(\d+-\d+\)", capsys.readouterr().out)
    with (tmp_path / "out/counts.csv").open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert int(row["RBC_low"]) <= 3 <= int(row["RBC_high"])


@pytest.mark.parametrize(
    ("names", "folder"),
    [
        (["in/A/1.png", "in/A2/1.png"], "in/"),
        (["in/1.png", "in/12.png"], "in/"),
        (["1.png", "in/1.png"], ""),
        (["/x/1.png"], "/x/"),
        ([], ""),
    ],
)
def test_the_folder_that_all_images_share_is_named_once(names: list[str], folder: str) -> None:
    assert common_folder(names) == folder
