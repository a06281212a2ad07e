"""The field of view: which part of an image shows the smear.

A photograph taken through an eyepiece shows a bright disc in a black surround; cameras and viewers
add bars, text and scale bars. None of that is smear: a detector takes black areas for nuclei. Here
the covered pixels are found, so that they can be filled with the color of the glass beside them
before anything is detected, and left out of areas and edge rules.

Two facts separate covered pixels from cells. Of 677 photographs of five microscopes, 635 had at
most 0.2 % of pixels darker than 0.3 of the bright background in their brightest channel, nuclei
included; the others that were looked at end in a black line at the border. And of 973 photographs
none had pure green pixels and hardly any had pure red or yellow ones. Bars are strips at a side of
the image whose pixels nearly all have one color and which end in a straight line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

from smearcount.image.image import FieldOfView, Pixels, Region, RegionReader, SmearImage
from smearcount.image.resample import resize_image

THUMBNAIL_PX: Final = 640
"""The longer side, in pixels, of the thumbnail on which the field of view is found."""

BLACK_SHARE: Final = 0.25
"""Pixels darker than this share of the bright background are not part of a cell."""

PENUMBRA_SHARE: Final = 0.6
"""Beside a black area, pixels darker than this share belong to its soft edge."""

PENUMBRA_WIDTH: Final = 0.04
"""The greatest width of a soft edge, as a share of the image's longer side."""

RED_INK: Final = (0.4, 0.4)
YELLOW_INK: Final = (0.5, 0.4)
GREEN_INK: Final = (0.6, 0.4)
"""An ink: the greatest share of its channel that the other channels may have, and the least share
of the background that its channel must have. Blue is no ink: some nuclei are as pure a blue."""

MIN_BACKGROUND: Final = 20
"""The least brightness of the background in [0, 255] at which anything can be told."""

MAX_BAR_SHARE: Final = 0.35
"""The greatest height of a bar, as a share of the side that it shortens."""

MIN_SEED_SHARE: Final = 2e-4
"""If less than this share of the image is black or in the color of an ink, it is dirt or noise."""

BORDER_LINE_SHARE: Final = 0.015
"""What covers only a line along the border, thinner than this share of the longer side, such as
turned photographs have, is no surround: such images are counted whole, as they always were."""

MIN_VISIBLE_SHARE: Final = 0.05
"""If less than this share of the image would remain, the image is taken as it is."""

_BAR_TOLERANCE: Final = 10
"""How far, in gray levels, the pixels of a bar may be from its color."""

_GLASS_BLOCK_PX: Final = 20
"""Side, in thumbnail pixels, of the blocks in which the color of the glass is measured."""

Mask = NDArray[np.bool_]


def find_field_of_view(image: SmearImage) -> FieldOfView | None:
    """Find the part of an image that shows the smear.

    Args:
        image: any image.

    Returns:
        None if the whole image shows smear, as most photographs from a microscope's camera do,
        and if next to nothing would remain.

    Raises:
        ImageError: the image cannot be read.
    """
    zoom = min(1.0, THUMBNAIL_PX / max(image.width, image.height))
    if image.half is not None:  # decoded already, or cheaper to decode
        zoom = min(zoom, 0.5)
    size = (max(1, round(image.width * zoom)), max(1, round(image.height * zoom)))
    thumbnail = resize_image(image, size)
    if not _is_suspicious(thumbnail):
        return None
    covered = covered_pixels(thumbnail)
    line = int(np.ceil(BORDER_LINE_SHARE * max(covered.shape)))
    visible = ~covered
    if not covered[line:-line, line:-line].any() or visible.mean() < MIN_VISIBLE_SHARE:
        return None
    rows = np.flatnonzero(visible.any(axis=1))
    columns = np.flatnonzero(visible.any(axis=0))
    zoom_x, zoom_y = image.width / size[0], image.height / size[1]
    bounds = (
        int(np.ceil(columns[0] * zoom_x)),
        int(np.ceil(rows[0] * zoom_y)),
        int((columns[-1] + 1) * zoom_x),
        int((rows[-1] + 1) * zoom_y),
    )
    return FieldOfView(image.width, image.height, bounds, covered)


def with_field_of_view(image: SmearImage, field: FieldOfView | None) -> SmearImage:
    """Return the image with its field of view and a note that says how much is left out."""
    if field is None:
        return image
    share = 1 - field.area_px / (field.width * field.height)
    note = f"{share:.1%} of the picture shows no smear (surround, bars or text) and is left out"
    return replace(image, field_of_view=field, notes=(*image.notes, note))


