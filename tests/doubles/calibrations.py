"""Calibrations of known numbers."""

from __future__ import annotations

from typing import Any

from smearcount.detector.interval_calibration import Calibration, ClassCalibration


def calibration(*names: str, **changes: Any) -> Calibration:
    """The same for each class, RBC alone if none is named."""
    of_class = {
        "scores": [0.01, 0.5, 0.9],
        "probabilities": [0.02, 0.5, 0.98],
        "misses_per_cell": 0.01,
        "miss_dispersion": 1.5,
        "threshold": 0.5,
        "tail": 0.025,
    }
    classes = [ClassCalibration(name=name, **of_class | changes) for name in names or ("RBC",)]
    return Calibration(classes=tuple(classes))
