"""Augmentation: random changes to training images that keep the boxes on their cells.

Geometric: scale jitter, crops, mosaics of four, flips and quarter turns. Photometric: stain and
color (in optical density, where dyes add up), lightness, blur, noise, JPEG artifacts. Everything
draws from torch's random state, so a seed repeats it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field
from torch import Tensor
from torchvision.transforms.v2 import functional as F
from torchvision.tv_tensors import BoundingBoxFormat

from smearcount.image.resample import PADDING_GRAY
from smearcount.synthetic.optics import compress

MIN_BOX_SIDE_PX = 3
"""A cell of which less is left in a crop, in either direction, is dropped."""


@dataclass(frozen=True)
class Sample:
    """One image with its cells.

    Attributes:
        image: (3, H, W) uint8 RGB.
        boxes: (n, 4) float32 xyxy px.
        labels: (n,) int64, 1-based.
        zoom: the factor that brings the image to the magnification that the network wants.
    """

    image: Tensor
    boxes: Tensor
    labels: Tensor
    zoom: float = 1.0


def uniform(low: float, high: float) -> float:
    """Draw from [low, high) with torch's random state."""
    return low + (high - low) * float(torch.rand(()))


def random_zoom(jitter: float) -> tuple[float, float]:
    """Draw a zoom in x and y: log-normal around 1, up to ``jitter`` octaves, nearly square."""
    octaves = max(-1.0, min(1.0, float(torch.randn(())) / 2)) * jitter
    stretch = uniform(-0.08, 0.08)
    return 2 ** (octaves + stretch / 2), 2 ** (octaves - stretch / 2)


def crop(
    sample: Sample, zoom_xy: tuple[float, float], size: tuple[int, int], min_visible: float = 0.1
) -> Sample:
    """Cut a random window, zoomed to ``size`` (height, width); gray where the picture ends.

    A cell stays if at least ``min_visible`` of its box and 3 px in both directions remain.
    """
    zoom_x, zoom_y = sample.zoom * zoom_xy[0], sample.zoom * zoom_xy[1]
    height, width = sample.image.shape[1:]
    window_h, window_w = max(2, round(size[0] / zoom_y)), max(2, round(size[1] / zoom_x))
    top = math.floor(uniform(min(0, height - window_h), max(0, height - window_h) + 1))
    left = math.floor(uniform(min(0, width - window_w), max(0, width - window_w) + 1))
    y0, x0, y1, x1 = (
        max(0, top), max(0, left), min(height, top + window_h), min(width, left + window_w)
    )  # fmt: skip
    window = sample.image[:, y0:y1, x0:x1]
    out_y0, out_x0 = round((y0 - top) * size[0] / window_h), round((x0 - left) * size[1] / window_w)
    out_y1, out_x1 = round((y1 - top) * size[0] / window_h), round((x1 - left) * size[1] / window_w)
    canvas = torch.full((3, *size), PADDING_GRAY, dtype=torch.uint8)
    if out_y1 > out_y0 and out_x1 > out_x0:
        canvas[:, out_y0:out_y1, out_x0:out_x1] = F.resize(
            window, [out_y1 - out_y0, out_x1 - out_x0], antialias=True
        )
    shift = torch.tensor([left, top, left, top], dtype=torch.float32)
    zoomed = torch.tensor([size[1] / window_w, size[0] / window_h] * 2)
    boxes = (sample.boxes - shift) * zoomed
    limit = torch.tensor([size[1], size[0]] * 2, dtype=torch.float32)
    clipped = boxes.clamp(min=torch.zeros(4), max=limit)
    sides = clipped[:, 2:] - clipped[:, :2]
    visible = sides.prod(dim=1) / (boxes[:, 2:] - boxes[:, :2]).prod(dim=1).clamp(min=1e-6)
    keep = (visible >= min_visible) & (sides.amin(dim=1) >= MIN_BOX_SIDE_PX)
    return Sample(canvas, clipped[keep], sample.labels[keep])


def mosaic(samples: list[Sample], zoom_xy: tuple[float, float], size: int) -> Sample:
    """Join random windows of four samples at a random cross into one ``size`` × ``size`` image."""
    cross_x, cross_y = round(uniform(0.3, 0.7) * size), round(uniform(0.3, 0.7) * size)
    canvas = torch.empty((3, size, size), dtype=torch.uint8)
    boxes, labels = [], []
    for index, sample in enumerate(samples):
        y0, y1 = (0, cross_y) if index < 2 else (cross_y, size)
        x0, x1 = (0, cross_x) if index % 2 == 0 else (cross_x, size)
        part = crop(sample, zoom_xy, (y1 - y0, x1 - x0))
        canvas[:, y0:y1, x0:x1] = part.image
        boxes.append(part.boxes + torch.tensor([x0, y0, x0, y0], dtype=torch.float32))
        labels.append(part.labels)
    return Sample(canvas, torch.cat(boxes), torch.cat(labels))


