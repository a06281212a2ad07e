"""The values that every annotation format is read into: images with boxes around their cells."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from smearcount.classes import CLASS_NAMES, canonical_name
from smearcount.errors import DataError


@dataclass(frozen=True, eq=False)
class AnnotatedImage:
    """One image and the boxes that a person, or a model, drew around its cells.

    The arrays are private read-only copies. Coordinates are float64, so that the numbers of a file
    are kept to their last digit; make them float32 before they meet detections.

    Attributes:
        path: the image file.
        width: in pixels.
        height: in pixels.
        boxes_xyxy_px: shape (n, 4), float64: left, top, right, bottom as half-open pixel edges.
        labels: shape (n,), int64, 1-based into the classes of the data set.
        scores: shape (n,), float64, each in [0, 1]; None for labels set by hand, and for an image
            without boxes.
        image_id: the number that a COCO file gave the image, if any.
        box_ids: shape (n,), int64: the numbers that a COCO file gave the boxes, if any.

    Raises:
        DataError: the shapes do not fit together.

    Example:
        >>> from pathlib import Path
        >>> import numpy as np
        >>> from smearcount.datasets import AnnotatedImage
        >>> boxes = np.array([[0, 0, 50, 50], [60, 10, 80, 30]])
        >>> image = AnnotatedImage(Path("a.png"), 640, 480, boxes, np.array([2, 3]))
        >>> len(image), len(image[image.labels == 3])
        (2, 1)
    """

    path: Path
    width: int
    height: int
    boxes_xyxy_px: NDArray[np.float64]
    labels: NDArray[np.int64]
    scores: NDArray[np.float64] | None = None
    image_id: int | None = None
    box_ids: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        boxes = np.array(self.boxes_xyxy_px, dtype=np.float64).reshape(-1, 4)
        columns: dict[str, NDArray[np.float64] | NDArray[np.int64] | None] = {
            "labels": np.array(self.labels, dtype=np.int64),
            "scores": _column(self.scores, np.float64, len(boxes)),
            "box_ids": _column(self.box_ids, np.int64, len(boxes)),
        }
        for name, values in columns.items():
            if values is not None and values.shape != (len(boxes),):
                raise DataError(
                    f"{self.path}: expected {len(boxes)} {name}, one per box, but their shape is "
                    f"{values.shape}."
                )
        for name, array in ({"boxes_xyxy_px": boxes} | columns).items():
            if array is not None:
                array.flags.writeable = False
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.boxes_xyxy_px)

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> AnnotatedImage:
        """Return the image with only the boxes that a mask or an index array chooses."""
        return AnnotatedImage(
            self.path,
            self.width,
            self.height,
            self.boxes_xyxy_px[chosen],
            self.labels[chosen],
            None if self.scores is None else self.scores[chosen],
            self.image_id,
            None if self.box_ids is None else self.box_ids[chosen],
        )


@dataclass(frozen=True, eq=False)
class Dataset:
    """Annotated images that share their classes.

    Attributes:
        classes: names in label order; WBC, RBC and Platelets come first, in this order, as far
            as the data set has them; then its other classes in its own order.
        images: in the order of the file that lists them, else by name.
        source: the file or folder that was read, for messages.
        category_ids: the numbers that a COCO file gave the classes, if any.
        notes: sentences about what was left out or changed while reading, with its number.

    Example:
        >>> from pathlib import Path
        >>> import numpy as np
        >>> from smearcount.datasets import AnnotatedImage, Dataset
        >>> boxes, labels = np.array([[0, 0, 50, 50]]), np.array([2])
        >>> image = AnnotatedImage(Path("a.png"), 640, 480, boxes, labels)
        >>> dataset = Dataset(("WBC", "RBC"), (image,), "made by hand")
        >>> len(dataset), [dataset.classes[label - 1] for label in dataset.images[0].labels]
        (1, ['RBC'])
    """

    classes: tuple[str, ...]
    images: tuple[AnnotatedImage, ...]
    source: str
    category_ids: tuple[int, ...] | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    def cells_per_class(self) -> dict[str, int]:
        """Return how many boxes each class has."""
        labels = np.concatenate([*(image.labels for image in self.images), np.zeros(0, np.int64)])
        counts = np.bincount(labels, minlength=len(self.classes) + 1)[1:]
        return dict(zip(self.classes, counts.tolist(), strict=True))


def order_classes(names: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct canonical names, the package's three first and in their order.

    Args:
        names: class names as the data set writes and orders them.
    """
    canonical = list(dict.fromkeys(canonical_name(name) for name in names))
    ours = [name for name in CLASS_NAMES if name in canonical]
    return (*ours, *(name for name in canonical if name not in CLASS_NAMES))


def labels_digest(images: Sequence[AnnotatedImage]) -> str:
    """Return a short SHA-256 of which images with which boxes and labels these are.

    A model card keeps that of its training images. File names and numbers are hashed, no pixels.

    Args:
        images: annotated, in their order.

    Returns:
        16 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for image in images:
        digest.update(f"{image.path.name} {image.width} {image.height}".encode())
        digest.update(np.asarray(image.boxes_xyxy_px, dtype=np.float32).tobytes())
        digest.update(np.asarray(image.labels, dtype=np.int64).tobytes())
    return digest.hexdigest()[:16]


def _column(
    values: NDArray[np.float64] | NDArray[np.int64] | None, dtype: type, n: int
) -> NDArray[np.float64] | NDArray[np.int64] | None:
    if values is None or not n:
        return None
    return np.array(values, dtype=dtype)
