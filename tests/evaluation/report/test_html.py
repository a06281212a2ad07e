"""The page of an evaluation stands alone, and escapes what it shows."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("matplotlib")

from smearcount.evaluation.evaluation import Evaluation
from smearcount.evaluation.report.html import html_page
from smearcount.evaluation.report.worst_images import worst_images
from smearcount.evaluation.robustness import Curve


def test_the_page_stands_alone_and_escapes_names(evaluation: Evaluation) -> None:
    hostile = replace(evaluation, source="<script>alert(1)</script>")
    text = html_page("A <b> & c", hostile, worst_images(evaluation))
    assert "<title>Evaluation of A &lt;b&gt; &amp; c</title>" in text
    assert "<script" not in text
    assert "http://" not in text
    assert "https://" not in text
    assert text.count("data:image/") == 8
    assert "Errors by type: 1 missed and 1 background" in text
    assert "Robustness" not in text
    assert "nan" not in text.replace("base64", "").split("<style>")[0].lower()


def test_numbers_and_their_percent_signs_stay_together(evaluation: Evaluation) -> None:
    text = html_page("known", evaluation)
    assert "1 of 2 slides counted within ±4\N{NO-BREAK SPACE}%" in text
    assert " %" not in text.split("</style>")[1]


def test_slides_are_listed_with_their_counts(evaluation: Evaluation) -> None:
    text = html_page("known", evaluation)
    one = evaluation.at_model_thresholds.slides["Platelets"][0]
    assert f"<td>{one.counted} of {one.true} ✓</td>" in text


def test_robustness_has_its_own_section(curve: Curve) -> None:
    text = html_page("known", curves=[curve])
    assert "<h2>Robustness of known</h2>" in text
    assert "8 drawn smears" in text
    assert "Blur: WBC at every step; RBC at 1 to 2; Platelets at no step." in text
    assert "How well does" not in text
