"""Find and count red cells, white cells and platelets on images of blood smears.

>>> import smearcount
>>> result = smearcount.count("photo.jpg")
>>> result.counts
{'WBC': 1, 'RBC': 18, 'Platelets': 2}

Names are imported on first use, so that ``import smearcount`` stays fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smearcount.api import count as count
    from smearcount.detections.detections import Detections as Detections
    from smearcount.detector.load import load_detector as load_detector
    from smearcount.detector.model_card import ModelCard as ModelCard
    from smearcount.errors import SmearcountError as SmearcountError
    from smearcount.results.result import CountResult as CountResult
    from smearcount.settings import Settings as Settings

__version__ = "0.1.0"

_HOMES = {
    "CountResult": "smearcount.results.result",
    "Detections": "smearcount.detections.detections",
    "ModelCard": "smearcount.detector.model_card",
    "Settings": "smearcount.settings",
    "SmearcountError": "smearcount.errors",
    "count": "smearcount.api",
    "load_detector": "smearcount.detector.load",
}

__all__ = [
    "CountResult",
    "Detections",
    "ModelCard",
    "Settings",
    "SmearcountError",
    "__version__",
    "count",
    "load_detector",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'smearcount' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
