"""A convolution over joined columns of pixels computes what the usual one computes."""

import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d, pad

from smearcount.training.export.space_to_depth import space_to_depth_weights


@pytest.mark.parametrize("columns", [2, 4])
def test_a_convolution_over_joined_columns_gives_those_of_the_usual_one(columns: int) -> None:
    random = torch.Generator().manual_seed(columns)
    pixels = torch.randint(-9, 10, (1, 3, 12, 16), generator=random).float()
    weights = torch.randint(-9, 10, (5, 3, 3, 3), generator=random).float()
    usual = conv2d(pixels, weights, stride=2, padding=1)
    joined = space_to_depth_weights(weights.numpy().astype(np.int8), columns)
    deep_pixels = pixels.permute(0, 2, 3, 1).reshape(1, 12, -1, 3 * columns).permute(0, 3, 1, 2)
    deep = conv2d(pad(deep_pixels, (1, 0, 1, 0)), torch.from_numpy(joined).float(), stride=(2, 1))
    spread_out = deep.permute(0, 2, 3, 1).reshape(1, 6, 8, 5).permute(0, 3, 1, 2)
    assert torch.equal(spread_out, usual)
