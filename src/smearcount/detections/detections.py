"""Detections: the boxes, scores and labels that a detector returns for one image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smearcount.detections.boxes import Boxes
from smearcount.errors import UsageError


@dataclass(frozen=True, eq=False)
class Detections:
    """Boxes, scores and labels of one image, in parallel, best score first.

    Equal scores keep the order in which they were given. The arrays are private read-only copies,
    so no reader can change another reader's numbers.

    Attributes:
        boxes_xyxy_px: shape (n, 4), float32: left, top, right, bottom in image pixels.
        scores: shape (n,), float32, each in [0, 1].
        labels: shape (n,), int64, 1-based: 1 WBC, 2 RBC, 3 Platelets in the shipped model.

    Raises:
        UsageError: the shapes do not fit together, a box or score is not finite, or a label is
            less than 1.

    Example:
        >>> import numpy as np
        >>> from smearcount import Detections
        >>> boxes = [[10, 10, 60, 58], [70, 20, 120, 71], [5, 80, 25, 99]]
        >>> detections = Detections(boxes, scores=[0.4, 0.9, 0.7], labels=[2, 2, 3])
        >>> detections.labels
        array([2, 3, 2])
        >>> len(detections.above((0.5, 0.5, 0.8)))  # thresholds of WBC, RBC, Platelets
        1
        >>> detections[detections.labels == 2].boxes_xyxy_px
        array([[ 70.,  20., 120.,  71.],
               [ 10.,  10.,  60.,  58.]], dtype=float32)
    """

    boxes_xyxy_px: Boxes
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]

    def __post_init__(self) -> None:
        boxes = np.array(self.boxes_xyxy_px, dtype=np.float32)
        scores = np.array(self.scores, dtype=np.float32)
        labels = np.array(self.labels, dtype=np.int64)
        boxes = boxes if boxes.size else boxes.reshape(0, 4)
        n = len(boxes)
        if boxes.shape != (n, 4) or scores.shape != (n,) or labels.shape != (n,):
            raise UsageError(
                "Detections need boxes of shape (n, 4), and n scores and labels; got shapes "
                f"{boxes.shape}, {scores.shape} and {labels.shape}."
            )
        if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
            raise UsageError("Detections need finite boxes and scores; some are NaN or infinite.")
        if n and labels.min() < 1:
            raise UsageError(f"Detections need labels from 1 on; got {labels.min()}.")
        order = np.argsort(-scores, kind="stable")
        for name, values in (("boxes_xyxy_px", boxes), ("scores", scores), ("labels", labels)):
            ordered = values[order]
            ordered.flags.writeable = False
            object.__setattr__(self, name, ordered)

    def __setstate__(self, state: dict[str, NDArray[np.generic]]) -> None:
        """Restore a pickled value; arrays come back from a pickle writable."""
        for values in state.values():
            values.flags.writeable = False
        self.__dict__.update(state)

    @classmethod
    def empty(cls) -> Detections:
        """Return the detections of an image in which nothing was found."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.scores)

    def __iter__(self) -> Iterator[tuple[NDArray[np.float32], float, int]]:
        """Yield (box xyxy, score, label) of each detection."""
        for box, score, label in zip(self.boxes_xyxy_px, self.scores, self.labels, strict=True):
            yield box, float(score), int(label)

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.int64] | slice) -> Detections:
        """Return the detections chosen by a mask, an index array or a slice."""
        return Detections(self.boxes_xyxy_px[chosen], self.scores[chosen], self.labels[chosen])

    def above(self, thresholds: NDArray[np.float32] | tuple[float, ...]) -> Detections:
        """Return the detections whose score reaches the threshold of their class.

        Args:
            thresholds: one value per class in label order, each in [0, 1].
        """
        limits = np.asarray(thresholds, dtype=np.float32)
        return self[self.scores >= limits[self.labels - 1]]
