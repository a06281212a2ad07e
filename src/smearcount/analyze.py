"""The product on one screen: read, detect, apply the rules, return the result.

Every door (command line, Python, web page, batch) calls :func:`analyse`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from smearcount.counts.edge_rule import counted_by
from smearcount.detections.detections import Detections
from smearcount.detector.card import ModelCard
from smearcount.detector.detect import detect_field
from smearcount.detector.detector import Detector
from smearcount.detector.scale import Scale
from smearcount.image.image import SmearImage
from smearcount.quality.flags import flags_of_cells, flags_of_picture
from smearcount.results.result import CountResult
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
    raised = flags_of_picture(image, field.scale, detector.card)
    result = judge(image, field.detections, field.scale, detector.card, settings, raised)
    return replace(result, seconds=time.perf_counter() - started)


def judge(
    image: SmearImage,
    candidates: Detections,
    scale: Scale,
    card: ModelCard,
    settings: Settings,
    picture_flags: tuple[str, ...] = (),
) -> CountResult:
    """Apply the thresholds and the edge rule to what a detector saw; flags follow them.

    Args:
        image: the image; its pixels are not read.
        candidates: every detection from the score floor on, boxes in pixels of the image.
        scale: the magnification.
        card: the card of the model that looked.
        settings: threshold and edge rule.
        picture_flags: what the picture itself raised; the flags of the cells are added.

    Raises:
        UsageError: the number of thresholds is not the number of classes.
    """
    thresholds = settings.thresholds(card.thresholds)
    found = candidates.above(thresholds)
    return CountResult(
        image=image,
        candidates=candidates,
        detections=found,
        counted=counted_by(settings.edge, found, image, scale),
        scale=scale,
        flags=(*picture_flags, *flags_of_cells(image, candidates, scale, card, thresholds)),
        settings=settings,
        card=card,
        seconds=0.0,
    )
