"""The Python door: ``smearcount.count``."""

from __future__ import annotations

import functools
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from smearcount.analyze import analyze
from smearcount.detector.detector import Detector
from smearcount.detector.load import load_detector
from smearcount.image.read import open_image
from smearcount.results.result import CountResult
from smearcount.settings import EdgeRule, Settings

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage


def count(
    image: str | PathLike[str] | PILImage | NDArray[np.uint8],
    *,
    threshold: float | None = None,
    edge: EdgeRule = "all",
    pixel_size_um: float | None = None,
    model: str | PathLike[str] | Detector | None = None,
) -> CountResult:
    """Count the cells of one image.

    Args:
        image: a path, a PIL image, or an RGB array of shape (height, width, 3), uint8.
        threshold: one score in [0, 1] for every class; None takes the model's own.
        edge: which cells at the border count: ``all``, ``inside`` or ``two-edges``.
        pixel_size_um: micrometres per pixel; None takes the file's where it has a plausible one,
            else estimates it from the red cells.
        model: a model file, a detector, or None for the one that ships.

    Raises:
        ImageError: the image cannot be read.
        ModelError: the model cannot be loaded.
        UsageError: a setting lies outside its range.
    """
    settings = Settings(threshold=threshold, edge=edge, pixel_size_um=pixel_size_um)
    if model is None:
        detector: Detector = _shipped()
    elif isinstance(model, str | PathLike):
        detector = load_detector(model)
    else:
        detector = model
    return analyze(lambda: open_image(image), detector, settings)


@functools.cache
def _shipped() -> Detector:
    return load_detector()
