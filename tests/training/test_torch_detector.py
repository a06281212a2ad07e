"""One trained network counts the same from its ``.pth`` as from its ``.onnx``, picture to count."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from PIL import Image

import smearcount
from smearcount.detector.model_card import ModelCard
from smearcount.sha256 import sha256_of_file
from smearcount.synthetic.smears import demo_smears
from smearcount.training.export.onnx_export import export_onnx
from smearcount.training.networks.architectures import ARCHITECTURES, build_network
from smearcount.training.networks.protocol import Architecture, TrainableDetector

_SCORES = ("class_head.1", "classification_head", "cls_preds", "obj_preds")
"""Parts of the names of the layers that give scores."""

EXPORTED = [name for name, architecture in ARCHITECTURES.items() if architecture.onnx_graph]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Parts of a drawn smear whose sides are multiples of no stride."""
    folder = tmp_path_factory.mktemp("pictures")
    smear = demo_smears()[0].pixels
    paths = []
    for height, width in ((150, 210), (275, 203)):
        paths.append(folder / f"{height}.png")
        Image.fromarray(smear[:height, :width]).save(paths[-1])
    return paths


def confident(name: str) -> TrainableDetector:
    """Return a network with random weights whose scores spread over all of 0 to 1."""
    torch.manual_seed(3)
    network = build_network(name, 3).eval()
    with torch.no_grad():
        for entry, parameter in network.named_parameters():
            if any(part in entry for part in _SCORES):
                parameter.copy_(torch.randn(parameter.shape) / 2)
    return network


def write_both(folder: Path, network: TrainableDetector, architecture: Architecture) -> None:
    """Write a network as ``weights.pth`` and ``model.onnx``, each with its card."""
    torch.save(network.state_dict(), folder / "weights.pth")
    export_onnx(network, architecture, folder / "model.onnx")
    for file in (folder / "weights.pth", folder / "model.onnx"):
        ModelCard(
            name="both",
            architecture=architecture.name,
            sha256=sha256_of_file(file),
            classes=("WBC", "RBC", "Platelets"),
            thresholds=(0.3, 0.4, 0.35),
            border_odds_ratio=0.5,
            iou_threshold=0.4,  # another than any network's own
            rbc_px=architecture.rbc_px,
            source_rbc_px=60.0,
            stride=architecture.stride,
            receptive_px=architecture.receptive_px,
        ).write(file.with_suffix(".json"))


@pytest.mark.parametrize("name", EXPORTED)
def test_weights_and_exported_file_count_the_same(
    name: str, tmp_path: Path, pictures: list[Path]
) -> None:
    if name.startswith("yolo") and importlib.util.find_spec("libreyolo") is None:
        pytest.skip("libreyolo is not installed")
    write_both(tmp_path, confident(name), ARCHITECTURES[name])
    for picture in pictures:
        one = smearcount.count(picture, model=tmp_path / "weights.pth")
        other = smearcount.count(picture, model=tmp_path / "model.onnx")
        assert sum(one.counts.values()) > 5
        # Of more than a thousand random boxes one or the other overlaps by just the threshold.
        assert one.counts == pytest.approx(other.counts, rel=0.01, abs=1)
