"""The images with the most errors: ground truth and detections side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.Image import Image as PILImage

from smearcount.classes import class_color
from smearcount.evaluation.evaluation import EvaluatedImage, Evaluation
from smearcount.evaluation.matching import LabeledBoxes, Match, match_detections
from smearcount.image.draw import draw_box, scaled_box
from smearcount.image.read import open_image

LONGER_SIDE_PX: Final = 420
"""The longer side of each of the two pictures."""

_GAP_PX: Final = 8
_CORRECT_LINE_PX: Final = 1
_ERROR_LINE_PX: Final = 4


@dataclass(frozen=True, eq=False)
class WorstImage:
    """One image with many errors.

    Attributes:
        image: the image, its ground truth and its detections.
        missed: how many cells were not found.
        extra: how many detections have no cell of their class.
        picture: left the ground truth, missed cells in thick lines; right the counted detections,
            extra ones in thick lines.
    """

    image: EvaluatedImage
    missed: int
    extra: int
    picture: PILImage


def worst_images(evaluation: Evaluation, at_most: int = 8) -> list[WorstImage]:
    """Return the images with the most errors at the model's thresholds, worst first.

    Args:
        evaluation: of a detector; its images are read again.
        at_most: how many; images without an error are left out.
    """
    thresholds = evaluation.at_model_thresholds.thresholds
    colors = [class_color(name, k) for k, name in enumerate(evaluation.classes, start=1)]
    matches = [
        match_detections(image.truth, image.detections.above(thresholds), len(colors))
        for image in evaluation.images
    ]
    errors = np.array([len(match.missed) + len(match.extra) for match in matches])
    order = np.argsort(-errors, kind="stable")[:at_most]
    return [
        _worst_image(evaluation.images[k], matches[k], thresholds, colors)
        for k in order.tolist()
        if errors[k]
    ]


def _worst_image(
    image: EvaluatedImage, match: Match, thresholds: tuple[float, ...], colors: Sequence[str]
) -> WorstImage:
    photograph = Image.fromarray(open_image(image.path).pixels())
    scale = LONGER_SIDE_PX / max(photograph.size)
    size = (max(1, round(photograph.width * scale)), max(1, round(photograph.height * scale)))
    small = photograph.resize(size, Image.Resampling.LANCZOS)
    detections = image.detections.above(thresholds)
    left = _with_boxes(small, image.truth, match.missed, scale, colors)
    right = _with_boxes(small, detections, match.extra, scale, colors)
    picture = Image.new("RGB", (2 * small.width + _GAP_PX, small.height), "white")
    picture.paste(left, (0, 0))
    picture.paste(right, (small.width + _GAP_PX, 0))
    return WorstImage(image, len(match.missed), len(match.extra), picture)


def _with_boxes(
    photograph: PILImage,
    cells: LabeledBoxes,
    errors: Sequence[int] | NDArray[np.int64],
    scale: float,
    colors: Sequence[str],
) -> PILImage:
    """Return the photograph with the boxes of all cells, those of errors in thick lines."""
    picture = photograph.copy()
    is_error = np.isin(np.arange(len(cells.labels)), errors)
    for k in np.argsort(is_error, kind="stable").tolist():  # errors last, over what is correct
        draw_box(
            picture,
            scaled_box(cells.boxes_xyxy_px[k], scale),
            colors[int(cells.labels[k]) - 1],
            _ERROR_LINE_PX if is_error[k] else _CORRECT_LINE_PX,
        )
    return picture
