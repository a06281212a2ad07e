"""An image can be pickled, let go of its pixels, and read its file again."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smearcount.errors import ImageError
from smearcount.image import color, jpeg, png, raster, read, tiff
from smearcount.image.image import SmearImage
from smearcount.image.read import FileReader, open_image, reopened


@pytest.fixture
def pixels() -> np.ndarray:
    y, x = np.mgrid[:96, :640]
    return np.stack([x % 256, y * 2, (x + y) % 256], axis=2).astype(np.uint8)


@pytest.fixture(params=[False, True], ids=["small", "large"])
def limit(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat every image as a small one, or every one as a large one."""
    if request.param:
        for module in (raster, jpeg, png, tiff, color):
            monkeypatch.setattr(module, "LARGE_PIXELS", 0)


def same(first: SmearImage, second: SmearImage) -> bool:
    facts = [
        (image.name, image.width, image.height, image.sha256, image.pixel_size_um, image.notes)
        for image in (first, second)
    ]
    return facts[0] == facts[1] and np.array_equal(first.pixels(), second.pixels())


@pytest.mark.usefixtures("limit")
@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "bmp", "webp"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_file_is_pickled_without_its_pixels_and_read_again(
    tmp_path: Path, pixels: np.ndarray, suffix: str, orientation: int
) -> None:
    file = tmp_path / f"smear.{suffix}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(file, **({} if suffix == "bmp" else {"exif": exif}))
    image = open_image(file)
    pickled = pickle.dumps(image)
    assert len(pickled) < 2000
    assert same(pickle.loads(pickled), image)


@pytest.mark.usefixtures("limit")
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA"])
def test_an_array_and_a_pil_image_are_pickled_with_their_pixels(
    pixels: np.ndarray, mode: str
) -> None:
    for source in (pixels, Image.fromarray(pixels).convert(mode)):
        image = open_image(source)
        copy = pickle.loads(pickle.dumps(image))
        assert same(copy, image)
        assert image.without_pixels() is image
        if image.half is not None and copy.half is not None:
            region = (3, 5, 90, 40)
            assert np.array_equal(copy.half(region), image.half(region))


def test_a_file_is_opened_once_for_any_number_of_regions(
    tmp_path: Path, pixels: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "smear.png"
    Image.fromarray(pixels).save(file)
    image = open_image(file).without_pixels()
    opened: list[object] = []
    monkeypatch.setattr(read, "open_image", lambda path: opened.append(path) or open_image(path))
    assert np.array_equal(image.read((0, 0, 50, 40)), pixels[:40, :50])
    assert image.half is None
    assert len(opened) == 1
    again = reopened(image)
    for top in range(0, 90, 10):
        assert np.array_equal(again.read((0, top, 640, top + 10)), pixels[top : top + 10])
    assert len(opened) == 2
    assert reopened(again) is again
    assert isinstance(again.without_pixels().read, FileReader)


def test_a_file_that_changed_is_not_taken_for_the_one_that_was_opened(
    tmp_path: Path, pixels: np.ndarray
) -> None:
    file = tmp_path / "smear.png"
    Image.fromarray(pixels).save(file)
    image = open_image(file).without_pixels()
    Image.fromarray(255 - pixels).save(file)
    with pytest.raises(ImageError, match=r"smear\.png: the file has changed"):
        reopened(image)
    file.unlink()
    with pytest.raises(ImageError, match=r"smear\.png: there is no such file"):
        reopened(image)
