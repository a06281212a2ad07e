"""The settings of a count, in one frozen value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Final, Literal, get_args

from smearcount.errors import UsageError

EdgeRule = Literal["all", "inside", "two-edges"]
"""Which cells at the border count.

``all``: every cell. ``inside``: none that touches the border. ``two-edges``: those touching the
top or left border count, those touching the bottom or right do not (the rule of the
hemocytometer).
"""

EDGE_RULES: Final[tuple[str, ...]] = get_args(EdgeRule)

PIXEL_SIZES_UM: Final = (0.01, 1.875)
"""The least and the greatest pixel size, in micrometers: from less than light can resolve to a red
cell (7.5 µm) only 4 px wide."""

Threshold = float | tuple[float, ...] | Mapping[str, float]
"""One score for every class, one for each class in label order, or scores by class name."""


@dataclass(frozen=True)
class Settings:
    """How to count. By default everything is as the model's card recommends.

    Attributes:
        threshold: the score in [0, 1] from which a detection counts: one for every class, a tuple
            with one per class in label order, or a mapping from class names (classes that it does
            not name keep the model's own); None takes the model's own.
        edge: which cells at the border count.
        pixel_size_um: micrometers per pixel; None takes the file's if it has a plausible one, else
            estimates it from the red cells.

    Raises:
        UsageError: a value lies outside its range.

    Example:
        >>> from smearcount import Settings
        >>> settings = Settings(threshold={"Platelets": 0.4}, edge="two-edges", pixel_size_um=0.1)
        >>> settings.thresholds((0.5, 0.5, 0.5), ("WBC", "RBC", "Platelets"))
        (0.5, 0.5, 0.4)
        >>> Settings(threshold=1.5)
        Traceback (most recent call last):
            ...
        smearcount.errors.UsageError: threshold must be a number from 0 to 1, not 1.5.
    """

    threshold: Threshold | None = None
    edge: EdgeRule = "all"
    pixel_size_um: float | None = None

    def __post_init__(self) -> None:
        if isinstance(self.threshold, Mapping):
            object.__setattr__(self, "threshold", dict(self.threshold))  # a private copy
        for name, limit in _named_scores(self.threshold):
            if not isinstance(limit, Real) or not 0 <= limit <= 1:
                raise UsageError(f"{name} must be a number from 0 to 1, not {limit}.")
        if self.edge not in EDGE_RULES:
            raise UsageError(f"edge must be one of {', '.join(EDGE_RULES)}, not {self.edge!r}.")
        size = self.pixel_size_um
        smallest, largest = PIXEL_SIZES_UM
        if size is not None and not smallest <= size <= largest:
            raise UsageError(
                f"pixel size must be from {smallest} to {largest} µm per px, such as 0.1, "
                f"not {size}."
            )

    def thresholds(self, recommended: Sequence[float], classes: Sequence[str]) -> tuple[float, ...]:
        """Return the threshold of each class, in label order.

        Args:
            recommended: the model's own, one per class.
            classes: the names of the model's classes, in label order.

        Raises:
            UsageError: there are more or fewer thresholds than classes, or a name is unknown.
        """
        if self.threshold is None:
            return tuple(recommended)
        if isinstance(self.threshold, Mapping):
            unknown = sorted(set(self.threshold) - set(classes))
            if unknown:
                raise UsageError(
                    f"threshold: the model knows {', '.join(classes)}, not {unknown[0]!r}."
                )
            own = zip(classes, recommended, strict=True)
            return tuple(self.threshold.get(name, score) for name, score in own)
        if not isinstance(self.threshold, tuple):
            return (self.threshold,) * len(recommended)
        if len(self.threshold) != len(recommended):
            raise UsageError(
                f"threshold needs one number, or {len(recommended)}: one for each class."
            )
        return self.threshold


def _named_scores(threshold: Threshold | None) -> list[tuple[str, float]]:
    """Return each score with the words that name it in an error."""
    if threshold is None:
        return []
    if isinstance(threshold, Mapping):
        return [(f"threshold of {name}", score) for name, score in threshold.items()]
    scores = threshold if isinstance(threshold, tuple) else (threshold,)
    return [("threshold", score) for score in scores]
