"""What the training images look like, in numbers, and how far another image is from them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import AliasChoices, BaseModel, ConfigDict, Field

Row = tuple[float, ...]


def _also(name: str, former: str) -> AliasChoices:
    """Return the names under which a card may hold an entry: today's and the former one."""
    return AliasChoices(name, former)


class ReferenceStatistics(BaseModel):
    """Statistics of the training images, fitted by :mod:`smearcount.calibration`.

    They are a part of the model card. The quality flags compare each image with them.

    Attributes:
        focus_mean: mean of each number in ``Measures.focus`` over the training images.
        focus_std: their standard deviations.
        focus_weights: weights of the standardized numbers, then of their products, then a constant;
            the weighted sum is positive for an image out of focus.
        cluster_centers: typical values of ``Measures.appearance``, one row for each kind of image.
        whitening: a matrix that makes distances in ``Measures.appearance`` comparable.
        ood_threshold: the distance from the nearest cluster center beyond which an image is out of
            distribution.
        min_background: the background below which an image is too dark, in [0, 255].
        max_saturated_share: the share of pure white beyond which an image is too bright, in [0, 1].
        rbc_px_range: the least and the greatest plausible diameter of a red cell, in pixels.
        coverage_range: the least and the greatest sum of the boxes' areas, over the area of the
            image, in the training images.
        about: data and measured sensitivities: free-form facts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    focus_mean: Row
    focus_std: Row = Field(validation_alias=_also("focus_std", "focus_deviation"))
    focus_weights: Row
    cluster_centers: tuple[Row, ...] = Field(
        min_length=1, validation_alias=_also("cluster_centers", "look_centres")
    )
    whitening: tuple[Row, ...] = Field(validation_alias=_also("whitening", "look_whitening"))
    ood_threshold: float = Field(gt=0, validation_alias=_also("ood_threshold", "farthest"))
    min_background: float = Field(validation_alias=_also("min_background", "dimmest"))
    max_saturated_share: float = Field(validation_alias=_also("max_saturated_share", "burnt"))
    rbc_px_range: tuple[float, float] = Field(
        default=(6.0, 600.0), validation_alias=_also("rbc_px_range", "magnifications")
    )
    coverage_range: tuple[float, float] = Field(validation_alias=_also("coverage_range", "covered"))
    about: dict[str, Any] = {}

    def blur_score(self, focus: NDArray[np.float64]) -> float:
        """Return a number that is positive for an image out of focus.

        Args:
            focus: ``Measures.focus``, shape (11,).
        """
        mean, std, weights = map(_array, (self.focus_mean, self.focus_std, self.focus_weights))
        return float(quadratic_terms((focus - mean) / std) @ weights)

    def ood_distance(self, appearance: NDArray[np.float64]) -> float:
        """Return the whitened distance of an image from the nearest kind of training image.

        Args:
            appearance: ``Measures.appearance``, shape (18,).
        """
        offsets = (appearance - _array(self.cluster_centers)) @ _array(self.whitening)
        return float(np.sqrt(np.square(offsets).sum(axis=1)).min())


def quadratic_terms(standardized: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return numbers, their pairwise products and a constant 1, along the last axis.

    Args:
        standardized: shape (..., k); values beyond ±8 are clipped.

    Returns:
        shape (..., k + k (k + 1) / 2 + 1).
    """
    first, second = _pairs(standardized.shape[-1])
    clipped = np.clip(standardized, -8, 8)
    products = clipped[..., first] * clipped[..., second]
    return np.concatenate([clipped, products, np.ones_like(clipped[..., :1])], axis=-1)


@cache
def _array(numbers: Row | tuple[Row, ...]) -> NDArray[np.float64]:
    return np.array(numbers)


@cache
def _pairs(numbers: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.triu_indices(numbers)
