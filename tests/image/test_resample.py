"""Windows of a resized image fit together to the whole resized image."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smearcount.image import resample as resample_module
from smearcount.image.image import Region, SmearImage
from smearcount.image.read import open_image
from smearcount.image.resample import resample, resample_fast, resize_image


def picture(width: int, height: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@settings(deadline=None, max_examples=60)
@given(
    source=st.tuples(st.integers(16, 150), st.integers(16, 150)),
    size=st.tuples(st.integers(8, 200), st.integers(8, 200)),
    shares=st.tuples(*[st.floats(0, 1)] * 4),
    seed=st.integers(0, 99),
)
def test_a_window_is_that_part_of_the_resized_whole(source, size, shares, seed) -> None:
    image = open_image(picture(*source, seed))
    whole = resize_image(image, size)
    left, right = sorted(round(s * (size[0] - 1)) for s in shares[:2])
    top, bottom = sorted(round(s * (size[1] - 1)) for s in shares[2:])
    window = (left, top, right + 1, bottom + 1)
    part = resize_image(image, size, window)
    expected = whole[top : bottom + 1, left : right + 1]
    assert part.shape == expected.shape
    assert np.abs(part.astype(int) - expected).max() <= 2  # rounding, in each direction once


def test_a_huge_image_is_read_in_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resample_module, "BAND_AREA", 2000)
    whole = open_image(picture(300, 200, 0))
    asked: list[Region] = []

    def read(region: Region) -> np.ndarray:
        asked.append(region)
        return whole.read(region)

    image = SmearImage("huge", 300, 200, "", read)
    result = resize_image(image, (96, 64))
    expected = resample(whole.pixels(), (0, 0, 300, 200), (96, 64))
    assert np.abs(result.astype(int) - expected).max() <= 1
    assert len(asked) > 10
    assert max((r - left) * (b - t) for left, t, r, b in asked) < 300 * 20


@settings(deadline=None, max_examples=40)
@given(
    source=st.tuples(st.integers(32, 150), st.integers(32, 150)),
    size=st.tuples(st.integers(4, 30), st.integers(4, 30)),
)
def test_fast_resampling_shows_flat_parts_where_they_are(
    source: tuple[int, int], size: tuple[int, int]
) -> None:
    """The left half is black and the right half white, to within one block at the seam."""
    pixels = np.zeros((source[1], source[0], 3), np.uint8)
    pixels[:, source[0] // 2 :] = 255
    seen = resample_fast(pixels, (0, 0, *source), size)
    assert seen.shape == (size[1], size[0], 3)
    places = (np.arange(size[0]) + 0.5) * source[0] / size[0]
    near = 2 * source[0] / size[0] + 1
    assert (seen[:, places < source[0] // 2 - near] == 0).all()
    assert (seen[:, places > source[0] // 2 + near] == 255).all()
