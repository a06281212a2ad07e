"""The result of many images: what :func:`smearcount.count_folder` returns."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from smearcount.counts.interval import Interval
from smearcount.counts.slides import Slide
from smearcount.detector.model_card import ModelCard
from smearcount.results.corrections import NO_CORRECTIONS, Corrections
from smearcount.results.dataframe import batch_dataframe
from smearcount.results.image_outcome import ImageOutcome
from smearcount.results.json_document import batch_document
from smearcount.results.totals import total, total_intervals
from smearcount.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class BatchResult:
    """What was counted in many images.

    Attributes:
        outcomes: one per image, in the order of the inputs: counted, or failed with a reason.
        settings: the settings asked for.
        card: the card of the model.
        slides: what the images add up to, if they were grouped into slides.
        corrections: what was corrected by hand, by the SHA-256 of the image file.
        command: the command line, word by word; empty when called from Python.

    Example:
        >>> import smearcount
        >>> batch = smearcount.count_folder("slides", group_by="folder")
        >>> batch
        BatchResult(2 images, 0 failed, counts={'WBC': 2, 'RBC': 34, 'Platelets': 8})
        >>> [slide.name for slide in batch.slides]
        ['slides/A', 'slides/B']
    """

    outcomes: tuple[ImageOutcome, ...]
    settings: Settings
    card: ModelCard
    slides: tuple[Slide, ...] = ()
    corrections: Corrections = field(default_factory=lambda: NO_CORRECTIONS)
    command: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Return the most important numbers."""
        images, failed = len(self.outcomes), len(self.failed)
        return f"BatchResult({images} images, {failed} failed, counts={self.counts})"

    @cached_property
    def counts(self) -> dict[str, int]:
        """Cells counted in all images together, by class name, in label order."""
        sums = total(self.outcomes)
        return {name: sums.get(name, 0) for name in self.card.classes}

    @cached_property
    def intervals(self) -> dict[str, Interval] | None:
        """The 95 % interval of each sum; see :func:`smearcount.results.totals.total_intervals`."""
        return total_intervals(self.outcomes)

    @property
    def failed(self) -> tuple[ImageOutcome, ...]:
        """The images that could not be counted, each with its ``error``."""
        return tuple(outcome for outcome in self.outcomes if outcome.result is None)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values: what ``smearcount count --json`` prints."""
        return batch_document(self)

    def to_json(self) -> str:
        """Return :meth:`to_dict` as JSON text."""
        return json.dumps(self.to_dict())

    def to_dataframe(self) -> pd.DataFrame:
        """Return a pandas table with one row per image; the counts of a failed one are missing.

        Raises:
            UsageError: pandas is not installed.
        """
        return batch_dataframe(self)
