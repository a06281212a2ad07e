"""Calibration: turns the scores of a model into intervals of counts; a part of its card."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

Score = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
"""A score or a probability."""

WIDEST_TAIL: Final = 0.25
"""The largest tail: at least half of the distribution stays inside the interval."""


class ClassCalibration(BaseModel):
    """The calibration of one class.

    Attributes:
        name: the class.
        scores: scores in ascending order at which the probability is known.
        probabilities: the probability that a detection of each of these scores is a cell; linear
            in between.
        misses_per_cell: cells of this class without any detection, per detected cell (of any
            class).
        miss_dispersion: variance of the number of such cells over its mean; 1 is Poisson.
        threshold: the score from which the class counts; the interval always contains that count.
        tail: how much of the distribution each side of the interval of one image leaves out.
            Where counts are small whole numbers this may be far more than 2.5 %: the few whole
            numbers inside still hold 95 %. For sums of images it is never more than 2.5 %.
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
    """The calibration of a model; see :mod:`smearcount.counts.interval`.

    Attributes:
        classes: one entry per class in label order.
        level: the share of images whose true number the interval should contain.
        about: data, number of images and measured coverage: free-form facts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    classes: tuple[ClassCalibration, ...]
    level: float = Field(default=0.95, gt=0, lt=1)
    about: dict[str, Any] = {}
