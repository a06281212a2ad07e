"""The answer for one image: what every door of the package returns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from smearcount.counts.edge_rule import count_labels, is_counted
from smearcount.counts.interval import Interval, interval
from smearcount.detections.detections import Detections
from smearcount.detector.model_card import ModelCard
from smearcount.detector.scale import Scale
from smearcount.image.image import SmearImage
from smearcount.quality.flags import detection_flags
from smearcount.settings import Settings

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage


@dataclass(frozen=True, eq=False, repr=False)
class CountResult:
    """What was counted in one image, and all that is needed to check it.

    Attributes:
        image: the image.
        candidates: every detection from the score floor on, best first, so that another threshold
            can be tried without looking again; see :func:`apply_settings`.
        detections: every detection that reaches its threshold, best first.
        counted: shape (n,), True where the edge rule lets the detection count.
        scale: the magnification, and where it comes from.
        flags: short warnings; they never hide a count.
        settings: the settings asked for.
        card: the card of the model that looked.
        seconds: the time from opening the image to the counts.
        corrections: how many corrections by hand are in ``detections``.
    """

    image: SmearImage
    candidates: Detections
    detections: Detections
    counted: NDArray[np.bool_]
    scale: Scale
    flags: tuple[str, ...]
    settings: Settings
    card: ModelCard
    seconds: float
    corrections: int = 0

    def __repr__(self) -> str:
        """Return what one wants to see first."""
        return f"CountResult({self.image.name!r}, counts={self.counts}, flags={self.flags})"

    @property
    def counts(self) -> dict[str, int]:
        """Cells counted, by class name, in label order."""
        return count_labels(self.detections.labels[self.counted], self.card.classes)

    @property
    def excluded(self) -> dict[str, int]:
        """Cells found but left out by the edge rule, by class name."""
        return count_labels(self.detections.labels[~self.counted], self.card.classes)

    @property
    def automatic(self) -> dict[str, int]:
        """Cells counted before any correction by hand, by class name."""
        if not self.corrections:
            return self.counts
        found = self.candidates.above(self.settings.thresholds(self.card.thresholds))
        counted = is_counted(self.settings.edge, found, self.image, self.scale)
        return count_labels(found.labels[counted], self.card.classes)

    @cached_property
    def intervals(self) -> dict[str, Interval] | None:
        """Between which numbers the true count of each class lies at 95 %, by class name.

        None where the model's card holds no calibration, and where a person corrected the count:
        the interval is about the model's errors. It speaks of the cells that are there,
        whatever threshold was asked for. Worked out when first asked for, and kept.
        """
        if self.corrections:
            return None
        seen = self.candidates
        allowed = is_counted(self.settings.edge, seen, self.image, self.scale)
        return interval(seen.scores[allowed], seen.labels[allowed], self.card.calibration)

    def draw(self) -> PILImage:
        """Return the picture with coloured, labelled boxes and a legend with the counts."""
        from smearcount.image.draw import draw

        return draw(self)


def apply_settings(
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
        counted=is_counted(settings.edge, found, image, scale),
        scale=scale,
        flags=(*picture_flags, *detection_flags(image, candidates, scale, card, thresholds)),
        settings=settings,
        card=card,
        seconds=0.0,
    )