def flip_and_turn(sample: Sample) -> Sample:
    """Apply one of the eight flips and quarter turns of a square image."""
    image, boxes = sample.image, sample.boxes
    canvas = (image.shape[1], image.shape[2])
    if torch.rand(()) < 0.5:
        image = F.horizontal_flip(image)
        boxes = F.horizontal_flip_bounding_boxes(boxes, BoundingBoxFormat.XYXY, canvas)
    if torch.rand(()) < 0.5:
        image = F.vertical_flip(image)
        boxes = F.vertical_flip_bounding_boxes(boxes, BoundingBoxFormat.XYXY, canvas)
    if torch.rand(()) < 0.5:
        image, boxes = image.transpose(1, 2), boxes[:, [1, 0, 3, 2]]
    return Sample(image.contiguous(), boxes, sample.labels)


def jitter_stain(image: Tensor, strength: float) -> Tensor:
    """Change stain, color balance and lightness of a (3, H, W) uint8 image.

    In optical density the dyes add up (Beer-Lambert), so a random near-identity matrix mixes and
    scales them as another stain would; a random gain and tint stand for lamp and camera.
    """
    density = -torch.log((image.flatten(1).float() + 4) / 259)
    mix = torch.eye(3) + strength * 0.22 * torch.randn(3, 3)
    gain = 2 ** (strength * 0.35 * float(torch.randn(())))
    tint = strength * (0.08 * torch.randn(3, 1).abs() + 0.12 * torch.rand(()))
    gamma = 2 ** (strength * 0.2 * float(torch.randn(())))
    mixed = (gain * (mix @ density)).clamp(min=0).pow(gamma) + tint
    return (torch.exp(-mixed) * 259 - 4).clamp(0, 255).to(torch.uint8).view_as(image)


def jitter_photometry(image: Tensor, strength: float) -> Tensor:
    """Apply stain, hue, focus, noise and compression changes to a (3, H, W) uint8 image.

    Args:
        image: is not changed.
        strength: 0 changes nothing; 1 as tuned for a first round of training.
    """
    if torch.rand(()) < 0.9:
        image = jitter_stain(image, strength)
    if torch.rand(()) < 0.15 * strength:
        image = F.adjust_hue(image, uniform(-0.5, 0.5))
    if torch.rand(()) < 0.05 * strength:
        image = F.rgb_to_grayscale(image, num_output_channels=3)
    if torch.rand(()) < 0.25 * strength:
        image = F.gaussian_blur(image, [7, 7], [uniform(0.3, 1.6)] * 2)
    if torch.rand(()) < 0.15 * strength:
        image = F.gaussian_noise(image, sigma=uniform(2, 12) / 255)
    if torch.rand(()) < 0.25 * strength:
        # Not by torchvision, whose JPEG functions are deprecated since 0.29.
        pixels = compress(image.permute(1, 2, 0).contiguous().numpy(), int(uniform(25, 90)))
        image = torch.from_numpy(np.array(pixels)).permute(2, 0, 1).contiguous()
    return image


def _ordered(strengths: tuple[float, float]) -> tuple[float, float]:
    if strengths[0] > strengths[1]:
        raise ValueError("the least strength comes first, then the greatest")
    return strengths


Share = Annotated[float, Field(ge=0, le=1)]
Strength = Annotated[float, Field(ge=0, le=5)]


class Augmentation(BaseModel):
    """How training images are changed at random.

    Attributes:
        crop_px: side of the square window, in network pixels.
        scale_octaves: the zoom varies by up to 2 to this power.
        mosaic: the share of samples joined from four images.
        photometric_strength: the least and the greatest strength of the changes of stain, color,
            focus and noise; each sample draws its own. 0 is none, 1 as tuned for a first round of
            training. Recipes written before named it ``looks``.

    Example:
        >>> from smearcount.training import Augmentation
        >>> Augmentation(mosaic=0).photometric_strength
        (1.0, 1.0)
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    crop_px: Annotated[int, Field(ge=32)] = 224
    scale_octaves: Annotated[float, Field(ge=0, le=3)] = 0.5
    mosaic: Share = 0.5
    photometric_strength: Annotated[tuple[Strength, Strength], AfterValidator(_ordered)] = Field(
        default=(1.0, 1.0), validation_alias=AliasChoices("photometric_strength", "looks")
    )

    def __call__(self, samples: list[Sample]) -> Sample:
        """Return one sample made of the first, or of all four of ``samples``."""
        zoom_xy = random_zoom(self.scale_octaves)
        if len(samples) == 4:
            window = mosaic(samples, zoom_xy, self.crop_px)
        else:
            window = crop(samples[0], zoom_xy, (self.crop_px, self.crop_px))
        turned = flip_and_turn(window)
        image = jitter_photometry(turned.image, uniform(*self.photometric_strength))
        return Sample(image, turned.boxes, turned.labels)
