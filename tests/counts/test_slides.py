"""Fields into slides: sums, spread and ratios that a laboratory can check by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from doubles.calibrations import calibration
from smearcount.counts.interval import interval
from smearcount.counts.slides import CountedField, add_up, interval_of_sum, sampling_range

CLASSES = ("WBC", "RBC", "Platelets")


def field(wbc: int, rbc: int, platelets: int, mm2: float | None = None) -> CountedField:
    labels = np.repeat([1, 2, 3], [wbc, rbc, platelets])
    counts = {"WBC": wbc, "RBC": rbc, "Platelets": platelets}
    return CountedField(counts, np.full(len(labels), 0.9, np.float32), labels, mm2, True, False)


def test_totals_means_and_ratios_are_plain_arithmetic() -> None:
    slide = add_up("A", [field(1, 200, 10), field(3, 300, 15)], CLASSES, "RBC", None)
    assert {name: s.total for name, s in slide.classes.items()} == {
        "WBC": 4,
        "RBC": 500,
        "Platelets": 25,
    }
    assert slide.classes["Platelets"].per_field == 12.5
    ratio = slide.per_1000["Platelets"]
    assert ratio is not None
    assert ratio[0] == 50
    assert ratio[1][0] < 50 < ratio[1][1]
    assert slide.classes["RBC"].dispersion == pytest.approx(5000 / 250)


@pytest.mark.parametrize(("total", "low", "high"), [(10, 5.43, 18.41), (100, 82.2, 121.6)])
def test_sampling_alone_is_the_score_interval_of_a_poisson_count(
    total: int, low: float, high: float
) -> None:
    # Rao's score interval: n + z²/2 ± z √(n + z²/4).
    assert sampling_range(total, 1.0, None) == pytest.approx((low, high), abs=0.05)


def test_uneven_fields_and_an_unsure_count_widen_the_range() -> None:
    plain = sampling_range(50, 1.0, None)
    for wider in (sampling_range(50, 3.0, None), sampling_range(50, 1.0, (30, 70))):
        assert wider[0] < plain[0]
        assert wider[1] > plain[1]


def test_no_cell_seen_does_not_mean_that_there_is_none() -> None:
    slide = add_up("A", [field(0, 100, 0)] * 5, CLASSES, "RBC", None)
    ratio = slide.per_1000["WBC"]
    assert ratio is not None
    assert ratio[0] == 0
    assert ratio[1][1] == pytest.approx(1000 * 3.84 / 500, rel=0.01)


def test_without_red_cells_there_is_no_ratio() -> None:
    assert add_up("A", [field(1, 0, 3)], CLASSES, "RBC", None).per_1000["WBC"] is None


def test_a_density_needs_pixel_size_and_two_edge_rule_and_says_so() -> None:
    known = field(1, 100, 5, mm2=0.01)
    assert add_up("A", [known, known], CLASSES, "RBC", None).classes["RBC"].per_mm2 == 10_000
    unknown_size = field(1, 100, 5)
    unknown = add_up("A", [known, unknown_size], CLASSES, "RBC", None)
    assert unknown.classes["RBC"].per_mm2 is None
    assert "pixel size" in unknown.no_density
    twice = add_up("A", [replace(known, two_edges=False)], CLASSES, "RBC", None)
    assert "two-edges" in twice.no_density
    both = add_up("A", [replace(unknown_size, two_edges=False)], CLASSES, "RBC", None).no_density
    assert "pixel size" in both
    assert "two-edges" in both


def test_a_slide_of_failed_images_has_no_sums_to_show() -> None:
    slide = add_up("A", [], CLASSES, "RBC", None, failed=2)
    assert (slide.fields, slide.failed) == (0, 2)
    assert slide.no_density


CALIBRATION = calibration(*CLASSES)


def test_a_count_that_a_person_corrected_is_right_and_the_others_keep_their_doubt() -> None:
    unsure, by_hand = field(1, 40, 5), replace(field(2, 60, 5), counts={"RBC": 15}, corrected=True)
    alone = interval(unsure.scores, unsure.labels, CALIBRATION)
    both = interval_of_sum([unsure, by_hand], CALIBRATION)
    assert alone is not None
    assert both is not None
    assert both["RBC"] == (alone["RBC"][0] + 15, alone["RBC"][1] + 15)
    assert both["WBC"] == alone["WBC"]
    assert interval_of_sum([by_hand], CALIBRATION) is None
    slide = add_up("A", [unsure, by_hand], CLASSES, "RBC", CALIBRATION)
    assert slide.classes["RBC"].interval == both["RBC"]
