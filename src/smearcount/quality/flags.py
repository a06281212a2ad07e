"""Quality flags: short phrases that warn when an image, or its count, should not be trusted.

A flag is one entry of :data:`IMAGE_FLAGS` or :data:`DETECTION_FLAGS`: its name, its explanation and
the rule that raises it. The HTML report, the web page and the documentation read these tables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import numpy as np

from smearcount.classes import RBC
from smearcount.detections.boxes import area
from smearcount.detections.detections import Detections
from smearcount.detector.model_card import ModelCard
from smearcount.detector.reference_statistics import ReferenceStatistics
from smearcount.detector.scale import RBC_UM, Scale
from smearcount.image.image import SmearImage
from smearcount.quality.measures import RBC_PX, Measures, center_crop, measure

OUT_OF_FOCUS: Final = "out of focus"
TOO_DARK: Final = "too dark"
TOO_BRIGHT: Final = "too bright"
OUT_OF_DISTRIBUTION: Final = "unlike the training images"
NOTHING_FOUND: Final = "nothing found"
TOO_CROWDED: Final = "too crowded"
TOO_SPARSE: Final = "too sparse"
IMPLAUSIBLE_MAGNIFICATION: Final = "magnification implausible"
MANY_DOUBTFUL: Final = "many doubtful cells"

COVERAGE_MARGIN: Final = 1.1
"""An image is too crowded, or too sparse, if its cells cover more, or less, than in any training
image by this factor."""

MAX_PIXEL_SIZE_RATIO: Final = 1.5
"""A pixel size that implies a diameter of red cells off by more than this factor is implausible."""

_DOUBTFUL_SHARE: Final = 0.4
"""From this share of its threshold on, a detection is doubtful rather than noise."""

_MIN_DETECTIONS: Final = 5
"""Fewer detections than this raise no flag that compares numbers or sizes."""

_MIN_FOCUS_RBC_SHARE: Final = 0.7
"""If red cells are smaller than this share of ``RBC_PX``, they have too few pixels to tell soft
edges from small cells."""


@dataclass(frozen=True, eq=False)
class ImageEvidence:
    """What the rules about the image itself look at.

    Attributes:
        measures: of the middle of the image.
        rbc_px: the diameter of a red cell in image pixels.
        reference: what the training images look like.
    """

    measures: Measures
    rbc_px: float
    reference: ReferenceStatistics


@dataclass(frozen=True, eq=False)
class DetectionEvidence:
    """What the rules about the detections look at.

    Attributes:
        image: the image; its pixels are not read.
        candidates: every detection, also below its threshold.
        detections: those that reach their threshold.
        scale: the magnification.
        card: of the model that made the detections.
        thresholds: the score from which each class counts, in label order.
    """

    image: SmearImage
    candidates: Detections
    detections: Detections
    scale: Scale
    card: ModelCard
    thresholds: tuple[float, ...]

    @property
    def coverage(self) -> float:
        """The sum of the areas of the detected boxes over the visible area of the image."""
        covered = float(area(self.detections.boxes_xyxy_px).sum())
        return covered / self.image.visible_area_px


Evidence = TypeVar("Evidence", ImageEvidence, DetectionEvidence)


@dataclass(frozen=True)
class Flag(Generic[Evidence]):
    """One quality flag.

    Attributes:
        name: the phrase that results and tables show.
        explanation: what it means and what to do, in sentences.
        rule: returns whether the flag is raised.
    """

    name: str
    explanation: str
    rule: Callable[[Evidence], bool]


def _is_out_of_focus(seen: ImageEvidence) -> bool:
    large_enough = seen.rbc_px >= _MIN_FOCUS_RBC_SHARE * RBC_PX
    return large_enough and seen.reference.blur_score(seen.measures.focus) > 0


def _is_out_of_distribution(seen: ImageEvidence) -> bool:
    return seen.reference.ood_distance(seen.measures.appearance) > seen.reference.ood_threshold


def _is_too_crowded(seen: DetectionEvidence) -> bool:
    reference = seen.card.reference_statistics
    if not reference:
        return False
    return seen.coverage > reference.coverage_range[1] * COVERAGE_MARGIN


def _is_too_sparse(seen: DetectionEvidence) -> bool:
    reference = seen.card.reference_statistics
    if not reference or not len(seen.detections):
        return False
    return seen.coverage < reference.coverage_range[0] / COVERAGE_MARGIN


def _has_implausible_magnification(seen: DetectionEvidence) -> bool:
    scale, card = seen.scale, seen.card
    if scale.pixel_size_contradicted:
        return True
    measured = scale.rbc_diameter_px
    if measured is None or RBC not in card.classes or not len(seen.detections):
        return False
    reference = card.reference_statistics
    if reference and not reference.rbc_px_range[0] <= measured <= reference.rbc_px_range[1]:
        return True
    red_cells = np.count_nonzero(seen.detections.labels == card.classes.index(RBC) + 1)
    if scale.pixel_size_um is None or red_cells < _MIN_DETECTIONS:
        return False
    ratio = measured * scale.pixel_size_um / RBC_UM
    return not 1 / MAX_PIXEL_SIZE_RATIO <= ratio <= MAX_PIXEL_SIZE_RATIO


def _has_many_doubtful(seen: DetectionEvidence) -> bool:
    if not len(seen.detections):
        return False
    limits = tuple(_DOUBTFUL_SHARE * threshold for threshold in seen.thresholds)
    doubtful = len(seen.candidates.above(limits)) - len(seen.detections)
    return doubtful >= max(_MIN_DETECTIONS, len(seen.detections))


IMAGE_FLAGS: Final = (
    Flag[ImageEvidence](
        OUT_OF_FOCUS,
        "Edges are softer than in the training images. Refocus and take it again; "
        "overlapping cells and platelets are missed first.",
        _is_out_of_focus,
    ),
    Flag[ImageEvidence](
        TOO_DARK,
        "The empty glass is darker than in any training image. Raise the light.",
        lambda seen: seen.measures.background < seen.reference.min_background,
    ),
    Flag[ImageEvidence](
        TOO_BRIGHT,
        "Large parts are pure white and have lost their detail. Lower the light.",
        lambda seen: seen.measures.saturated_share > seen.reference.max_saturated_share,
    ),
    Flag[ImageEvidence](
        OUT_OF_DISTRIBUTION,
        "Color or texture is far from every kind of image that the model learned from: "
        "another stain, another microscope, or no smear. Check the boxes before you use the count.",
        _is_out_of_distribution,
    ),
)
"""The flags about the image itself: no threshold changes them."""

DETECTION_FLAGS: Final = (
    Flag[DetectionEvidence](
        NOTHING_FOUND,
        "No cell was found. Is this a blood smear, at a magnification that shows cells?",
        lambda seen: not len(seen.detections),
    ),
    Flag[DetectionEvidence](
        TOO_CROWDED,
        "Cells cover more of the field than in the training images, so some hide behind "
        "others. Choose a field where they lie side by side.",
        _is_too_crowded,
    ),
    Flag[DetectionEvidence](
        TOO_SPARSE,
        "Cells cover less of the field than in the training images. Choose a field "
        "nearer to the body of the smear.",
        _is_too_sparse,
    ),
    Flag[DetectionEvidence](
        IMPLAUSIBLE_MAGNIFICATION,
        "The red cells in the picture do not fit the pixel size that was given or "
        "that the file holds, or are too small or too large to be believed. Give the pixel size, "
        "or check it.",
        _has_implausible_magnification,
    ),
    Flag[DetectionEvidence](
        MANY_DOUBTFUL,
        "As many detections were just too doubtful to count as were counted. Check the boxes.",
        _has_many_doubtful,
    ),
)
"""The flags about the detections: they follow the thresholds."""

FLAG_EXPLANATIONS: Final = {
    flag.name: flag.explanation for flag in (*IMAGE_FLAGS, *DETECTION_FLAGS)
}
"""The explanation of each flag, by its name, in the order of the tables."""

IMAGE_FLAG_NAMES: Final = frozenset(flag.name for flag in IMAGE_FLAGS)
"""The names of the flags that no threshold changes."""


def quality_flags(
    image: SmearImage,
    candidates: Detections,
    scale: Scale,
    card: ModelCard,
    thresholds: tuple[float, ...] | None = None,
) -> tuple[str, ...]:
    """Return the names of all flags that an image and its detections raise.

    Args:
        image: its middle is read.
        candidates: every detection, also below its threshold.
        scale: the magnification.
        card: of the model that made the detections; without ``card.reference_statistics`` only
            rules that need no reference apply.
        thresholds: the score from which each class counts; None takes the card's.

    Returns:
        keys of :data:`FLAG_EXPLANATIONS`, those of the image first.
    """
    limits = card.thresholds if thresholds is None else thresholds
    raised = detection_flags(image, candidates, scale, card, limits)
    return (*image_flags(image, scale, card), *raised)


def detection_flags(
    image: SmearImage,
    candidates: Detections,
    scale: Scale,
    card: ModelCard,
    thresholds: tuple[float, ...],
) -> tuple[str, ...]:
    """Return the names of the :data:`DETECTION_FLAGS` that are raised; no pixels are read.

    The arguments are those of :func:`quality_flags`.
    """
    detections = candidates.above(thresholds)
    seen = DetectionEvidence(image, candidates, detections, scale, card, thresholds)
    return tuple(flag.name for flag in DETECTION_FLAGS if flag.rule(seen))


def image_flags(image: SmearImage, scale: Scale, card: ModelCard) -> tuple[str, ...]:
    """Return the names of the :data:`IMAGE_FLAGS` that are raised; the image's middle is read.

    None are without ``card.reference_statistics``.
    """
    if card.reference_statistics is None:
        return ()
    rbc_px = scale.rbc_diameter_px or card.source_rbc_px or RBC_PX
    measures = measure(center_crop(image, rbc_px))
    seen = ImageEvidence(measures, rbc_px, card.reference_statistics)
    return tuple(flag.name for flag in IMAGE_FLAGS if flag.rule(seen))