def crop_to_field_of_view(image: SmearImage) -> SmearImage:
    """Return the image cut to the bounds of its field of view, with covered pixels as glass.

    Args:
        image: the image, with its field of view.

    Returns:
        an image of the bounds' size, whose pixel (0, 0) is the upper left corner of the bounds; the
        image itself if all of it shows smear.
    """
    field = image.field_of_view
    if field is None:
        return image
    h, w = field.covered.shape
    glass = _glass_colors(resize_image(image, (w, h)), field.covered)
    return replace(image, read=_FilledReader(image.read, field, glass)).crop(field.bounds)


@dataclass(frozen=True, eq=False)
class _FilledReader:
    """Reads regions of an image with the covered pixels filled in the color of the glass."""

    read: RegionReader
    field: FieldOfView
    glass: NDArray[np.float32]

    def __call__(self, region: Region) -> Pixels:
        pixels = self.read(region)
        covered = _resized_window(self.field.covered.astype(np.uint8) * 255, self.field, region)
        if not covered.any():
            return pixels
        soft = Image.fromarray(covered).filter(ImageFilter.BoxBlur(1))
        cover = np.maximum(np.asarray(soft), covered).astype(np.float32)[..., None] / 255
        glass = np.stack(
            [_resized_window(self.glass[..., c], self.field, region) for c in range(3)], axis=-1
        )
        filled: Pixels = np.rint(pixels * (1 - cover) + glass * cover).astype(np.uint8)
        return filled


def _resized_window(
    values: NDArray[np.uint8] | NDArray[np.float32], field: FieldOfView, window: Region
) -> NDArray[Any]:
    """Return values that span the whole image, resized to its pixels, in one window."""
    h, w = values.shape
    zoom_x, zoom_y = w / field.width, h / field.height
    box = (window[0] * zoom_x, window[1] * zoom_y, window[2] * zoom_x, window[3] * zoom_y)
    size = (window[2] - window[0], window[3] - window[1])
    resized: NDArray[Any] = np.asarray(
        Image.fromarray(values).resize(size, Image.Resampling.BILINEAR, box=box)
    )
    return resized


def _is_suspicious(pixels: Pixels) -> bool:
    """Return whether anything in the image may be no smear: a quick test that most pass."""
    red, green, blue = Image.fromarray(pixels).split()
    red_or_green, red_or_blue = ImageChops.lighter(red, green), ImageChops.lighter(red, blue)
    green_or_blue = ImageChops.lighter(green, blue)
    histogram = np.array(ImageChops.lighter(red_or_green, blue).histogram())
    background = float(np.searchsorted(np.cumsum(histogram), 0.95 * histogram.sum()))
    few = MIN_SEED_SHARE * histogram.sum()
    if histogram[: int(BLACK_SHARE * background)].sum() >= few:
        return True
    yellow = ImageChops.darker(red, green)
    for ink, rival, (rival_share, level) in (
        (red, green_or_blue, RED_INK),
        (yellow, blue, YELLOW_INK),
        (green, red_or_blue, GREEN_INK),
    ):
        limit = [value * rival_share * (value > level * background) for value in range(256)]
        excess = ImageChops.subtract(ink.point(limit), rival)
        if excess.getextrema()[1] and np.count_nonzero(np.asarray(excess)) >= few:
            return True
    border = [pixels[:2], pixels[-2:], pixels[:, :2], pixels[:, -2:]]
    return any(_share_of_one_color(strip) > 0.6 for strip in border)


def _share_of_one_color(pixels: Pixels) -> float:
    """Return the share of pixels that are near their median color."""
    flat = pixels.reshape(-1, 3).astype(np.int16)
    near = np.abs(flat - np.median(flat, axis=0)).max(axis=1) < _BAR_TOLERANCE
    return float(near.mean())


def covered_pixels(pixels: Pixels) -> Mask:
    """Return which pixels of a thumbnail show no smear: surround, bars, text, scale bars.

    Args:
        pixels: RGB, shape (h, w, 3), uint8.

    Returns:
        shape (h, w).
    """
    values = pixels.astype(np.float32)
    red, green, blue = values[..., 0], values[..., 1], values[..., 2]
    brightest = values.max(axis=2)
    bars = _bars(values)
    if bars.all():
        return bars
    background = float(np.percentile(brightest[~bars], 95))
    if background < MIN_BACKGROUND:
        return np.ones_like(bars)
    yellow = np.minimum(red, green)
    is_ink = np.zeros_like(bars)
    for ink, rival, (rival_share, level) in (
        (red, np.maximum(green, blue), RED_INK),
        (yellow, blue, YELLOW_INK),
        (green, np.maximum(red, blue), GREEN_INK),
    ):
        is_ink |= (rival < rival_share * ink) & (ink > level * background)
    black = brightest < BLACK_SHARE * background
    seed = black | bars | is_ink
    if np.count_nonzero(seed) < MIN_SEED_SHARE * seed.size:
        return np.zeros_like(seed)
    wide = _dilate(_erode(seed, 4), 5) & seed
    reach = int(PENUMBRA_WIDTH * max(seed.shape))
    penumbra = _grow(wide, brightest < PENUMBRA_SHARE * background, reach)
    return _dilate(penumbra, 1) | _dilate(seed & ~wide, 2)


