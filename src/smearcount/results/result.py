"""The result for one image: what :func:`smearcount.count`, a batch and the page return."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from smearcount.classes import class_color
from smearcount.counts.edge_rule import count_labels, is_counted
from smearcount.counts.interval import Interval, interval
from smearcount.detections.detections import Detections
from smearcount.detector.model_card import ModelCard
from smearcount.detector.scale import Scale
from smearcount.formatting import format_count
from smearcount.image.image import SmearImage
from smearcount.quality.flags import detection_flags
from smearcount.results.coco_export import coco_document
from smearcount.results.dataframe import detections_dataframe
from smearcount.results.json_document import image_document
from smearcount.settings import Settings

if TYPE_CHECKING:
    import pandas as pd
    from PIL.Image import Image as PILImage


@dataclass(frozen=True, eq=False, repr=False)
class CountResult:
    """What was counted in one image, and all that is needed to check it.

    Attributes:
        image: the image.
        candidates: every detection from the score floor on, best first, those below the thresholds
            included; see :func:`apply_settings`.
        detections: every detection that reaches the threshold of its class, best first.
        counted: shape (n,), bool: True where the edge rule lets the detection count.
        scale: the magnification, and where it comes from.
        flags: short warnings; they never hide a count.
        settings: the settings asked for.
        card: the card of the model.
        seconds: the time from opening the image to the counts.
        corrections: how many corrections by hand are in ``detections``.

    Example:
        >>> import smearcount
        >>> result = smearcount.count("smear.png")
        >>> result.counts
        {'WBC': 1, 'RBC': 20, 'Platelets': 5}
        >>> result.detections.boxes_xyxy_px.shape
        (26, 4)
        >>> result.draw().save("counted.png")
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
        """Return the name of the image, its counts and its flags."""
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
        found = self.candidates.above(
            self.settings.thresholds(self.card.thresholds, self.card.classes)
        )
        counted = is_counted(self.settings.edge, found, self.image, self.scale)
        return count_labels(found.labels[counted], self.card.classes)

    @cached_property
    def intervals(self) -> dict[str, Interval] | None:
        """The 95 % interval of the true count of each class: (lowest, highest), by class name.

        None where the model's card holds no calibration, and where a person corrected the count:
        the interval is about the model's errors. It speaks of the cells that are there, whatever
        threshold was asked for. It is computed when first asked for, and kept.
        """
        if self.corrections:
            return None
        allowed = is_counted(self.settings.edge, self.candidates, self.image, self.scale)
        candidates = self.candidates[allowed]
        return interval(candidates.scores, candidates.labels, self.card.calibration)

    def count_with_interval(self, name: str) -> str:
        """Return the count of a class with its interval as text, such as ``214 (205-224)``."""
        return format_count(self.counts.get(name, 0), (self.intervals or {}).get(name))

    def to_dict(self) -> dict[str, Any]:
        """Return counts, intervals, flags and every detection as plain values, ready for JSON."""
        return image_document(self)

    def to_json(self) -> str:
        """Return :meth:`to_dict` as JSON text."""
        return json.dumps(self.to_dict())

    def to_coco(self) -> dict[str, Any]:
        """Return the detections as a COCO document with scores; the image has the id 1."""
        return coco_document(self)

    def to_dataframe(self) -> pd.DataFrame:
        """Return a pandas table with one row per detection.

        Raises:
            UsageError: pandas is not installed.
        """
        return detections_dataframe(self)

    def draw(self) -> PILImage:
        """Return the image with colored, labeled boxes and a legend with the counts.

        Raises:
            ImageError: the image is read again for it, and its file is gone or has changed.
        """
        from smearcount.image.draw import EXCLUDED_COLOR, draw_detections

        legend = [
            (class_color(name, label), f"{name} {self.count_with_interval(name)}")
            for label, name in enumerate(self.counts, start=1)
        ]
        excluded = sum(self.excluded.values())
        if excluded:
            legend.append((EXCLUDED_COLOR, f"not counted ({self.settings.edge}) {excluded}"))
        return draw_detections(
            self.image,
            self.detections,
            self.card.classes,
            counted=self.counted,
            rbc_px=self.scale.rbc_diameter_px,
            legend=legend,
        )


def apply_settings(
    image: SmearImage,
    candidates: Detections,
    scale: Scale,
    card: ModelCard,
    settings: Settings,
    picture_flags: tuple[str, ...] = (),
) -> CountResult:
    """Apply thresholds and edge rule to what a detector found, and add the flags of the cells.

    Args:
        image: the image; its pixels are not read.
        candidates: every detection from the score floor on, boxes in pixels of the image.
        scale: the magnification.
        card: the card of the model.
        settings: threshold and edge rule.
        picture_flags: flags of the picture itself, which no threshold changes.

    Raises:
        UsageError: the number of thresholds is not the number of classes.
    """
    thresholds = settings.thresholds(card.thresholds, card.classes)
    detections = candidates.above(thresholds)
    return CountResult(
        image=image,
        candidates=candidates,
        detections=detections,
        counted=is_counted(settings.edge, detections, image, scale),
        scale=scale,
        flags=(*picture_flags, *detection_flags(image, candidates, scale, card, thresholds)),
        settings=settings,
        card=card,
        seconds=0.0,
    )
