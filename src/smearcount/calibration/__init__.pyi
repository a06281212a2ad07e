from .calibration import (
    CalibrationResult,
    CountError,
    calibrate,
)
from .coverage import (
    Coverage,
)
from .flag_sensitivity import (
    FlagSensitivity,
)
from .thresholds import (
    choose_thresholds,
)

__all__ = [
    "CalibrationResult",
    "CountError",
    "Coverage",
    "FlagSensitivity",
    "calibrate",
    "choose_thresholds",
]
