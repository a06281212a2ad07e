"""The network that ships: its shapes, how far it looks, that it learns, and its ONNX file."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from smearcount.synthetic.smears import demo_smears
from smearcount.training.export.onnx_export import export_smearnet
from smearcount.training.networks.smearnet import RECEPTIVE_PX, Smearnet, build_smearnet


@pytest.fixture(scope="module")
def network() -> Smearnet:
    torch.manual_seed(0)
    return build_smearnet(3).eval()


def test_it_is_small(network: Smearnet) -> None:
    assert 300_000 <= sum(p.numel() for p in network.parameters()) <= 2_000_000


def test_one_answer_per_eight_pixels_in_both_directions(network: Smearnet) -> None:
    classes, sides = network(torch.zeros(2, 3, 64, 96, dtype=torch.uint8))
    assert classes.shape == (2, 8 * 12, 3)
    assert sides.shape == (2, 8 * 12, 4, 16)


def test_no_answer_depends_on_pixels_beyond_the_stated_reach(network: Smearnet) -> None:
    image = torch.full((1, 3, 32, 576), 100, dtype=torch.uint8).float().requires_grad_()
    classes, sides = network(image)
    column = 36  # its centre lies at x = 36 * 8 + 4
    answer = classes.unflatten(1, (4, 72))[0, :, column].sum() + (
        sides.unflatten(1, (4, 72))[0, :, column].sum()
    )
    (reach,) = torch.autograd.grad(answer, image)
    touched = torch.nonzero(reach[0].abs().sum(dim=(0, 1)) > 0)[:, 0]
    centre = column * 8 + 4
    assert centre - touched.min() <= RECEPTIVE_PX
    assert touched.max() - centre <= RECEPTIVE_PX


def test_it_learns_a_picture_by_heart() -> None:
    torch.manual_seed(0)
    network = build_smearnet(3)
    image = torch.full((1, 3, 96, 96), 220, dtype=torch.uint8)
    image[:, :, 20:60, 24:72] = 90
    target = {"boxes": torch.tensor([[24.0, 20, 72, 60]]), "labels": torch.tensor([2])}
    optimiser = torch.optim.AdamW(network.parameters(), 3e-3)
    network.train()
    for _ in range(60):
        optimiser.zero_grad()
        torch.stack(list(network.losses(image, [target]).values())).sum().backward()  # type: ignore[no-untyped-call, list-item]
        optimiser.step()
    # Batch norms have seen one picture only: keep judging by it.
    (found,) = network.predict(image)
    assert found["labels"][0] == 2
    assert found["scores"][0] > 0.3
    assert (found["boxes"][0] - torch.tensor([24.0, 20, 72, 60])).abs().max() < 6


def test_the_exported_file_answers_as_the_network_does(network: Smearnet, tmp_path: Path) -> None:
    file = tmp_path / "net.onnx"
    export_smearnet(network, file)
    assert file.stat().st_size < 4_000_000
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    pixels = demo_smears()[0].pixels[:144, :208]
    boxes, scores = session.run(["boxes", "scores"], {"image": np.ascontiguousarray(pixels[None])})
    with torch.no_grad():
        image = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None]
        class_logits, side_logits = network(image)
        expected = network.boxes(side_logits, network.locations(144, 208, image.device))[0]
    assert np.abs(boxes - expected.numpy()).max() < 0.25
    assert np.abs(scores - class_logits[0].sigmoid().numpy()).max() < 0.01
