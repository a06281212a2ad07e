"""The warnings of one image: short plain phrases that say how sure to be of its count."""

from __future__ import annotations

from typing import Final

import numpy as np

from smearcount.classes import RBC
from smearcount.detections.boxes import area
from smearcount.detections.detections import Detections
from smearcount.detector.card import ModelCard
from smearcount.detector.reference_statistics import Scene
from smearcount.detector.scale import RBC_UM, Scale
from smearcount.image.image import SmearImage
from smearcount.quality.measures import RBC_PX, measure, middle

OUT_OF_FOCUS: Final = "out of focus"
TOO_DARK: Final = "too dark"
TOO_BRIGHT: Final = "too bright"
UNFAMILIAR: Final = "unlike the training images"
NOTHING_FOUND: Final = "nothing found"
TOO_CROWDED: Final = "too crowded"
TOO_SPARSE: Final = "too sparse"
ODD_MAGNIFICATION: Final = "magnification implausible"
DOUBTFUL: Final = "many doubtful cells"

EXPLAINED: Final = {
    OUT_OF_FOCUS: "Edges are softer than in the training images. Refocus and take it again; "
    "overlapping cells and platelets are missed first.",
    TOO_DARK: "The empty glass is darker than in any training image. Raise the light.",
    TOO_BRIGHT: "Large parts are pure white and have lost their detail. Lower the light.",
    UNFAMILIAR: "Colour or texture is far from every kind of image that the model learned from: "
    "another stain, another microscope, or no smear. Check the boxes before you use the count.",
    NOTHING_FOUND: "No cell was found. Is this a blood smear, at a magnification that shows cells?",
    TOO_CROWDED: "Cells cover more of the field than in the training images, so some hide behind "
    "others. Choose a field where they lie side by side.",
    TOO_SPARSE: "Cells cover less of the field than in the training images. Choose a field "
    "nearer to the body of the smear.",
    ODD_MAGNIFICATION: "The red cells in the picture do not fit the pixel size that was given or "
    "that the file holds, or are too small or too large to be believed. Give the pixel size, or "
    "check it.",
    DOUBTFUL: "As many detections were just too doubtful to count as were counted. "
    "Check the boxes.",
}
"""What each flag means and what to do, for reports."""

OF_PICTURE: Final = (OUT_OF_FOCUS, TOO_DARK, TOO_BRIGHT, UNFAMILIAR)
"""The flags that speak of the picture alone: no threshold changes them."""

CROWDED: Final = 1.1
"""Factor beyond the fullest training image from which a field is too crowded."""

MISFIT: Final = 1.5
"""Factor between the measured red cell and the known pixel size that is not believed."""

_DOUBTFUL_FROM: Final = 0.4
"""Share of its threshold from which a detection is doubtful rather than noise."""

_FEW: Final = 5
_MEASURABLE: Final = 0.7
"""Share of ``RBC_PX`` below which cells hold too few pixels to tell soft from small."""


def flags(
    image: SmearImage,
    candidates: Detections,
    scale: Scale,
    card: ModelCard,
    thresholds: tuple[float, ...] | None = None,
) -> tuple[str, ...]:
    """Return what speaks against trusting the count of an image.

    Args:
        image: its middle is read.
        candidates: every detection, those below the thresholds included.
        scale: the magnification.
        card: of the model that looked; without ``card.scene`` only what the detections tell.
        thresholds: the score from which each class counts; None takes the card's.

    Returns:
        keys of :data:`EXPLAINED`, the picture's before the detections'.
    """
    limits = card.thresholds if thresholds is None else thresholds
    cells = flags_of_cells(image, candidates, scale, card, limits)
    return (*flags_of_picture(image, scale, card), *cells)


def flags_of_cells(
    image: SmearImage,
    candidates: Detections,
    scale: Scale,
    card: ModelCard,
    thresholds: tuple[float, ...],
) -> tuple[str, ...]:
    """Return the flags that follow the thresholds; the pixels of the image are not read.

    The arguments are those of :func:`flags`.
    """
    found = candidates.above(thresholds)
    scene = card.scene
    if not len(found):
        return (NOTHING_FOUND, ODD_MAGNIFICATION) if scale.doubted else (NOTHING_FOUND,)
    raised = []
    if scene:
        covered = float(area(found.boxes_xyxy_px).sum()) / (image.width * image.height)
        if covered > scene.covered[1] * CROWDED:
            raised.append(TOO_CROWDED)
        if covered < scene.covered[0] / CROWDED:
            raised.append(TOO_SPARSE)
    if not _plausible(scale, scene, card, found):
        raised.append(ODD_MAGNIFICATION)
    near = candidates.above(tuple(_DOUBTFUL_FROM * limit for limit in thresholds))
    if len(near) - len(found) >= max(_FEW, len(found)):
        raised.append(DOUBTFUL)
    return tuple(raised)


def flags_of_picture(image: SmearImage, scale: Scale, card: ModelCard) -> tuple[str, ...]:
    """Return those of :data:`OF_PICTURE` that an image raises; its middle is read."""
    scene = card.scene
    if scene is None:
        return ()
    rbc_px = scale.rbc_diameter_px or card.source_rbc_px or RBC_PX
    measures = measure(middle(image, rbc_px))
    raised = []
    if rbc_px >= _MEASURABLE * RBC_PX and scene.unsharpness(measures.focus) > 0:
        raised.append(OUT_OF_FOCUS)
    if measures.background < scene.dimmest:
        raised.append(TOO_DARK)
    if measures.burnt > scene.burnt:
        raised.append(TOO_BRIGHT)
    if scene.distance(measures.look) > scene.farthest:
        raised.append(UNFAMILIAR)
    return tuple(raised)


def _plausible(scale: Scale, scene: Scene | None, card: ModelCard, found: Detections) -> bool:
    if scale.doubted:
        return False
    measured = scale.rbc_diameter_px
    if measured is None or RBC not in card.classes:
        return True
    if scene and not scene.magnifications[0] <= measured <= scene.magnifications[1]:
        return False
    red = np.count_nonzero(found.labels == card.classes.index(RBC) + 1)
    if scale.pixel_size_um is None or red < _FEW:
        return True
    ratio = measured * scale.pixel_size_um / RBC_UM
    return 1 / MISFIT <= ratio <= MISFIT
