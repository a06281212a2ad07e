"""A data set comes back from any format exactly as it went in: ids, scores, empty images."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from doubles.pictures import save_blank
from smearcount.classes import canonical_name
from smearcount.datasets.dataset import AnnotatedImage, Dataset, order_classes
from smearcount.datasets.formats.known_formats import FORMATS
from smearcount.datasets.read import read_dataset, split_names
from smearcount.datasets.write import write_dataset
from smearcount.errors import DataError

SIZES = {"a": (64, 48), "b c": (31, 77), "Zelle-Ü.1": (640, 480)}
FORMS = [form.name for form in FORMATS if form.write is not None]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for stem, size in SIZES.items():
        Image.new("RGB", size, (200, 180, 190)).save(folder / f"{stem}.png")
    return folder


names = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1).map(
    str.strip
)
class_lists = st.lists(
    st.sampled_from(["WBC", "RBC", "Platelets"]) | names.filter(bool),
    min_size=1,
    max_size=5,
    unique_by=canonical_name,
)


@st.composite
def image_lists(draw, n_classes, pixels):
    scored = draw(st.booleans())
    found = []
    for stem in draw(st.permutations(sorted(SIZES))):
        width, height = SIZES[stem]
        n = draw(st.integers(0, 3))
        corners = [draw(pixels(width, height)) for _ in range(n)]
        found.append(
            AnnotatedImage(
                Path(f"{stem}.png"),
                width,
                height,
                np.array(corners),
                np.array([draw(st.integers(1, n_classes)) for _ in range(n)]),
                np.array([draw(st.floats(0, 1)) for _ in range(n)]) if scored else None,
            )
        )
    return found


def boxes(width, height, coordinate):
    """Draw a box from (0, 0) on; it may lack area."""
    xs, ys = (st.tuples(*[coordinate(side)] * 2).map(sorted) for side in (width, height))
    return st.tuples(xs, ys).map(lambda pair: [*np.transpose(pair).ravel()])


def on_grid(width, height):
    """Draw a box in millionths of a pixel, beyond the right and lower border too."""
    return boxes(width, height, lambda side: st.integers(0, side * 11 * 10**5).map(_millionths))


def anywhere(width, height):
    """Draw a box in the image, to the last bit of its coordinates."""
    return boxes(width, height, lambda side: st.just(0.0) | st.floats(1e-9, side))


def _millionths(number):
    return number / 1e6


@st.composite
def data_sets(draw, pixels, numbered=True):
    classes = order_classes(draw(class_lists))
    images = draw(image_lists(len(classes), pixels))
    if not numbered:
        images.sort(key=lambda image: image.path.name)
        return Dataset(classes, tuple(images), "drawn")
    image_ids = draw(st.lists(st.integers(0, 10**6), min_size=3, max_size=3, unique=True))
    numbers = iter(draw(st.permutations(range(100, 112))))
    images = [
        replace(image, image_id=image_id, box_ids=[next(numbers) for _ in range(len(image))])
        for image_id, image in zip(image_ids, images, strict=True)
    ]
    ids = draw(
        st.lists(st.integers(0, 99), min_size=len(classes), max_size=len(classes), unique=True)
    )
    return Dataset(classes, tuple(images), "drawn", tuple(ids))


def lying_in(folder, dataset):
    images = tuple(replace(image, path=folder / image.path) for image in dataset.images)
    return replace(dataset, images=images)


def assert_same(first, second, ids=True):
    assert first.classes == second.classes
    assert [image.path.name for image in first.images] == [i.path.name for i in second.images]
    if ids:
        assert first.category_ids == second.category_ids
    for a, b in zip(first.images, second.images, strict=True):
        assert (a.width, a.height) == (b.width, b.height)
        np.testing.assert_array_equal(a.boxes_xyxy_px, b.boxes_xyxy_px)
        np.testing.assert_array_equal(a.labels, b.labels)
        optional = [(a.scores, b.scores)] + ([(a.box_ids, b.box_ids)] if ids else [])
        for x, y in optional:
            assert (x is None) == (y is None)
            if x is not None:
                np.testing.assert_array_equal(x, y)
        if ids:
            assert a.image_id == b.image_id


few = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@few
@given(dataset=data_sets(anywhere), form=st.sampled_from(["coco", "voc"]))
def test_coco_and_voc_keep_every_digit(images, dataset, form):
    dataset = lying_in(images, dataset)
    with tempfile.TemporaryDirectory() as folder:
        write_dataset(dataset, folder, form, "train")
        assert_same(dataset, read_dataset(folder, "train"))


@few
@given(dataset=data_sets(on_grid), path=st.permutations(FORMS))
def test_any_walk_through_the_formats_ends_where_it_began(images, dataset, path):
    dataset = lying_in(images, dataset)
    with tempfile.TemporaryDirectory() as folder:
        at = dataset
        for step, form in enumerate([*path, path[0]]):
            write_dataset(at, f"{folder}/{step}", form, "val")
            at = read_dataset(f"{folder}/{step}", "val")
        assert_same(dataset, at)


@few
@given(dataset=data_sets(on_grid, numbered=False), form=st.sampled_from(FORMS))
def test_a_data_set_without_numbers_and_splits_comes_back(images, dataset, form):
    dataset = lying_in(images, dataset)
    with tempfile.TemporaryDirectory() as folder:
        write_dataset(dataset, folder, form)
        assert_same(dataset, read_dataset(folder), ids=False)


@few
@given(dataset=data_sets(on_grid), form=st.sampled_from(FORMS))
def test_writing_again_what_was_read_gives_the_same_files(images, dataset, form):
    dataset = lying_in(images, dataset)
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder, "first"), Path(folder, "second")
        write_dataset(dataset, first, form, "test")
        write_dataset(read_dataset(first, "test"), second, form, "test")
        files = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
        assert files == sorted(p.relative_to(second) for p in second.rglob("*") if p.is_file())
        for path in files:
            assert (first / path).read_bytes() == (second / path).read_bytes(), path


@pytest.mark.parametrize("form", FORMS)
def test_splits_lie_side_by_side(images, tmp_path, form):
    whole = Dataset(
        ("RBC",),
        tuple(
            AnnotatedImage(images / f"{stem}.png", *size, np.array([[1, 2, 3, 4]]), np.array([1]))
            for stem, size in sorted(SIZES.items())
        ),
        "made",
    )
    write_dataset(replace(whole, images=whole.images[:2]), tmp_path, form, "train")
    write_dataset(replace(whole, images=whole.images[2:]), tmp_path, form, "val")
    assert split_names(tmp_path) == ("train", "val")
    assert len(read_dataset(tmp_path, "train")) == 2
    assert len(read_dataset(tmp_path, "valid")) == 1


@pytest.mark.parametrize("suffix", [".png", ".bmp"])
def test_voc_keeps_the_labels_of_a_split_from_those_of_another(images, tmp_path, suffix):
    def split(path, *boxes):
        labels = np.ones(len(boxes), int)
        image = AnnotatedImage(path, *SIZES["a"], np.array(boxes).reshape(-1, 4), labels)
        return Dataset(("RBC",), (image,), "made")

    other = tmp_path / f"a{suffix}"
    Image.open(images / "a.png").save(other)
    train, out = split(images / "a.png", [1, 2, 3, 4], [5, 6, 9, 9]), tmp_path / "voc"
    write_dataset(train, out, "voc", "train")
    with pytest.raises(DataError, match=r"a\.\w+: "):
        write_dataset(split(other, [1, 2, 3, 4]), out, "voc", "val")
    if suffix == ".png":
        write_dataset(train, out, "voc", "trainval")  # the same labels are no conflict
        assert len(read_dataset(out, "train").images[0]) == 2


@pytest.mark.parametrize("form", ["coco", "yolo"])
def test_images_of_the_same_name_are_kept_apart_by_their_folders(tmp_path, form):
    images = []
    for number, slide in enumerate(("slideA", "slideB"), start=1):
        path = save_blank(tmp_path / "in" / slide, "1.png", (40, 20 + number))
        boxes = np.array([[1.0, 2.0, 3.0, 4.0]] * number)
        images.append(AnnotatedImage(path, 40, 20 + number, boxes, np.ones(number), None, number))
    dataset = Dataset(("RBC",), tuple(images), "made")
    write_dataset(dataset, tmp_path / "out", form, "train")
    back = read_dataset(tmp_path / "out", "train").images
    assert [(image.path.parent.name, len(image), image.image_id) for image in back] == [
        ("slideA", 1, 1),
        ("slideB", 2, 2),
    ]
    with pytest.raises(DataError, match="has the same name; rename one of them"):
        write_dataset(dataset, tmp_path / "voc", "voc", "train")
