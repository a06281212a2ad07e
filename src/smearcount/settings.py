"""What a user may set for a count, in one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from smearcount.errors import UsageError

EdgeRule = Literal["all", "inside", "two-edges"]
"""Which cells at the border count.

``all``: every cell. ``inside``: none that touches the border. ``two-edges``: those touching the
top or left border count, those touching the bottom or right do not (the haemocytometer rule).
"""

EDGE_RULES: Final[tuple[str, ...]] = get_args(EdgeRule)

PIXEL_SIZES_UM: Final = (0.01, 1.875)
"""Micrometres per pixel: from less than light resolves to a red cell (7.5 µm) only 4 px wide."""


@dataclass(frozen=True)
class Settings:
    """How to count. The defaults are what the model's card recommends.

    Attributes:
        threshold: the score in [0, 1] from which a detection counts: one for every class, or one
            per class in label order; None takes the model's own threshold of each class.
        edge: which cells at the border count.
        pixel_size_um: micrometres per pixel; None takes the file's where it has a plausible one,
            else estimates it from the red cells.

    Raises:
        UsageError: a value lies outside its range.
    """

    threshold: float | tuple[float, ...] | None = None
    edge: EdgeRule = "all"
    pixel_size_um: float | None = None

    def __post_init__(self) -> None:
        limits = self.threshold if isinstance(self.threshold, tuple) else (self.threshold,)
        for limit in limits:
            if limit is not None and not 0 <= limit <= 1:
                raise UsageError(f"threshold must be a number from 0 to 1, not {limit}.")
        if self.edge not in EDGE_RULES:
            raise UsageError(f"edge must be one of {', '.join(EDGE_RULES)}, not {self.edge!r}.")
        size = self.pixel_size_um
        smallest, largest = PIXEL_SIZES_UM
        if size is not None and not smallest <= size <= largest:
            raise UsageError(
                f"pixel size must be from {smallest} to {largest} µm per px, such as 0.1, "
                f"not {size}."
            )

    def thresholds(self, recommended: tuple[float, ...]) -> tuple[float, ...]:
        """Return the threshold of each class, in label order.

        Args:
            recommended: the model's own, one per class.

        Raises:
            UsageError: there are more or fewer thresholds than classes.
        """
        if self.threshold is None:
            return recommended
        if not isinstance(self.threshold, tuple):
            return (self.threshold,) * len(recommended)
        if len(self.threshold) != len(recommended):
            raise UsageError(
                f"threshold needs one number, or {len(recommended)}: one for each class."
            )
        return self.threshold
