"""The seam between a model and everything else."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from smearcount.detections.detections import Detections
from smearcount.detector.model_card import ModelCard
from smearcount.image.image import Pixels

SCORE_FLOOR = 0.01
"""Detections under this score are never reported, whatever threshold is asked for."""


class Detector(Protocol):
    """Anything that finds cells in pixels: a model file, a network in training, a test double."""

    @property
    def card(self) -> ModelCard:
        """What is known about the model."""
        ...

    def detect(self, pixels: Pixels) -> Detections:
        """Find cells.

        Args:
            pixels: RGB, shape (height, width, 3), uint8, any size, at the magnification that
                ``card.rbc_px`` names.

        Returns:
            every detection with a score of at least ``SCORE_FLOOR``, after non-maximum
            suppression, boxes in these pixels; there is no limit on their number.
        """
        ...


@runtime_checkable
class DenseDetector(Detector, Protocol):
    """A detector whose answer at a place depends only on the pixels near it.

    ``card.receptive_px`` says how near: nothing farther from the centre of a box changes it. Such
    a detector can look at a large field tile by tile and see what it would see in the whole.
    """

    def candidates(self, pixels: Pixels) -> Detections:
        """Find cells as :meth:`detect` does, but before non-maximum suppression."""
        ...


@runtime_checkable
class ThreadedDetector(Detector, Protocol):
    """A detector that may be asked by several threads at once, and whose own can be chosen.

    Attributes:
        threads: that one look takes.
    """

    threads: int

    def with_threads(self, threads: int) -> Detector:
        """Return the same model, giving the same answers, at so many threads a look."""
        ...
