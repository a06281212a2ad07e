"""Drawing: the image with a colored box around each cell, and a legend below it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont
from PIL.Image import Image as PILImage
from PIL.ImageFont import FreeTypeFont

from smearcount.classes import class_color
from smearcount.detections.boxes import diameter
from smearcount.detections.detections import Detections
from smearcount.errors import UsageError
from smearcount.image.image import FieldOfView, SmearImage
from smearcount.image.read import reopened
from smearcount.image.resample import resample

MAX_PIXELS: Final = 24_000_000
"""A larger image is drawn smaller, so that it opens in any viewer and memory stays bounded."""

MAX_SIDE: Final = 16_000
"""A longer side is drawn shorter: many viewers, and JPEG itself, have a limit above it."""

EXCLUDED_COLOR: Final = "#6b6b6b"
"""The color of cells that were found but are not counted."""

MIN_TAGGED_CELL_PX: Final = 48
"""Where cells are smaller than this in the picture, class and score would hide them: boxes have
their colors alone."""

_PAPER: Final = "#ffffff"
_INK: Final = "#222222"
_STRIP_ROWS: Final = 256

LegendEntry = tuple[str, str]
"""A ``#rrggbb`` color and the text beside it."""

Box = tuple[float, float, float, float]


def draw_detections(
    image: SmearImage,
    detections: Detections,
    class_names: Sequence[str],
    *,
    counted: NDArray[np.bool_] | None = None,
    rbc_px: float | None = None,
    legend: Sequence[LegendEntry] = (),
) -> PILImage:
    """Draw the detections of an image, each with its class and score, and a legend below.

    Lines and letters grow with the cells; small cells have no class and score beside their box,
    which would hide them. Cells that are not counted have dashed gray boxes, and the edge of the
    field of view is gray. The legend stands below the image and hides no cell.

    Args:
        image: the image; a file that is no longer held in memory is opened once.
        detections: boxes in pixels of the image.
        class_names: in label order.
        counted: shape (n,): which detections count; None for all.
        rbc_px: the diameter of a red cell in image pixels, which sets the width of lines and the
            size of letters; None takes that of the detections.
        legend: colors and texts, in order.

    Returns:
        an RGB picture of the image's size, or smaller if the image exceeds ``MAX_PIXELS`` or
        ``MAX_SIDE``, with the legend added below.

    Raises:
        ImageError: the image cannot be read.
    """
    longest = max(image.width, image.height)
    scale = min(1.0, math.sqrt(MAX_PIXELS / (image.width * image.height)), MAX_SIDE / longest)
    picture = _scaled_image(reopened(image), scale)
    cell_px = (rbc_px or _typical_cell_px(image, detections)) * scale
    line_px = max(1, round(cell_px / 36))
    letter_px = _clamp(cell_px * 0.14, 9, 40)
    if image.field_of_view is not None:
        _outline_field_of_view(picture, image.field_of_view, line_px)
    # From the lowest score to the highest, so that the surest boxes lie on top.
    for index in reversed(range(len(detections))):
        box = scaled_box(detections.boxes_xyxy_px[index], scale)
        label = int(detections.labels[index])
        excluded = counted is not None and not counted[index]
        name = class_names[label - 1]
        color = EXCLUDED_COLOR if excluded else class_color(name, label)
        draw_box(picture, box, color, line_px, dashed=excluded)
        if cell_px >= MIN_TAGGED_CELL_PX:
            text = f"{name} {detections.scores[index]:.2f}"
            _paste_tag(_tag(text, color, letter_px), picture, box)
    return _with_legend(picture, legend) if legend else picture


def scaled_box(box_xyxy_px: NDArray[np.float32], scale: float) -> Box:
    """Return the corners of a box in a picture drawn at ``scale``: its first and last pixels.

    Args:
        box_xyxy_px: shape (4,), in image pixels, half open.
        scale: pixels of the picture per image pixel.
    """
    x0, y0, x1, y1 = (float(side) * scale for side in box_xyxy_px)
    return x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)


