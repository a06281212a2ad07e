"""What became of one input of a batch: counted, or failed with a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from smearcount.image.image import Pixels, Region
from smearcount.image.read import open_image
from smearcount.results.result import CountResult


@dataclass(frozen=True, eq=False)
class ImageOutcome:
    """One input and what became of it; exactly one of ``result`` and ``error`` is set.

    Attributes:
        name: the input as given; the name of its row in every table.
        result: what was counted.
        error: one sentence: why nothing was counted.
        picture: the file name of the annotated picture, where one was written.
    """

    name: str
    result: CountResult | None = None
    error: str | None = None
    picture: str | None = None

    def without_pixels(self) -> ImageOutcome:
        """Return the same outcome holding no pixels: they are read again when asked for."""
        if self.result is None:
            return self
        image = replace(self.result.image, read=reader(self.name), half=None)
        return replace(self, result=replace(self.result, image=image))


def reader(name: str) -> Callable[[Region], Pixels]:
    """Return what reads the pixels of an image file anew, for one that is no longer held."""
    return lambda region: open_image(name).read(region)
