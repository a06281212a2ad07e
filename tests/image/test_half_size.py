"""An image at half its size shows what the whole shows, and costs the whole only where it must."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from smearcount.image.read import open_image
from smearcount.image.resample import resize_image
from smearcount.synthetic.smears import demo_smears


@pytest.fixture(scope="module")
def smear() -> np.ndarray:
    return next(s.pixels for s in demo_smears() if s.pixels.shape[:2] == (480, 640))


def means_of_four(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    even = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge").astype(float)
    return (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("size", [(640, 480), (575, 421)])
def test_half_the_size_is_the_mean_of_four_pixels(
    tmp_path: Path, smear: np.ndarray, suffix: str, size: tuple[int, int]
) -> None:
    path = tmp_path / f"smear{suffix}"
    Image.fromarray(smear[: size[1], : size[0]]).save(path, quality=95)
    image = open_image(path)
    assert image.half is not None
    halved = image.half((0, 0, (size[0] + 1) // 2, (size[1] + 1) // 2))
    expected = means_of_four(image.pixels())
    assert halved.shape == expected.shape
    off = np.abs(halved - expected)
    assert off.mean() < 0.7
    assert np.quantile(off, 0.999) < 8  # a JPEG leaves out its finest waves instead of averaging


@pytest.mark.parametrize("orientation", range(1, 9))
def test_half_the_size_is_turned_as_the_whole_is(
    tmp_path: Path, smear: np.ndarray, orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.jpg"
    Image.fromarray(smear).save(path, quality=95, exif=exif)
    image = open_image(path)
    assert image.half is not None
    region = (20, 30, 120, 90)
    twice = tuple(2 * side for side in region)
    expected = means_of_four(image.read(twice))
    assert np.abs(image.half(region) - expected).mean() < 0.7


def test_a_small_view_of_a_jpeg_never_decodes_the_whole(
    tmp_path: Path, smear: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "smear.jpg"
    Image.fromarray(smear).save(path, quality=90)
    decoded: list[tuple[int, int]] = []
    load = JpegImageFile.load

    def spy(self: JpegImageFile) -> object:
        if self.tile:
            decoded.append(self.size)
        return load(self)

    monkeypatch.setattr(JpegImageFile, "load", spy)
    image = open_image(path)
    resize_image(image, (304, 224))
    resize_image(image, (160, 128), (32, 32, 96, 96))
    assert decoded == [(320, 240)]
    resize_image(image, (400, 304))
    resize_image(image, (640, 480))
    assert decoded == [(320, 240), (640, 480)]


def test_a_view_from_half_the_size_shows_what_one_from_the_whole_shows(
    tmp_path: Path, smear: np.ndarray
) -> None:
    path = tmp_path / "smear.jpg"
    Image.fromarray(smear).save(path, quality=90)
    image = open_image(path)
    small = resize_image(image, (304, 224)).astype(float)
    exact = Image.fromarray(image.pixels()).resize((304, 224), Image.Resampling.BILINEAR)
    assert np.abs(small - np.asarray(exact)).mean() < 2
