"""The picture to check a count on: every box, coloured by class, and a legend below."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.Image import Image as PILImage
from PIL.ImageFont import FreeTypeFont

from smearcount.classes import class_color
from smearcount.detections.boxes import diameter
from smearcount.image.image import SmearImage
from smearcount.image.resample import resample
from smearcount.results.result import CountResult

MAX_PIXELS: Final = 24_000_000
"""A larger image is drawn smaller, so that its picture opens anywhere and memory stays bounded."""

MAX_SIDE: Final = 16_000
"""A longer side is drawn shorter: many viewers, and JPEG itself, stop somewhere above it."""

EXCLUDED_COLOR: Final = "#6b6b6b"
_PAPER: Final = "#ffffff"
_INK: Final = "#222222"
_STRIP_ROWS: Final = 256

Corners = tuple[float, float, float, float]


def draw(result: CountResult) -> PILImage:
    """Return the picture with coloured, labelled boxes and a legend with the counts.

    Lines and letters grow with the cells. Cells that the edge rule leaves out have dashed grey
    boxes. The legend stands below the picture and hides no cell.

    Args:
        result: what was counted; its image is read again.

    Returns:
        an RGB picture of the image's size, or smaller where the image exceeds ``MAX_PIXELS`` or
        ``MAX_SIDE``, with the legend added below.
    """
    image = result.image
    longest = max(image.width, image.height)
    scale = min(1.0, math.sqrt(MAX_PIXELS / (image.width * image.height)), MAX_SIDE / longest)
    picture = _photograph(image, scale)
    pen = ImageDraw.Draw(picture)
    cell = _cell_px(result) * scale
    line = max(1, round(cell / 36))
    letters = _letter_px(cell * 0.14, 9, 40)
    # The best are drawn last, over the doubtful ones.
    for index in reversed(range(len(result.detections))):
        x0, y0, x1, y1 = (float(v) * scale for v in result.detections.boxes_xyxy_px[index])
        label = int(result.detections.labels[index])
        text = f"{result.card.classes[label - 1]} {result.detections.scores[index]:.2f}"
        corners = (x0, y0, max(x0, x1 - 1), max(y0, y1 - 1))
        if result.counted[index]:
            colour = class_color(label)
            pen.rectangle(corners, outline=colour, width=line)
        else:
            colour = EXCLUDED_COLOR
            _dashed(pen, corners, colour, line)
        _put(_tag(text, colour, letters), picture, corners)
    return _with_legend(picture, result)


def _photograph(image: SmearImage, scale: float) -> PILImage:
    if scale == 1:
        return Image.fromarray(image.pixels())
    width, height = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    picture = Image.new("RGB", (width, height))
    down = image.height / height
    for top in range(0, height, _STRIP_ROWS):
        bottom = min(top + _STRIP_ROWS, height)
        first, last = math.floor(top * down), min(math.ceil(bottom * down), image.height)
        strip = image.read((0, first, image.width, last))
        box = (0.0, top * down - first, image.width, min(bottom * down, image.height) - first)
        picture.paste(Image.fromarray(resample(strip, box, (width, bottom - top))), (0, top))
    return picture


def _cell_px(result: CountResult) -> float:
    """Return how large a cell is, in image pixels: the red ones, or those found, or a guess."""
    if result.scale.rbc_diameter_px is not None:
        return result.scale.rbc_diameter_px
    if len(result.detections):
        return float(np.median(diameter(result.detections.boxes_xyxy_px)))
    return min(result.image.width, result.image.height) / 8


def _dashed(pen: ImageDraw.ImageDraw, corners: Corners, colour: str, line: int) -> None:
    x0, y0, x1, y1 = corners
    dash = 4.0 * line
    for start in np.arange(x0, x1, 2 * dash):
        end = min(start + dash, x1)
        pen.line((start, y0, end, y0), fill=colour, width=line)
        pen.line((start, y1, end, y1), fill=colour, width=line)
    for start in np.arange(y0, y1, 2 * dash):
        end = min(start + dash, y1)
        pen.line((x0, start, x0, end), fill=colour, width=line)
        pen.line((x1, start, x1, end), fill=colour, width=line)


@lru_cache(maxsize=1024)
def _tag(text: str, colour: str, letters: int) -> PILImage:
    """Return a label, white on its class's colour; a batch needs the same few hundred again."""
    font = _font(letters)
    _, _, width, height = font.getbbox(text)
    tag = Image.new("RGB", (math.ceil(width) + 2, math.ceil(height) + 2), colour)
    ImageDraw.Draw(tag).text((1, 0), text, fill=_PAPER, font=font)
    return tag


def _put(tag: PILImage, picture: PILImage, corners: Corners) -> None:
    """Put a label on the upper edge of its box, moved inside where it would leave the picture."""
    x = max(0.0, min(corners[0], picture.width - tag.width))
    above = corners[1] - tag.height + 1
    y = above if above > 0 else corners[1]
    picture.paste(tag, (round(x), round(y)))


def _with_legend(picture: PILImage, result: CountResult) -> PILImage:
    """Return the picture on a larger sheet, with the counts below it."""
    font = _font(_letter_px(picture.width / 36, 12, 48))
    step = round(font.size * 1.5)
    items = [
        (class_color(label), f"{name} {result.count_with_interval(name)}")
        for label, name in enumerate(result.counts, start=1)
    ]
    excluded = sum(result.excluded.values())
    if excluded:
        items.append((EXCLUDED_COLOR, f"not counted ({result.settings.edge}) {excluded}"))
    widths = [round(step * 1.7 + font.getlength(text)) for _, text in items]
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
    for (colour, text), (left, place) in zip(items, places, strict=True):
        top = picture.height + step // 4 + place * step
        side = step // 2
        swatch = (
            left + side // 2,
            top + step // 4,
            left + side // 2 + side,
            top + step // 4 + side,
        )
        pen.rectangle(swatch, fill=colour)
        middle = (swatch[2] + side // 2, top + step // 2)
        pen.text(middle, text, fill=_INK, font=font, anchor="lm")
    return sheet


def _letter_px(size: float, least: int, most: int) -> int:
    return round(min(max(size, least), most))


def _font(letters: int) -> FreeTypeFont:
    font = ImageFont.load_default(letters)
    if not isinstance(font, FreeTypeFont):
        raise RuntimeError("this Pillow was built without FreeType")
    return font
