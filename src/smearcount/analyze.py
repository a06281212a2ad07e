"""From an image to its counts: open, detect, apply the settings.

The command line, Python, the web page and a batch all call :func:`analyze`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from smearcount.detector.detect import detect
from smearcount.detector.detector import Detector
from smearcount.image.field_of_view import crop_to_field_of_view, with_field_of_view
from smearcount.image.image import SmearImage
from smearcount.quality.flags import image_flags
from smearcount.results.result import CountResult, apply_settings
from smearcount.settings import Settings


def analyze(
    open_image: Callable[[], SmearImage], detector: Detector, settings: Settings
) -> CountResult:
    """Count the cells of one image.

    Args:
        open_image: opens the image; the clock runs from here.
        detector: finds the cells; see :func:`smearcount.load_detector`.
        settings: threshold, edge rule, pixel size.

    Raises:
        ImageError: the image cannot be read.
    """
    started = time.perf_counter()
    image = open_image()
    found = detect(image, detector, settings.pixel_size_um)
    image = with_field_of_view(image, found.field_of_view)
    raised = image_flags(crop_to_field_of_view(image), found.scale, detector.card)
    result = apply_settings(image, found.detections, found.scale, detector.card, settings, raised)
    return replace(result, seconds=time.perf_counter() - started)
