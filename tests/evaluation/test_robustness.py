"""Count error along parameters that get harder, with exact ground truth."""

from __future__ import annotations

import pytest

from smearcount.detections.detections import Detections
from smearcount.detector.model_card import ModelCard
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


def test_the_error_is_that_of_the_total(curve: Curve) -> None:
    assert [error.value for error in curve.errors(1)] == [-0.5, 0, 0, 1.5]


def test_a_blind_detector_counts_nothing_on_every_smear() -> None:
    sweep = Sweep("rbc_px", "Magnification", "px", (100, 150))
    done: list[None] = []
    (curve,) = measure_robustness(
        BlindDetector(), [sweep], smears=2, on_smear=lambda: done.append(None)
    )
    assert len(done) == n_smears([sweep], 2) == 4
    assert curve.true.shape == (2, 2, 3)
    assert (curve.true[..., 0] >= 1).all(), "every drawn smear has a white cell"
    assert not curve.counted.any()
    assert [error.value for error in curve.errors(1)] == [-1, -1]


@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda sweep: sweep.parameter)
def test_values_ascend_and_each_is_a_style_that_can_be_drawn(sweep: Sweep) -> None:
    assert list(sweep.values) == sorted(set(sweep.values))
    for value in sweep.values:
        style = SmearStyle(**{sweep.parameter: value})  # type: ignore[arg-type]
        assert getattr(style, sweep.parameter) == value
