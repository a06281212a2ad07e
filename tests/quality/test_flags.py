"""Images unfit to count raise flags, good ones raise none, and no count is hidden."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("sklearn")

from smearcount.calibration.corruptions import blur, change_exposure, out_of_distribution_images
from smearcount.calibration.reference_statistics import fit_reference_statistics
from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.detections.boxes import diameter
from smearcount.detections.detections import Detections
from smearcount.detector.model_card import ModelCard
from smearcount.detector.scale import Scale
from smearcount.image.read import open_image
from smearcount.quality import flags as flags_module
from smearcount.quality.flags import (
    FLAG_EXPLANATIONS,
    IMPLAUSIBLE_MAGNIFICATION,
    MANY_DOUBTFUL,
    NOTHING_FOUND,
    OUT_OF_DISTRIBUTION,
    OUT_OF_FOCUS,
    TOO_BRIGHT,
    TOO_CROWDED,
    TOO_DARK,
    TOO_SPARSE,
    quality_flags,
)
from smearcount.synthetic.smears import demo_smears

Pixels = np.ndarray[Any, np.dtype[np.uint8]]


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Drawn smears, cut into quarters so that there are enough to learn from."""
    folder = tmp_path_factory.mktemp("training")
    images = []
    for smear in demo_smears():
        path = folder / f"{smear.name}.png"
        Image.fromarray(smear.pixels).save(path)
        height, width = smear.pixels.shape[:2]
        images.append(AnnotatedImage(path, width, height, smear.boxes_xyxy_px, smear.labels, None))
    return Dataset(("WBC", "RBC", "Platelets"), tuple(images), "drawn smears")


@pytest.fixture(scope="module")
def card(training: Dataset) -> ModelCard:
    return ModelCard(
        name="test",
        architecture="test",
        sha256="0" * 64,
        classes=("WBC", "RBC", "Platelets"),
        thresholds=(0.5, 0.5, 0.5),
        reference_statistics=fit_reference_statistics(training),
    )


def field_of(image: AnnotatedImage) -> tuple[Pixels, Detections, Scale]:
    cells = image.boxes_xyxy_px[image.labels == 2]
    found = Detections(image.boxes_xyxy_px, np.full(len(image.labels), 0.9), image.labels)
    pixels = np.asarray(Image.open(image.path).convert("RGB"))
    return pixels, found, Scale(float(np.median(diameter(cells))), None, "estimated")


def test_training_images_raise_no_flag(training: Dataset, card: ModelCard) -> None:
    for image in training.images:
        pixels, found, scale = field_of(image)
        assert quality_flags(open_image(pixels), found, scale, card) == ()


def test_blur_light_and_out_of_distribution_images_raise_their_own_flags(
    training: Dataset, card: ModelCard
) -> None:
    pixels, found, scale = field_of(training.images[0])
    rbc_px = scale.rbc_diameter_px or 0

    def raised(worse: Pixels) -> tuple[str, ...]:
        return quality_flags(open_image(worse), found, scale, card)

    assert OUT_OF_FOCUS in raised(blur(pixels, 0.06 * rbc_px))
    assert TOO_DARK in raised(change_exposure(pixels, -2))
    assert TOO_BRIGHT in raised(change_exposure(pixels, 2))
    for stranger in out_of_distribution_images(12, size=(320, 240)):
        assert OUT_OF_DISTRIBUTION in raised(stranger)


def test_flags_of_the_detections(training: Dataset, card: ModelCard) -> None:
    pixels, found, scale = field_of(training.images[0])
    image = open_image(pixels)
    many = Detections(
        np.tile(found.boxes_xyxy_px, (6, 1)), np.tile(found.scores, 6), np.tile(found.labels, 6)
    )
    doubtful = Detections(many.boxes_xyxy_px, many.scores * 0.4, many.labels)
    assert NOTHING_FOUND in quality_flags(image, Detections.empty(), scale, card)
    assert TOO_CROWDED in quality_flags(image, many, scale, card)
    assert TOO_SPARSE in quality_flags(image, found[:1], scale, card)
    assert MANY_DOUBTFUL in quality_flags(image, join(found, doubtful), scale, card)


def join(first: Detections, second: Detections) -> Detections:
    return Detections(
        np.concatenate([first.boxes_xyxy_px, second.boxes_xyxy_px]),
        np.concatenate([first.scores, second.scores]),
        np.concatenate([first.labels, second.labels]),
    )


def test_a_pixel_size_that_the_red_cells_contradict_raises_a_flag(
    training: Dataset, card: ModelCard
) -> None:
    pixels, found, scale = field_of(training.images[0])
    right = replace(scale, pixel_size_um=7.5 / (scale.rbc_diameter_px or 1), source="user")
    assert quality_flags(open_image(pixels), found, right, card) == ()
    wrong = replace(right, pixel_size_um=2 * (right.pixel_size_um or 0))
    assert quality_flags(open_image(pixels), found, wrong, card) == (IMPLAUSIBLE_MAGNIFICATION,)


def test_without_reference_statistics_only_the_detections_raise_flags(
    training: Dataset, card: ModelCard
) -> None:
    pixels, found, scale = field_of(training.images[0])
    bare = card.model_copy(update={"reference_statistics": None})
    assert quality_flags(open_image(blur(pixels, 9)), found, scale, bare) == ()
    assert quality_flags(open_image(pixels), Detections.empty(), scale, bare) == (NOTHING_FOUND,)


def test_a_card_keeps_its_reference_statistics_on_disk(card: ModelCard, tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    card.write(file)
    assert ModelCard.read(file) == card


def test_tiny_and_plain_images_can_be_measured(card: ModelCard) -> None:
    for shape in ((16, 16, 3), (16, 900, 3), (40, 40, 3)):
        image = open_image(np.zeros(shape, np.uint8))
        raised = quality_flags(image, Detections.empty(), Scale(None, None, "assumed"), card)
        assert NOTHING_FOUND in raised


def test_a_contradicted_pixel_size_raises_a_flag_even_if_nothing_is_found(
    card: ModelCard,
) -> None:
    image, scale = open_image(np.full((300, 400, 3), 220, np.uint8)), Scale(5.0, 1.5, "user", True)
    assert IMPLAUSIBLE_MAGNIFICATION in quality_flags(image, Detections.empty(), scale, card)


def test_every_flag_is_explained() -> None:
    named = [value for name, value in vars(flags_module).items() if name.isupper()]
    assert {value for value in named if isinstance(value, str)} - {"RBC"} == set(FLAG_EXPLANATIONS)
    assert all(text.endswith((".", "?")) for text in FLAG_EXPLANATIONS.values())


def test_the_documentation_explains_every_flag_in_the_order_of_the_table() -> None:
    page = Path(__file__).parents[2] / "docs" / "how-to" / "quality-flags.md"
    table, _, _ = page.read_text(encoding="utf-8").partition("\n## ")
    rows = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")]
    assert rows[1:] == list(FLAG_EXPLANATIONS)


def test_only_the_middle_of_the_image_is_read() -> None:
    from smearcount.image.image import SmearImage
    from smearcount.quality.measures import LONGEST_PX, center_crop

    read: list[tuple[int, int, int, int]] = []

    def region(window: tuple[int, int, int, int]) -> Pixels:
        read.append(window)
        return np.zeros((window[3] - window[1], window[2] - window[0], 3), np.uint8)

    huge = SmearImage("huge", 30_000, 20_000, "0" * 64, region)
    assert max(center_crop(huge, 48.0).shape) == LONGEST_PX
    assert max(read[0][2] - read[0][0], read[0][3] - read[0][1]) <= LONGEST_PX + 4  # its filter
