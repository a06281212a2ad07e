"""Match detections to ground truth: an optimal one-to-one assignment by IoU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from smearcount.datasets.dataset import AnnotatedImage
from smearcount.detections.boxes import Boxes, iou

MATCH_IOU: Final = 0.5
"""Two boxes of one class are taken for the same cell from this IoU on."""


class LabeledBoxes(Protocol):
    """Boxes with labels of one image: :class:`GroundTruth` and ``Detections`` both have them."""

    @property
    def boxes_xyxy_px(self) -> Boxes:
        """Shape (n, 4), float32, in image pixels."""
        ...

    @property
    def labels(self) -> NDArray[np.int64]:
        """Shape (n,), 1-based."""
        ...


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """The cells that people marked on one image.

    Attributes:
        boxes_xyxy_px: shape (n, 4), float32, in image pixels.
        labels: shape (n,), int64, 1-based.

    Example:
        >>> from smearcount.datasets import read_dataset
        >>> from smearcount.evaluation import GroundTruth
        >>> truth = GroundTruth.of(read_dataset(drawn_smears).images[0])
        >>> truth.boxes_xyxy_px.shape == (len(truth.labels), 4)
        True
    """

    boxes_xyxy_px: Boxes
    labels: NDArray[np.int64]

    @classmethod
    def of(cls, image: AnnotatedImage) -> GroundTruth:
        """Return the annotated cells of an image, in the label order of its own data set."""
        return cls(image.boxes_xyxy_px.astype(np.float32), image.labels)


@dataclass(frozen=True, eq=False)
class Match:
    """Ground truth and detections of one image, sorted into pairs and remainders.

    Attributes:
        pairs: shape (m, 2): index into the ground truth, index into the detections.
        missed: indices of the true cells that no detection matches.
        extra: indices of the detections that match no true cell.
        tp: shape (classes,): true positives, the matched cells of each class.
        fp: shape (classes,): false positives, the extra detections of each class.
        fn: shape (classes,): false negatives, the missed cells of each class.

    Example:
        >>> import numpy as np
        >>> from smearcount.evaluation import GroundTruth, match_detections
        >>> cells = GroundTruth(np.float32([[0, 0, 10, 10]]), np.array([1]))
        >>> match = match_detections(cells, cells, n_classes=1)
        >>> match.tp.tolist(), match.fp.tolist(), match.fn.tolist()
        ([1], [0], [0])
    """

    pairs: NDArray[np.int64]
    missed: NDArray[np.int64]
    extra: NDArray[np.int64]
    tp: NDArray[np.int64]
    fp: NDArray[np.int64]
    fn: NDArray[np.int64]


def match_detections(
    truth: LabeledBoxes,
    detections: LabeledBoxes,
    n_classes: int,
    iou_threshold: float = MATCH_IOU,
) -> Match:
    """Match detections to true cells of the same class.

    As many pairs as possible are made; among equally many, those with the largest sum of IoU.

    Args:
        truth: the true cells of an image.
        detections: the detections that count.
        n_classes: how many classes there are.
        iou_threshold: the least IoU of a pair, in (0, 1].

    Returns:
        the pairs, and what is left over on both sides.

    Example:
        >>> import numpy as np
        >>> from smearcount.evaluation import GroundTruth, match_detections
        >>> truth = GroundTruth(np.float32([[0, 0, 10, 10], [50, 0, 60, 10]]), np.array([2, 2]))
        >>> found = GroundTruth(np.float32([[1, 0, 11, 10], [80, 0, 90, 10]]), np.array([2, 1]))
        >>> match = match_detections(truth, found, n_classes=3)
        >>> match.pairs.tolist(), match.missed.tolist(), match.extra.tolist()
        ([[0, 0]], [1], [1])
    """
    overlap = iou(truth.boxes_xyxy_px, detections.boxes_xyxy_px)
    same_class = truth.labels[:, None] == detections.labels[None, :]
    pairs = assign(np.where(same_class, overlap, 0), iou_threshold)
    missed = np.setdiff1d(np.arange(len(truth.labels)), pairs[:, 0])
    extra = np.setdiff1d(np.arange(len(detections.labels)), pairs[:, 1])
    return Match(
        pairs=pairs,
        missed=missed,
        extra=extra,
        tp=count_per_class(truth.labels[pairs[:, 0]], n_classes),
        fp=count_per_class(detections.labels[extra], n_classes),
        fn=count_per_class(truth.labels[missed], n_classes),
    )


def assign(overlap: NDArray[np.floating], min_overlap: float) -> NDArray[np.int64]:
    """Pair rows with columns one to one where their overlap is at least ``min_overlap``.

    Args:
        overlap: shape (rows, columns), each in [0, 1].
        min_overlap: in (0, 1].

    Returns:
        shape (m, 2): row and column of each pair; the most pairs possible, and among those the
        largest sum of overlaps.
    """
    from scipy.optimize import linear_sum_assignment

    allowed = overlap >= min_overlap
    # One more pair always outweighs any gain in overlap, which stays below 1 in all.
    gain = allowed * (1 + overlap / (1 + min(overlap.shape)))
    rows, columns = linear_sum_assignment(gain, maximize=True)
    pairs: NDArray[np.int64] = np.stack([rows, columns], axis=1).astype(np.int64)
    kept: NDArray[np.int64] = pairs[allowed[rows, columns]]
    return kept


def count_per_class(labels: NDArray[np.int64], n_classes: int) -> NDArray[np.int64]:
    """Return how often each of the labels 1 to ``n_classes`` occurs, shape (n_classes,)."""
    return np.bincount(labels, minlength=n_classes + 1)[1:]
