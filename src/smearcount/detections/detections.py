"""Detections: what a detector says of one image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smearcount.detections.boxes import Boxes


@dataclass(frozen=True, eq=False)
class Detections:
    """Boxes, scores and labels of one image, in parallel, best score first.

    The arrays are private read-only copies, so no reader can change another reader's numbers.

    Attributes:
        boxes_xyxy_px: shape (n, 4), float32: left, top, right, bottom in image pixels.
        scores: shape (n,), float32, each in [0, 1].
        labels: shape (n,), int64, 1-based: 1 WBC, 2 RBC, 3 Platelets in the shipped model.

    Raises:
        ValueError: the shapes do not fit together.
    """

    boxes_xyxy_px: Boxes
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]

    def __post_init__(self) -> None:
        boxes = np.array(self.boxes_xyxy_px, dtype=np.float32).reshape(-1, 4)
        scores = np.array(self.scores, dtype=np.float32)
        labels = np.array(self.labels, dtype=np.int64)
        n = len(boxes)
        if scores.shape != (n,) or labels.shape != (n,):
            raise ValueError(
                f"expected {n} scores and labels for {n} boxes, "
                f"got shapes {scores.shape} and {labels.shape}"
            )
        order = np.argsort(-scores, kind="stable")
        for name, values in (("boxes_xyxy_px", boxes), ("scores", scores), ("labels", labels)):
            ordered = values[order]
            ordered.flags.writeable = False
            object.__setattr__(self, name, ordered)

    @classmethod
    def empty(cls) -> Detections:
        """Return detections of an image in which nothing was found."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.scores)

    def __iter__(self) -> Iterator[tuple[NDArray[np.float32], float, int]]:
        """Yield (box xyxy, score, label) for each detection."""
        for box, score, label in zip(self.boxes_xyxy_px, self.scores, self.labels, strict=True):
            yield box, float(score), int(label)

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.int64] | slice) -> Detections:
        """Return the detections chosen by a mask, an index array or a slice."""
        return Detections(self.boxes_xyxy_px[chosen], self.scores[chosen], self.labels[chosen])

    def above(self, thresholds: NDArray[np.float32] | tuple[float, ...]) -> Detections:
        """Return those whose score reaches the threshold of their class.

        Args:
            thresholds: one value per class in label order, each in [0, 1].
        """
        limits = np.asarray(thresholds, dtype=np.float32)
        return self[self.scores >= limits[self.labels - 1]]
