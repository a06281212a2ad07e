"""How often quality flags catch what they are for, and how often they cry wolf."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.calibration.corruptions import blurred, exposed, strangers
from smearcount.classes import RBC
from smearcount.datasets.read import AnnotatedImage, Dataset
from smearcount.detections.boxes import diameter
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

Pixels = NDArray[np.uint8]
FlagsOf = Callable[[SmearImage, AnnotatedImage | None], tuple[str, ...]]
"""Returns the flags of a picture made from an annotated one, or of a drawn one (None)."""

CLEAN: Final = "clean"
BLUR_RBC: Final = 0.03
"""Blur in red-cell diameters: 3 px where a red cell is 100 px wide, as in 640×480 photographs."""


@dataclass(frozen=True)
class Caught:
    """What happened to one kind of picture.

    Attributes:
        kind: what was done to the pictures.
        images: how many.
        caught: share, in [0, 1], that raised a flag meant for it; for clean pictures, any flag
            that comes from the picture.
        flags: share that raised each flag.
    """

    kind: str
    images: int
    caught: float
    flags: dict[str, float]


def flag_study(
    dataset: Dataset, flags_of: FlagsOf, *, drawn: int = 240, seed: int = 0
) -> list[Caught]:
    """Measure sensitivity and false alarms.

    Args:
        dataset: images not used to settle the limits, near-duplicates taken out.
        flags_of: see :func:`of_card` (annotated boxes in place of a detector), or pass a function
            that runs the whole analysis.
        drawn: how many drawn pictures that show no smear.
        seed: of noise and drawings.
    """
    rng = np.random.default_rng(seed)
    rows: list[Caught] = []
    for kind, (worsen, meant) in _KINDS.items():
        raised = []
        for annotated in dataset.images:
            pixels = worsen(open_image(annotated.path).pixels(), _rbc_px(annotated, dataset), rng)
            raised.append(flags_of(open_image(pixels), annotated))
        rows.append(_tally(kind, raised, meant))
    others = [flags_of(open_image(pixels), None) for pixels in strangers(drawn, seed)]
    rows.append(_tally("drawn, no smear", others, (OUT_OF_DISTRIBUTION, NOTHING_FOUND)))
    return rows


def of_card(card: ModelCard, dataset: Dataset) -> FlagsOf:
    """Return what tells the flags that come from the picture alone, without a detector.

    The annotated red cells give the magnification; drawn pictures are read at a hundred pixels
    per red cell.
    """
    from smearcount.detections.detections import Detections

    def flags_of(image: SmearImage, annotated: AnnotatedImage | None) -> tuple[str, ...]:
        rbc_px = 100.0 if annotated is None else _rbc_px(annotated, dataset)
        raised = quality_flags(image, Detections.empty(), Scale(rbc_px, None, "estimated"), card)
        return tuple(flag for flag in raised if flag != NOTHING_FOUND)

    return flags_of


def _blur(sigma_rbc: float, noise: float) -> Callable[[Pixels, float, np.random.Generator], Pixels]:
    return lambda pixels, rbc_px, rng: blurred(pixels, sigma_rbc * rbc_px, noise, rng)


_ANY: Final = (OUT_OF_FOCUS, TOO_DARK, TOO_BRIGHT, OUT_OF_DISTRIBUTION)
_SOFT: Final = (OUT_OF_FOCUS,)
_KINDS: Final[
    dict[str, tuple[Callable[[Pixels, float, np.random.Generator], Pixels], tuple[str, ...]]]
] = {
    CLEAN: (lambda pixels, rbc_px, rng: pixels, _ANY),
    "blur 0.03 RBC": (_blur(BLUR_RBC, 0), _SOFT),
    "blur 0.03 RBC, noise 2": (_blur(BLUR_RBC, 2), _SOFT),
    "blur 3 px": (lambda pixels, rbc_px, rng: blurred(pixels, 3), _SOFT),
    "blur 0.06 RBC, noise 2": (_blur(2 * BLUR_RBC, 2), _SOFT),
    "+2 stops": (lambda pixels, rbc_px, rng: exposed(pixels, 2), (TOO_BRIGHT,)),
    "-2 stops": (lambda pixels, rbc_px, rng: exposed(pixels, -2), (TOO_DARK,)),
}


def _rbc_px(annotated: AnnotatedImage, dataset: Dataset) -> float:
    cells = annotated.boxes_xyxy_px[annotated.labels == dataset.classes.index(RBC) + 1]
    return float(np.median(diameter(cells.astype(np.float32)))) if len(cells) else 90.0


def _tally(kind: str, raised: Sequence[tuple[str, ...]], meant: Sequence[str]) -> Caught:
    n = max(1, len(raised))
    names = sorted({flag for each in raised for flag in each})
    return Caught(
        kind=kind,
        images=len(raised),
        caught=sum(any(flag in meant for flag in each) for each in raised) / n,
        flags={name: sum(name in each for each in raised) / n for name in names},
    )
