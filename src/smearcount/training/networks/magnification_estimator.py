"""A tiny network that estimates how wide a red cell is in an image of any magnification.

It detects no cells. From the texture of the whole field it regresses the diameter of a red cell and
the error to expect of that, in about a millisecond.

Sources: regression with a learned Laplace scale (Kendall and Gal 2017), attention pooling
(Ilse et al. 2018).
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from smearcount.detector.magnification import MAX_RBC_PX, MIN_RBC_PX
from smearcount.image.resample import PADDING_GRAY
from smearcount.training.networks.smearnet import PIXEL_SCALE, Bottleneck, ConvNormAct


class MagnificationEstimator(nn.Module):
    """Maps views to (log2 of the red cell's diameter in view pixels, expected error in octaves)."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(
            ConvNormAct(3, 16, stride=2),
            ConvNormAct(16, 32, stride=2),
            Bottleneck(32),
            ConvNormAct(32, 64, stride=2),
            Bottleneck(64),
            ConvNormAct(64, 96, stride=2),
            Bottleneck(96),
            Bottleneck(96),
            Bottleneck(96),
        )
        self.attention = nn.Conv2d(96, 1, 1)
        self.head = nn.Sequential(nn.Linear(96, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, views: Tensor) -> tuple[Tensor, Tensor]:
        """Estimate the size of a red cell.

        Args:
            views: (N, 3, H, W) RGB, uint8 or float in 0..255, H and W multiples of 16.

        Returns:
            log2 of the diameter in view pixels (N,), and its expected error in octaves (N,).
        """
        features = self.backbone((views.float() - PADDING_GRAY) / PIXEL_SCALE).flatten(2)
        weight = self.attention(features.unflatten(2, (-1, 1))).flatten(2).softmax(dim=2)
        log2_offset, log_error = self.head((features * weight).sum(dim=2)).unbind(dim=1)
        log2_middle = (math.log2(MIN_RBC_PX) + math.log2(MAX_RBC_PX)) / 2
        return log2_offset + log2_middle, log_error.clamp(-4, 2).exp()
