"""Count error along things that get harder, with exact truth."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from smearcount.detections.detections import Detections
from smearcount.detector.model_card import ModelCard
from smearcount.evaluation.report.figures import robustness_figure
from smearcount.evaluation.report.files import write_robustness
from smearcount.evaluation.report.html import page
from smearcount.evaluation.report.sections import robustness_section
from smearcount.evaluation.report.sentences import robustness_sentence
from smearcount.evaluation.robustness import SWEEPS, Curve, Sweep, measure_robustness, n_smears
from smearcount.synthetic.smears import SmearStyle


class BlindDetector:
    """Finds nothing."""

    card = ModelCard(
        name="blind",
        architecture="double",
        sha256="0" * 64,
        classes=("RBC", "WBC"),
        thresholds=(0.5, 0.5),
    )

    def detect(self, pixels: object) -> Detections:
        return Detections.empty()


@pytest.fixture(scope="module")
def curve() -> Curve:
    """Return counts that are right for RBC at the middle steps only."""
    true = np.full((4, 2, 3), 10)
    found = true.copy()
    found[0, :, 1] = 5
    found[3, :, 1] = 25
    found[..., 2] = 0
    return Curve(Sweep("blur_px", "Blur", "σ in px", (0.5, 1.0, 2.0, 4.0)), true, found)


def test_the_error_is_that_of_the_total(curve: Curve) -> None:
    assert [error.value for error in curve.errors(1)] == [-0.5, 0, 0, 1.5]


def test_sentences_say_where_it_breaks(curve: Curve) -> None:
    sentence = robustness_sentence(curve)
    assert sentence == "Blur: WBC at every step; RBC at 1 to 2; Platelets at no step."


def test_a_blind_detector_counts_nothing_on_every_smear() -> None:
    sweep = Sweep("rbc_px", "Magnification", "px", (100, 150))
    done: list[None] = []
    (seen,) = measure_robustness(
        BlindDetector(), [sweep], smears=2, on_smear=lambda: done.append(None)
    )
    assert len(done) == n_smears([sweep], 2) == 4
    assert seen.true.shape == (2, 2, 3)
    assert (seen.true[..., 0] >= 1).all(), "every drawn smear has a white cell"
    assert not seen.counted.any()
    assert [error.value for error in seen.errors(1)] == [-1, -1]


@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda sweep: sweep.parameter)
def test_every_step_is_a_style_that_can_be_drawn(sweep: Sweep) -> None:
    for value in sweep.values:
        SmearStyle(**{sweep.parameter: value})  # type: ignore[arg-type]


def test_curves_go_into_figure_table_and_page(curve: Curve, tmp_path: Path) -> None:
    robustness_figure([curve] * 5).canvas.draw()
    assert "Where known breaks" in page("x", [robustness_section("known", [curve])])
    write_robustness([curve], tmp_path)
    with (tmp_path / "stress.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * 3
    assert rows[4] | {"true": "20", "found": "10", "error": "-0.5"} == rows[4]
