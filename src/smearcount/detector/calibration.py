"""What turns the scores of a model into intervals: a part of its card."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

Score = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
"""A score or a probability."""

WIDEST_TAIL: Final = 0.25
"""No tail is wider than this: half of the distribution at least stays inside the interval."""


class ClassCalibration(BaseModel):
    """What turns the scores of one class into an interval.

    Attributes:
        name: the class.
        scores: scores, none below the one before, at which the probability is known.
        probabilities: that a detection of this score is a cell; linear in between.
        misses_per_cell: cells of this class not seen at all, per cell (of any class) seen.
        miss_dispersion: variance of the unseen cells over their mean; 1 is Poisson.
        threshold: the score from which the class counts; the interval always holds that count.
        tail: how much of the distribution each side of the interval of one image leaves out.
            Where counts are small whole numbers this may be far more than 2.5 %: the few whole
            numbers inside still hold 95 %. Sums, which step finely, never leave out more.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    scores: tuple[Score, ...] = Field(min_length=1)
    probabilities: tuple[Score, ...] = Field(min_length=1)
    misses_per_cell: float = Field(ge=0, allow_inf_nan=False)
    miss_dispersion: float = Field(ge=1, allow_inf_nan=False)
    threshold: Score
    tail: float = Field(ge=0, le=WIDEST_TAIL)

    @model_validator(mode="after")
    def _one_probability_per_score(self) -> ClassCalibration:
        if len(self.probabilities) != len(self.scores):
            raise ValueError(f"{len(self.scores)} scores need as many probabilities")
        if any(one > other for one, other in pairwise(self.scores)):
            raise ValueError("scores must not fall")
        return self

    def probability(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the probability in [0, 1] that each detection of this class is a cell."""
        return np.interp(scores, self.scores, self.probabilities)


class Calibration(BaseModel):
    """What turns the scores of a model into intervals; see :mod:`smearcount.counts.interval`.

    Attributes:
        classes: one entry per class in label order.
        level: the share of images whose true number the interval should hold.
        about: data, number of images and measured coverage: free-form facts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    classes: tuple[ClassCalibration, ...]
    level: float = Field(default=0.95, gt=0, lt=1)
    about: dict[str, Any] = {}
