"""The detector protocols: what a model must offer to the rest of the package."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from smearcount.detections.detections import Detections
from smearcount.detector.model_card import ModelCard
from smearcount.image.image import Pixels


class Detector(Protocol):
    """Anything that detects cells in pixels: a model file, a network in training, a test double.

    Example:
        >>> import numpy as np
        >>> from smearcount import count, load_detector
        >>> class RedOnly:
        ...     def __init__(self, detector):
        ...         self.card, self._detector = detector.card, detector
        ...     def detect(self, pixels):
        ...         found = self._detector.detect(pixels)
        ...         return found[found.labels == 2]
        >>> count("smear.png", model=RedOnly(load_detector())).counts
        {'WBC': 0, 'RBC': 20, 'Platelets': 0}
    """

    @property
    def card(self) -> ModelCard:
        """What is known about the model."""
        ...

    def detect(self, pixels: Pixels) -> Detections:
        """Detect cells.

        Args:
            pixels: RGB, shape (height, width, 3), uint8, any size, at the magnification that
                ``card.rbc_px`` names.

        Returns:
            every detection with a score of at least ``SCORE_FLOOR``, after NMS, boxes in these
            pixels; there is no limit on their number.
        """
        ...


@runtime_checkable
class DenseDetector(Detector, Protocol):
    """A detector whose output at a place depends only on the pixels near it.

    Nothing farther than ``card.receptive_px`` from the center of a box changes it. Such a detector
    can process a large image tile by tile, with the same detections as in the whole.
    """

    def candidates(self, pixels: Pixels) -> Detections:
        """Detect cells as :meth:`detect` does, but before NMS."""
        ...


@runtime_checkable
class ThreadedDetector(Detector, Protocol):
    """A detector that several threads may call at once, with a choice of its own threads.

    Attributes:
        threads: CPU threads that one inference takes.
    """

    threads: int

    def with_threads(self, threads: int) -> Detector:
        """Return the same model, with the same detections, at this many threads an inference."""
        ...