def draw_box(
    picture: PILImage, box: Box, color: str, line_px: int, *, dashed: bool = False
) -> None:
    """Draw the outline of one box on a picture.

    Args:
        picture: RGB; it is changed.
        box: x0, y0, x1, y1: the first and the last pixels; see :func:`scaled_box`.
        color: ``#rrggbb``.
        line_px: the width of the line.
        dashed: whether the line is dashed.
    """
    pen = ImageDraw.Draw(picture)
    if not dashed:
        pen.rectangle(box, outline=color, width=line_px)
        return
    x0, y0, x1, y1 = box
    dash = 4.0 * line_px
    for start in np.arange(x0, x1, 2 * dash):
        end = min(start + dash, x1)
        pen.line((start, y0, end, y0), fill=color, width=line_px)
        pen.line((start, y1, end, y1), fill=color, width=line_px)
    for start in np.arange(y0, y1, 2 * dash):
        end = min(start + dash, y1)
        pen.line((x0, start, x0, end), fill=color, width=line_px)
        pen.line((x1, start, x1, end), fill=color, width=line_px)


def _outline_field_of_view(picture: PILImage, field: FieldOfView, line_px: int) -> None:
    """Draw the edge of the field of view as a gray line around all that is left out."""
    mask = Image.fromarray(field.covered.astype(np.uint8) * 255)
    covered = mask.resize(picture.size, Image.Resampling.NEAREST)
    inner = covered.filter(ImageFilter.MinFilter(2 * line_px + 1))
    picture.paste(EXCLUDED_COLOR, mask=ImageChops.subtract(covered, inner))


def _scaled_image(image: SmearImage, scale: float) -> PILImage:
    """Return the image at ``scale``, read strip by strip unless that is its own size."""
    if scale == 1:
        return Image.fromarray(image.pixels())
    width, height = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    picture = Image.new("RGB", (width, height))
    zoom = image.height / height
    for top in range(0, height, _STRIP_ROWS):
        bottom = min(top + _STRIP_ROWS, height)
        first, last = math.floor(top * zoom), min(math.ceil(bottom * zoom), image.height)
        strip = image.read((0, first, image.width, last))
        box = (0.0, top * zoom - first, image.width, min(bottom * zoom, image.height) - first)
        picture.paste(Image.fromarray(resample(strip, box, (width, bottom - top))), (0, top))
    return picture


def _typical_cell_px(image: SmearImage, detections: Detections) -> float:
    """Return the median diameter of the detections, or a guess if there are none."""
    if len(detections):
        return float(np.median(diameter(detections.boxes_xyxy_px)))
    return min(image.width, image.height) / 8


@lru_cache(maxsize=1024)
def _tag(text: str, color: str, letter_px: int) -> PILImage:
    """Return a label, white on its class's color; a batch needs the same few hundred again."""
    font = _font(letter_px)
    _, _, width, height = font.getbbox(text)
    tag = Image.new("RGB", (math.ceil(width) + 2, math.ceil(height) + 2), color)
    ImageDraw.Draw(tag).text((1, 0), text, fill=_PAPER, font=font)
    return tag


def _paste_tag(tag: PILImage, picture: PILImage, box: Box) -> None:
    """Paste a label above its box, or inside it where it would leave the picture."""
    x = max(0.0, min(box[0], picture.width - tag.width))
    above = box[1] - tag.height + 1
    y = above if above > 0 else box[1]
    picture.paste(tag, (round(x), round(y)))


def _with_legend(picture: PILImage, legend: Sequence[LegendEntry]) -> PILImage:
    """Return the picture on a larger sheet, with the legend below it."""
    font = _font(_clamp(picture.width / 36, 12, 48))
    step = round(font.size * 1.5)
    widths = [round(step * 1.7 + font.getlength(text)) for _, text in legend]
    sheet_width = max(picture.width, *widths)
    places, x, row = [], 0, 0
    for width in widths:
        if x and x + width > sheet_width:
            x, row = 0, row + 1
        places.append((x, row))
        x += width
    sheet_height = picture.height + step * (row + 1) + step // 2
    sheet = Image.new("RGB", (sheet_width, sheet_height), _PAPER)
    sheet.paste(picture, (0, 0))
    pen = ImageDraw.Draw(sheet)
    for (color, text), (left, row) in zip(legend, places, strict=True):
        top = picture.height + step // 4 + row * step
        side = step // 2
        swatch = (
            left + side // 2,
            top + step // 4,
            left + side // 2 + side,
            top + step // 4 + side,
        )
        pen.rectangle(swatch, fill=color)
        pen.text((swatch[2] + side // 2, top + step // 2), text, fill=_INK, font=font, anchor="lm")
    return sheet


def _clamp(size: float, least: int, most: int) -> int:
    return round(min(max(size, least), most))


def _font(letter_px: int) -> FreeTypeFont:
    font = ImageFont.load_default(letter_px)
    if not isinstance(font, FreeTypeFont):
        raise UsageError(
            "Drawing needs a Pillow with FreeType; install it with: pip install pillow."
        )
    return font
