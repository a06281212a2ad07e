"""The product on one screen: read, detect, apply the rules, return the result.

Every door (command line, Python, web page, batch) calls :func:`analyse`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from smearcount.counts.count import counted_by
from smearcount.detector.detector import Detector
from smearcount.detector.field import detect_field
from smearcount.image.image import SmearImage
from smearcount.result import CountResult
from smearcount.settings import Settings


def analyse(
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
    field = detect_field(image, detector, settings.pixel_size_um)
    thresholds = (
        detector.card.thresholds
        if settings.threshold is None
        else (settings.threshold,) * len(detector.card.classes)
    )
    found = field.detections.above(thresholds)
    return CountResult(
        image=image,
        detections=found,
        counted=counted_by(settings.edge, found, image.width, image.height),
        scale=field.scale,
        flags=(),
        settings=settings,
        card=detector.card,
        seconds=time.perf_counter() - started,
    )
