"""Whatever happens to a training image, its boxes stay around its cells."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from smearcount.training.augment import (
    PADDING_GRAY,
    Augmentation,
    Sample,
    crop,
    flip_and_turn,
    jitter_photometry,
    mosaic,
)

BLACK = 0


def one_cell(x: int, y: int, w: int, h: int, side: int = 96) -> Sample:
    """A black rectangle on white, with its exact box."""
    image = torch.full((3, side, side), 255, dtype=torch.uint8)
    image[:, y : y + h, x : x + w] = BLACK
    boxes = torch.tensor([[x, y, x + w, y + h]], dtype=torch.float32)
    return Sample(image, boxes, torch.tensor([2]))


def drawn_box(image: torch.Tensor) -> torch.Tensor:
    ys, xs = torch.nonzero(image[0] < 64, as_tuple=True)
    return torch.tensor([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], dtype=torch.float32)


places = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(8, 36), st.integers(8, 36))


@given(places, st.integers(0, 10_000))
def test_flips_and_turns_move_the_box_with_the_cell(
    place: tuple[int, int, int, int], seed: int
) -> None:
    torch.manual_seed(seed)
    turned = flip_and_turn(one_cell(*place))
    assert torch.equal(turned.boxes[0], drawn_box(turned.image))


@given(places, st.integers(0, 10_000), st.floats(0.7, 1.4))
def test_a_crop_keeps_the_box_on_what_is_left_of_the_cell(
    place: tuple[int, int, int, int], seed: int, zoom: float
) -> None:
    torch.manual_seed(seed)
    cut = crop(one_cell(*place), (zoom, zoom), (64, 64))
    assert len(cut.boxes) == len(cut.labels) <= 1
    if len(cut.boxes):
        assert (cut.boxes[0] - drawn_box(cut.image)).abs().max() <= 2.0


def test_a_crop_larger_than_the_image_is_gray_around_it() -> None:
    cut = crop(one_cell(40, 40, 20, 20), (1.0, 1.0), (200, 200))
    assert (cut.image == PADDING_GRAY).any()
    assert cut.boxes.shape == (1, 4)
    assert (cut.boxes[0] - drawn_box(cut.image)).abs().max() <= 1.0


def test_a_cell_of_which_next_to_nothing_is_left_is_dropped() -> None:
    torch.manual_seed(0)
    seen = [len(crop(one_cell(0, 0, 30, 30), (1.0, 1.0), (20, 20)).boxes) for _ in range(60)]
    assert 0 in seen
    assert 1 in seen


def test_a_mosaic_holds_the_cells_of_all_four_pictures() -> None:
    torch.manual_seed(1)
    full = Sample(
        torch.zeros((3, 400, 400), dtype=torch.uint8),
        torch.tensor([[0.0, 0.0, 400.0, 400.0]]),
        torch.tensor([1]),
    )
    # Each quarter of the mosaic shows so little of a huge cell that none keeps its label.
    assert len(mosaic([full] * 4, (1.0, 1.0), 64).boxes) == 0
    # Of small cells all four quarters keep theirs.
    small = [one_cell(8 * k, 8 * k, 12, 12, side=32) for k in range(2)] * 2
    assert len(mosaic(small, (1.0, 1.0), 128).boxes) == 4


def test_photometric_changes_keep_the_shape() -> None:
    torch.manual_seed(0)
    image = torch.randint(0, 256, (3, 48, 64), dtype=torch.uint8)
    changed = [jitter_photometry(image, 1.0) for _ in range(20)]
    assert all(each.shape == image.shape and each.dtype == torch.uint8 for each in changed)
    assert any(not torch.equal(each, image) for each in changed)


def test_each_sample_draws_its_own_photometric_strength() -> None:
    """One round of training shows cells nearly as they are and under stains never seen."""
    torch.manual_seed(0)
    picture = one_cell(30, 30, 30, 30)

    def lightness(strength: tuple[float, float]) -> torch.Tensor:
        augmentation = Augmentation(
            crop_px=96, scale_octaves=0.0, mosaic=0.0, photometric_strength=strength
        )
        return torch.stack([augmentation([picture]).image.float().median() for _ in range(60)])

    assert (lightness((0.0, 0.0)) == 255).all()
    varied = (lightness((0.0, 1.5)) - 255).abs()
    assert varied.min() < 5
    assert varied.max() > 60
    assert (lightness((1.5, 1.5)) - 255).abs().median() > varied.median()


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_same_seed_gives_the_same_sample(share: float) -> None:
    augmentation = Augmentation(crop_px=64, mosaic=share)
    samples = [one_cell(10 * k, 20, 20, 24) for k in range(4 if share else 1)]

    def draw() -> Sample:
        torch.manual_seed(7)
        return augmentation(samples)

    first, second = draw(), draw()
    assert torch.equal(first.image, second.image)
    assert torch.equal(first.boxes, second.boxes)
    assert first.image.shape == (3, 64, 64)
