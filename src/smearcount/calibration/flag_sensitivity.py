"""How often quality flags detect what they are for, and how often they raise false alarms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from smearcount.calibration.corruptions import (
    Pixels,
    blur,
    change_exposure,
    out_of_distribution_images,
)
from smearcount.calibration.reference_statistics import median_rbc_px
from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.detections.detections import Detections
from smearcount.detector.model_card import ModelCard
from smearcount.detector.scale import Scale
from smearcount.image.image import SmearImage
from smearcount.image.read import open_image
from smearcount.quality.flags import (
    NOTHING_FOUND,
    OUT_OF_DISTRIBUTION,
    OUT_OF_FOCUS,
    TOO_BRIGHT,
    TOO_DARK,
    quality_flags,
)

FlagsOf = Callable[[SmearImage, AnnotatedImage | None], tuple[str, ...]]
"""Returns the flags of an image made from an annotated one, or of a drawn one (None)."""

CLEAN: Final = "clean"
DRAWN: Final = "drawn, no smear"

BLUR_RBC: Final = 0.03
"""Blur in red-cell diameters: 3 px where a red cell is 100 px wide, as in 640×480 photographs."""

_DRAWN_RBC_PX: Final = 100.0
"""Diameter of a red cell that is assumed in drawings, which have none."""


@dataclass(frozen=True)
class FlagSensitivity:
    """How often one kind of image was flagged.

    Attributes:
        kind: the corruption of the images.
        images: how many.
        flagged: share, in [0, 1], that raised a flag meant for this corruption; for clean images
            the share of false alarms: those with any flag about the image itself.
        flags: share that raised each flag.

    Example:
        >>> from smearcount.calibration import FlagSensitivity
        >>> FlagSensitivity("clean", images=238, flagged=0.004, flags={}).kind
        'clean'
    """

    kind: str
    images: int
    flagged: float
    flags: dict[str, float]


def measure_flag_sensitivity(
    dataset: Dataset, flags_of: FlagsOf, *, drawn: int = 240, seed: int = 0
) -> list[FlagSensitivity]:
    """Measure the sensitivity and the false alarms of the quality flags.

    Args:
        dataset: images not used to fit the limits, near-duplicates taken out.
        flags_of: see :func:`flags_from_card` (annotated boxes in place of a detector), or a
            function that runs the whole analysis.
        drawn: how many drawn images that show no smear.
        seed: of noise and drawings.

    Returns:
        a row for clean images, one for each corruption and one for drawings.

    Raises:
        ImageError: an image cannot be read.
    """
    rng = np.random.default_rng(seed)
    rows: list[FlagSensitivity] = []
    for kind, (corrupt, intended) in _CORRUPTIONS.items():
        raised = []
        for annotated in dataset.images:
            pixels = open_image(annotated.path).pixels()
            corrupted = corrupt(pixels, median_rbc_px(annotated, dataset), rng)
            raised.append(flags_of(open_image(corrupted), annotated))
        rows.append(_row(kind, raised, intended))
    of_drawings = [
        flags_of(open_image(pixels), None) for pixels in out_of_distribution_images(drawn, seed)
    ]
    rows.append(_row(DRAWN, of_drawings, (OUT_OF_DISTRIBUTION, NOTHING_FOUND)))
    return rows


def flags_from_card(card: ModelCard, dataset: Dataset) -> FlagsOf:
    """Return a function that gives the flags of the image alone, without a detector.

    The annotated red cells give the magnification; in drawings a red cell is taken to be a hundred
    pixels wide.

    Args:
        card: with its reference statistics.
        dataset: of the annotated images.
    """

    def flags_of(image: SmearImage, annotated: AnnotatedImage | None) -> tuple[str, ...]:
        rbc_px = _DRAWN_RBC_PX if annotated is None else median_rbc_px(annotated, dataset)
        raised = quality_flags(image, Detections.empty(), Scale(rbc_px, None, "estimated"), card)
        return tuple(flag for flag in raised if flag != NOTHING_FOUND)

    return flags_of


Corruption = Callable[[Pixels, float, np.random.Generator], Pixels]
"""Takes pixels, the diameter of a red cell in pixels and a random generator; returns pixels."""


def _blur(sigma_rbc: float, noise: float) -> Corruption:
    return lambda pixels, rbc_px, rng: blur(pixels, sigma_rbc * rbc_px, noise, rng)


_ANY: Final = (OUT_OF_FOCUS, TOO_DARK, TOO_BRIGHT, OUT_OF_DISTRIBUTION)
_CORRUPTIONS: Final[dict[str, tuple[Corruption, tuple[str, ...]]]] = {
    CLEAN: (lambda pixels, rbc_px, rng: pixels, _ANY),
    "blur 0.03 RBC": (_blur(BLUR_RBC, 0), (OUT_OF_FOCUS,)),
    "blur 0.03 RBC, noise 2": (_blur(BLUR_RBC, 2), (OUT_OF_FOCUS,)),
    "blur 3 px": (lambda pixels, rbc_px, rng: blur(pixels, 3), (OUT_OF_FOCUS,)),
    "blur 0.06 RBC, noise 2": (_blur(2 * BLUR_RBC, 2), (OUT_OF_FOCUS,)),
    "+2 stops": (lambda pixels, rbc_px, rng: change_exposure(pixels, 2), (TOO_BRIGHT,)),
    "-2 stops": (lambda pixels, rbc_px, rng: change_exposure(pixels, -2), (TOO_DARK,)),
}
"""Each corruption with the flags that are meant for it."""


def _row(kind: str, raised: Sequence[tuple[str, ...]], intended: Sequence[str]) -> FlagSensitivity:
    n = max(1, len(raised))
    names = sorted({flag for of_image in raised for flag in of_image})
    return FlagSensitivity(
        kind=kind,
        images=len(raised),
        flagged=sum(any(flag in intended for flag in of_image) for of_image in raised) / n,
        flags={name: sum(name in of_image for of_image in raised) / n for name in names},
    )
