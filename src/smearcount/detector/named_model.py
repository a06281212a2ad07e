"""The model that a command names: a file, or a word for the one that ships."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from smearcount.detector.detector import Detector

OURS: Final = "shipped"
"""The word for the model that ships."""


def named_model(name: str) -> Detector:
    """Load a model file, or the model that ships.

    Raises:
        ModelError: there is no such model, or it cannot be loaded.
    """
    from smearcount.detector.load import load_detector

    return load_detector(None if name == OURS else name)
