"""What became of one input of a batch: counted, or failed with a reason."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from smearcount.results.result import CountResult


@dataclass(frozen=True, eq=False)
class ImageOutcome:
    """One input of a batch and what became of it.

    Exactly one of ``result`` and ``error`` is set.

    Attributes:
        name: the input as given; the name of its row in every table.
        result: what was counted.
        error: one sentence: why nothing was counted.
        picture: the file name of the annotated picture, where one was written.

    Example:
        >>> import smearcount
        >>> batch = smearcount.count_folder(["smear.png", "missing.png"])
        >>> [outcome.status for outcome in batch.outcomes]
        ['counted', 'error']
        >>> batch.outcomes[1].error
        'missing.png: there is no such file; check the path.'
    """

    name: str
    result: CountResult | None = None
    error: str | None = None
    picture: str | None = None

    @property
    def status(self) -> Literal["counted", "error"]:
        """``counted`` or ``error``."""
        return "error" if self.result is None else "counted"

    def without_pixels(self) -> ImageOutcome:
        """Return the same outcome holding no pixels: the file is opened again when needed."""
        if self.result is None:
            return self
        return replace(self, result=replace(self.result, image=self.result.image.without_pixels()))
