"""One picture on both sides of a split is found, however it was turned, and only then."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.datasets.near_duplicates import (
    correlations,
    deduplicate,
    find_near_duplicates,
    perceptual_hashes,
    without_duplicates_of,
)
from smearcount.datasets.read import read_dataset
from smearcount.errors import DataError

DATA = Path(__file__).parents[2].parent / "shared" / "data"


def scene(seed):
    noise = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    image = Image.fromarray(noise).resize((160, 120), Image.Resampling.BICUBIC)
    return image.filter(ImageFilter.GaussianBlur(2))


def data_set(*paths):
    none = np.zeros((0, 4))
    images = [AnnotatedImage(path, 160, 120, none, np.zeros(0)) for path in paths]
    return Dataset(("RBC",), tuple(images), "made")


@pytest.fixture
def save(tmp_path):
    def saved(image, name):
        image.save(tmp_path / name, quality=85)
        return tmp_path / name

    return saved


POSES = list(Image.Transpose)


@pytest.mark.parametrize("pose", POSES, ids=lambda pose: pose.name)
def test_a_turned_rescaled_recompressed_picture_is_the_same(save, pose):
    original = save(scene(1), "original.png")
    copy = save(scene(1).transpose(pose).resize((96, 96)), "copy.jpg")
    other = save(scene(2), "other.png")
    pairs = find_near_duplicates(data_set(original, other), data_set(copy))
    assert [(pair.first, pair.second) for pair in pairs] == [(original, copy)]
    assert 0.9 < pairs[0].correlation <= 1


def test_two_fields_under_one_vignette_are_two_pictures(save):
    y, x = np.mgrid[-1:1:120j, -1:1:160j]
    shade = 235 - 110 * (x**2 + y**2)

    def field(seed):
        pixels = shade.copy()
        for row, column in np.random.default_rng(seed).integers(10, 110, (12, 2)):
            pixels[row - 4 : row + 4, column - 4 : column + 4] -= 25
        return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))

    first, second = save(field(1), "first.png"), save(field(2), "second.png")
    assert correlations(perceptual_hashes([first]), perceptual_hashes([second])) > 0.9
    again = save(field(1).transpose(Image.Transpose.ROTATE_90), "again.jpg")
    pairs = find_near_duplicates(data_set(first, second, again))
    assert [(pair.first, pair.second) for pair in pairs] == [(first, again)]


def test_a_picture_of_sixteen_bits_has_a_fingerprint(save, tmp_path):
    grey = np.asarray(scene(1).convert("L"), np.uint16) * 257
    for name in ("a.png", "b.tif"):
        Image.fromarray(grey[:, ::-1] if name == "b.tif" else grey).save(tmp_path / name)
    other = save(scene(2), "c.png")
    pairs = find_near_duplicates(data_set(tmp_path / "a.png", other, tmp_path / "b.tif"))
    assert [(pair.first.name, pair.second.name) for pair in pairs] == [("a.png", "b.tif")]


def test_within_one_set_each_pair_is_told_once(save):
    paths = [save(scene(1), "a.png"), save(scene(2), "b.png"), save(scene(1), "c.png")]
    pairs = find_near_duplicates(data_set(*paths))
    assert [(pair.first, pair.second) for pair in pairs] == [(paths[0], paths[2])]
    assert [image.path for image in deduplicate(data_set(*paths)).images] == paths[:2]


def test_the_other_sets_pictures_are_taken_out(save):
    train = data_set(save(scene(1), "a.png"), save(scene(2), "b.png"))
    test = data_set(save(scene(2).transpose(Image.Transpose.ROTATE_90), "t.png"))
    assert [image.path.name for image in without_duplicates_of(train, test).images] == ["a.png"]


def test_blank_images_are_like_nothing(save):
    blank = [save(Image.new("RGB", (50, 50), grey), f"{grey}.png") for grey in ("grey", "white")]
    assert not perceptual_hashes(blank).any()
    assert find_near_duplicates(data_set(*blank)) == []


def test_an_unreadable_image_is_named(tmp_path):
    (tmp_path / "x.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"x\.png: this image cannot be read"):
        perceptual_hashes([tmp_path / "x.png"])


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not here")
def test_the_known_pair_of_bccd_lies_across_its_split():
    pairs = find_near_duplicates(
        read_dataset(DATA / "bccd", "train"), read_dataset(DATA / "bccd", "val")
    )
    assert [(p.first.stem[-2:], p.second.stem[-2:]) for p in pairs] == [("38", "37")]
