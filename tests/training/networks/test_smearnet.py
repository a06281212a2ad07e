"""The network that ships: its shapes, its receptive field, and that it learns."""

import pytest
import torch

from smearcount.training.networks.smearnet import RECEPTIVE_PX, Smearnet


@pytest.fixture(scope="module")
def network() -> Smearnet:
    torch.manual_seed(0)
    return Smearnet(3).eval()


def test_it_is_small(network: Smearnet) -> None:
    assert 300_000 <= sum(p.numel() for p in network.parameters()) <= 2_000_000


def test_one_anchor_point_per_eight_pixels_in_both_directions(network: Smearnet) -> None:
    class_logits, ltrb_logits = network.logits(torch.zeros(2, 3, 64, 96, dtype=torch.uint8))
    assert class_logits.shape == (2, 8 * 12, 3)
    assert ltrb_logits.shape == (2, 8 * 12, 4, 16)


def test_no_output_depends_on_pixels_beyond_the_receptive_field(network: Smearnet) -> None:
    image = torch.full((1, 3, 32, 576), 100, dtype=torch.uint8).float().requires_grad_()
    class_logits, ltrb_logits = network.logits(image)
    column = 36  # its center lies at x = 36 * 8 + 4
    output = class_logits.unflatten(1, (4, 72))[0, :, column].sum() + (
        ltrb_logits.unflatten(1, (4, 72))[0, :, column].sum()
    )
    (gradient,) = torch.autograd.grad(output, image)
    touched = torch.nonzero(gradient[0].abs().sum(dim=(0, 1)) > 0)[:, 0]
    center = column * 8 + 4
    assert center - touched.min() <= RECEPTIVE_PX
    assert touched.max() - center <= RECEPTIVE_PX


def test_it_overfits_one_image() -> None:
    torch.manual_seed(0)
    network = Smearnet(3)
    image = torch.full((1, 3, 96, 96), 220, dtype=torch.uint8)
    image[:, :, 20:60, 24:72] = 90
    target = {"boxes": torch.tensor([[24.0, 20, 72, 60]]), "labels": torch.tensor([2])}
    optimizer = torch.optim.AdamW(network.parameters(), 3e-3)
    network.train()
    for _ in range(60):
        optimizer.zero_grad()
        torch.stack(list(network.losses(image, [target]).values())).sum().backward()  # type: ignore[no-untyped-call, list-item]
        optimizer.step()
    # Batch norms have seen one image only: stay in training mode, which uses its statistics.
    (prediction,) = network.predict(image)
    assert prediction["labels"][0] == 2
    assert prediction["scores"][0] > 0.3
    assert (prediction["boxes"][0] - torch.tensor([24.0, 20, 72, 60])).abs().max() < 6
