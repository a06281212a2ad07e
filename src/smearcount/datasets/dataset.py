"""What every annotation format becomes: images with boxes around their cells."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class AnnotatedImage:
    """One image and the cells that somebody, or a model, marked on it.

    The arrays are private read-only copies. Coordinates are float64, so that what a file says is
    kept to its last digit; make them float32 before they meet detections.

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
        ValueError: the shapes do not fit together.
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
                raise ValueError(f"expected {len(boxes)} {name}, got shape {values.shape}")
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
        source: what was read, for messages.
        category_ids: the numbers that a COCO file gave the classes, if any.
    """

    classes: tuple[str, ...]
    images: tuple[AnnotatedImage, ...]
    source: str
    category_ids: tuple[int, ...] | None = None

    def __len__(self) -> int:
        return len(self.images)


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
