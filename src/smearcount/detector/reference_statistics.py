"""What the training pictures look like, and how far another picture is from them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Row = tuple[float, ...]


class Scene(BaseModel):
    """What the training pictures look like, fitted by ``smearcount.calibration``.

    Attributes:
        focus_mean: mean of each number in ``Measures.focus`` over the training pictures.
        focus_deviation: their standard deviations.
        focus_weights: of the standardised numbers, then of their products, then a constant; the
            sum is positive where a picture is out of focus.
        look_centres: typical values of ``Measures.look``, one row for each kind of picture.
        look_whitening: a matrix that makes distances in ``Measures.look`` comparable.
        farthest: the distance from the nearest centre beyond which a picture is a stranger.
        dimmest: the background below which a picture is too dark.
        burnt: the share of pure white beyond which a picture is too bright.
        magnifications: the least and greatest diameter of a red cell, in pixels, to be believed.
        covered: the least and the greatest sum of the boxes' areas, over the area of the image,
            that was seen in training.
        about: data and measured sensitivities: free-form facts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    focus_mean: Row
    focus_deviation: Row
    focus_weights: Row
    look_centres: tuple[Row, ...] = Field(min_length=1)
    look_whitening: tuple[Row, ...]
    farthest: float = Field(gt=0)
    dimmest: float
    burnt: float
    magnifications: tuple[float, float] = (6.0, 600.0)
    covered: tuple[float, float]
    about: dict[str, Any] = {}

    def unsharpness(self, focus: NDArray[np.float64]) -> float:
        """Return a number that is positive where a picture is out of focus.

        Args:
            focus: ``Measures.focus``.
        """
        mean, deviation, weights = map(
            _array, (self.focus_mean, self.focus_deviation, self.focus_weights)
        )
        return float(focus_terms((focus - mean) / deviation) @ weights)

    def distance(self, look: NDArray[np.float64]) -> float:
        """Return how far a picture is from the nearest kind of training picture.

        Args:
            look: ``Measures.look``.
        """
        offsets = (look - _array(self.look_centres)) @ _array(self.look_whitening)
        return float(np.sqrt(np.square(offsets).sum(axis=1)).min())


def focus_terms(standardised: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return numbers, their pairwise products and a constant 1, along the last axis.

    Args:
        standardised: shape (..., k).

    Returns:
        shape (..., k + k (k + 1) / 2 + 1).
    """
    first, second = _pairs(standardised.shape[-1])
    clipped = np.clip(standardised, -8, 8)
    products = clipped[..., first] * clipped[..., second]
    return np.concatenate([clipped, products, np.ones_like(clipped[..., :1])], axis=-1)


@cache
def _array(numbers: Row | tuple[Row, ...]) -> NDArray[np.float64]:
    return np.array(numbers)


@cache
def _pairs(numbers: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.triu_indices(numbers)
