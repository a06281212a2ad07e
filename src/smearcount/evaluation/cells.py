"""What the measures read: anything with boxes and labels, such as a truth or detections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from smearcount.detections.boxes import Boxes


class Cells(Protocol):
    """The cells of one image."""

    @property
    def boxes_xyxy_px(self) -> Boxes:
        """Shape (n, 4), float32, in image pixels."""
        ...

    @property
    def labels(self) -> NDArray[np.int64]:
        """Shape (n,), 1-based."""
        ...


@dataclass(frozen=True, eq=False)
class TrueCells:
    """The cells that somebody marked on one image.

    Attributes:
        boxes_xyxy_px: shape (n, 4), float32, in image pixels.
        labels: shape (n,), int64, 1-based.
    """

    boxes_xyxy_px: Boxes
    labels: NDArray[np.int64]
