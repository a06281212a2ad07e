"""Images of a data set are measured as they are shown, and copied without replacing others."""

import numpy as np
import pytest
from PIL import Image

from doubles.pictures import save_blank
from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.datasets.formats.files import copy_images, exact_decimal, image_size, images_in
from smearcount.errors import DataError


def dataset_of(*paths):
    images = [AnnotatedImage(path, 40, 30, np.zeros((0, 4)), np.zeros(0)) for path in paths]
    return Dataset(("RBC",), tuple(images), "made")


def test_an_image_is_as_wide_as_it_is_shown(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    Image.new("RGB", (40, 30)).save(tmp_path / "turned.jpg", exif=exif)
    assert image_size(tmp_path / "turned.jpg") == (30, 40)
    assert image_size(save_blank(tmp_path)) == (40, 30)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "this image is missing"), (b"text", "this is not an image that can be read")],
)
def test_an_image_that_cannot_be_measured_is_named(tmp_path, content, sentence):
    if content is not None:
        (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(DataError, match=rf"a\.png: {sentence}"):
        image_size(tmp_path / "a.png")


def test_an_image_too_large_to_train_with_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("smearcount.datasets.formats.files.MAX_AREA", 100)
    with pytest.raises(DataError, match=r"a\.png: this image is too large to train with"):
        image_size(save_blank(tmp_path))


def test_two_images_that_differ_only_in_their_suffix_are_refused(tmp_path):
    save_blank(tmp_path, "a.jpg")
    save_blank(tmp_path, "a.png")
    with pytest.raises(DataError, match=r"a\.jpg has the same name but for the suffix"):
        images_in(tmp_path)


def test_images_are_copied_once_and_never_over_others(tmp_path):
    one = save_blank(tmp_path / "one")
    copied = copy_images(dataset_of(one), tmp_path / "out")
    assert copied == {one: tmp_path / "out" / "a.png"}
    assert copy_images(dataset_of(one), tmp_path / "out") == copied
    other = save_blank(tmp_path / "other", size=(9, 9))
    with pytest.raises(DataError, match="another image has this name; choose an empty folder"):
        copy_images(dataset_of(other), tmp_path / "out")
    with pytest.raises(DataError, match="has the same name; rename one of them"):
        copy_images(dataset_of(one, other), tmp_path / "empty")


@pytest.mark.parametrize("value", [0.1, 1 / 3, 12.0, 1e-7, 123456789.123])
def test_a_number_reads_back_as_it_was(value):
    assert float(exact_decimal(value)) == value
    assert ("." in exact_decimal(value) or "e" in exact_decimal(value)) == (value != int(value))
