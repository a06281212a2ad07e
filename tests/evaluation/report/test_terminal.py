"""The terminal shows the tables and sentences of an evaluation."""

from __future__ import annotations

import pytest

from smearcount.evaluation.evaluation import Evaluation
from smearcount.evaluation.report.terminal import print_evaluation, print_robustness
from smearcount.evaluation.robustness import Curve


def test_an_evaluation_is_printed_with_every_class(
    evaluation: Evaluation, capsys: pytest.CaptureFixture[str]
) -> None:
    print_evaluation(evaluation)
    text = capsys.readouterr().out
    for title in ("Counts at the model's own thresholds", "Counts at a score of 0.5", "Boxes"):
        assert title in text
    rows = [line.split()[:3] for line in text.splitlines() if line.startswith(" Platelets")]
    assert rows[0] == ["Platelets", "12", "13"]
    assert rows[1] == ["Platelets", "12", "12"]
    assert "map_capped" in text


def test_robustness_is_printed_a_line_per_sweep(
    curve: Curve, capsys: pytest.CaptureFixture[str]
) -> None:
    print_robustness([curve, curve])
    text = capsys.readouterr().out
    assert "off by at most 10 %" in text
    assert text.count("Blur: WBC at every step") == 2