def _bars(values: NDArray[np.float32]) -> Mask:
    """Return the strips of one color at the four sides, with the text that stands in them."""
    bars = np.zeros(values.shape[:2], dtype=np.bool_)
    for quarter_turns in range(4):
        height = _bar_height(np.rot90(values, quarter_turns))
        np.rot90(bars, quarter_turns)[:height] = True
    return bars


def _bar_height(values: NDArray[np.float32]) -> int:
    """Return how many rows at the top belong to a bar; 0 if there is none."""
    color = np.median(values[:2].reshape(-1, 3), axis=0)
    same = np.abs(values - color).max(axis=2) < _BAR_TOLERANCE
    share = same.mean(axis=1)
    if share[:2].min() < 0.6:
        return 0
    limit = int(MAX_BAR_SHARE * len(values))
    gap = max(3, len(values) // 100)  # rows of text may hide more of the bar than they leave
    height = 0  # up to the last row that is of the bar's color from end to end
    blurred = 0
    for row in range(limit):
        if share[row] > 0.9:
            height = row + 1
        blurred = 0 if share[row] >= 0.45 else blurred + 1
        if blurred > gap:
            break
    if height < max(3, 0.015 * len(values)) or height + 3 > limit:
        return 0
    beyond = values[height + 1 : height + 3].mean(axis=0)
    ends_straight = np.mean(np.abs(beyond - color).max(axis=1) > 12) > 0.6
    spread = values[:height][same[:height]].std(axis=0).max()
    mostly_plain = np.mean(share[:height] > 0.9) >= 0.3
    return height if ends_straight and spread < 4 and mostly_plain else 0


def _grow(mask: Mask, allowed: Mask, steps: int) -> Mask:
    """Return the mask grown by at most so many pixels over the pixels allowed.

    A soft edge is dark all along, a nucleus beside a sharp edge only in one place: growth ends
    where less than half of the next ring of pixels is allowed.
    """
    for _ in range(steps):
        ring = _dilate(mask, 1) & ~mask
        dark = ring & allowed
        if 2 * np.count_nonzero(dark) < np.count_nonzero(ring) or not ring.any():
            break
        mask = mask | dark
    return mask


def _dilate(mask: Mask, radius: int) -> Mask:
    """Return the mask with every pixel within ``radius`` rows and columns of it."""
    for axis in (0, 1):
        grown = mask.copy()
        along = np.moveaxis(grown, axis, 0)
        before = np.moveaxis(mask, axis, 0)
        for shift in range(1, radius + 1):
            along[shift:] |= before[:-shift]
            along[:-shift] |= before[shift:]
        mask = grown
    return mask


def _erode(mask: Mask, radius: int) -> Mask:
    """Return the pixels of the mask that are farther than ``radius`` from its outside."""
    padded = np.pad(mask, radius, mode="edge")
    return ~_dilate(~padded, radius)[radius:-radius, radius:-radius]


def _glass_colors(pixels: Pixels, covered: Mask) -> NDArray[np.float32]:
    """Return the color of the glass in blocks; covered blocks take that of their neighbors."""
    h, w = covered.shape
    blocks = (max(2, w // _GLASS_BLOCK_PX), max(2, h // _GLASS_BLOCK_PX))
    brightest = pixels.max(axis=2)
    level = np.percentile(brightest[~covered], 80)
    is_glass = ~covered & (brightest > 0.75 * level)
    weight = _block_mean(is_glass.astype(np.float32), blocks)
    weight = np.where(weight > 0.1, weight, 0)
    channels = [pixels[..., c] * is_glass.astype(np.float32) for c in range(3)]
    sums = np.stack([_block_mean(channel, blocks) for channel in channels], axis=-1)
    values = np.concatenate([sums * (weight > 0)[..., None], weight[..., None]], axis=-1)
    total = np.zeros_like(values)
    for step in range(sum(blocks)):  # blocks ever farther away count ever less
        total += values * np.float32(0.3**step)
        if total[..., 3].min() > 0 and step > 6:
            break
        padded = np.pad(values, ((1, 1), (1, 1), (0, 0)), mode="edge")
        shifts = [padded[y : y + blocks[1], x : x + blocks[0]] for y in range(3) for x in range(3)]
        values = np.stack(shifts).mean(axis=0, dtype=np.float32)
    glass: NDArray[np.float32] = total[..., :3] / np.maximum(total[..., 3:], 1e-30)
    return glass


def _block_mean(values: NDArray[np.float32], blocks: tuple[int, int]) -> NDArray[np.float32]:
    resized = Image.fromarray(values).resize(blocks, Image.Resampling.BOX)
    mean: NDArray[np.float32] = np.asarray(resized)
    return mean
