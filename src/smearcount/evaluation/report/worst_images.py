"""The images with the most errors, truth and prediction side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from PIL.Image import Image as PILImage

from smearcount.classes import class_color
from smearcount.detections.boxes import Boxes
from smearcount.evaluation.evaluation import EvaluatedImage, Evaluation
from smearcount.evaluation.matching import Match, match_detections
from smearcount.image.read import open_image

SIDE_PX: Final = 420
"""The longer side of each of the two pictures."""

_GAP_PX: Final = 8
_RIGHT_PX: Final = 1
_WRONG_PX: Final = 4
_PAPER: Final = "#ffffff"


@dataclass(frozen=True, eq=False)
class WorstImage:
    """One image with many errors.

    Attributes:
        field: the image, its truth and its detections.
        missed: how many cells were not found.
        extra: how many detections have no cell of their class.
        picture: truth on the left, where missed cells have thick boxes; what was counted on the
            right, where extra detections have thick boxes.
    """

    field: EvaluatedImage
    missed: int
    extra: int
    picture: PILImage


def worst_images(evaluation: Evaluation, at_most: int = 8) -> list[WorstImage]:
    """Return the images with the most errors at the model's thresholds, worst first.

    Args:
        evaluation: what was measured; the images are read again.
        at_most: how many; images without an error never appear.
    """
    thresholds = evaluation.at_model_thresholds.thresholds
    n_classes = len(evaluation.classes)
    matches = [
        match_detections(f.truth, f.detections.above(thresholds), n_classes)
        for f in evaluation.images
    ]
    errors = np.array([len(each.missed) + len(each.extra) for each in matches])
    order = np.argsort(-errors, kind="stable")[:at_most]
    return [
        _worst(evaluation.images[k], matches[k], thresholds) for k in order.tolist() if errors[k]
    ]


def _worst(field: EvaluatedImage, matched: Match, thresholds: tuple[float, ...]) -> WorstImage:
    photograph = Image.fromarray(open_image(field.path).pixels())
    scale = SIDE_PX / max(photograph.size)
    size = (max(1, round(photograph.width * scale)), max(1, round(photograph.height * scale)))
    small = photograph.resize(size, Image.Resampling.LANCZOS)
    found = field.detections.above(thresholds)
    left = _drawn(small, field.truth.boxes_xyxy_px, field.truth.labels, matched.missed, scale)
    right = _drawn(small, found.boxes_xyxy_px, found.labels, matched.extra, scale)
    picture = Image.new("RGB", (2 * small.width + _GAP_PX, small.height), _PAPER)
    picture.paste(left, (0, 0))
    picture.paste(right, (small.width + _GAP_PX, 0))
    return WorstImage(field, len(matched.missed), len(matched.extra), picture)


def _drawn(
    photograph: PILImage,
    boxes_xyxy_px: Boxes,
    labels: NDArray[np.int64],
    wrong: Sequence[int] | NDArray[np.int64],
    scale: float,
) -> PILImage:
    picture = photograph.copy()
    pen = ImageDraw.Draw(picture)
    thick = set(np.asarray(wrong).tolist())
    # Errors are drawn last, over what is right.
    for k in sorted(range(len(labels)), key=lambda k: k in thick):
        x0, y0, x1, y1 = (float(side) * scale for side in boxes_xyxy_px[k])
        pen.rectangle(
            (x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)),
            outline=class_color(int(labels[k])),
            width=_WRONG_PX if k in thick else _RIGHT_PX,
        )
    return picture
