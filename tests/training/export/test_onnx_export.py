"""An ONNX file predicts what its network predicts, or is not written."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from smearcount.detector.model_card import ModelCard
from smearcount.detector.onnx_detector import OnnxDetector
from smearcount.errors import ModelError
from smearcount.synthetic.smears import demo_smears
from smearcount.training.export.onnx_export import export_onnx, why_no_onnx
from smearcount.training.networks.architectures import ARCHITECTURES, build_network
from smearcount.training.networks.smearnet import SMEARNET, Smearnet


def test_the_exported_file_predicts_what_the_network_predicts(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = Smearnet(3).eval()
    file = tmp_path / "net.onnx"
    export_onnx(network, SMEARNET, file)
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    pixels = demo_smears()[0].pixels[:144, :208]
    boxes, scores = session.run(["boxes", "scores"], {"image": np.ascontiguousarray(pixels[None])})
    with torch.no_grad():
        image = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None]
        class_logits, ltrb_logits = network.logits(image)
        expected = network.boxes(ltrb_logits, network.anchor_points(144, 208, image.device))[0]
    assert np.abs(boxes - expected.numpy()).max() < 0.25
    assert np.abs(scores - class_logits[0].sigmoid().numpy()).max() < 0.01


@pytest.mark.parametrize("name", ["ssdlite320_mobilenet_v3_large", "yolox_nano", "yolox_s"])
def test_an_exported_file_counts_at_any_size(name: str, tmp_path: Path) -> None:
    if name.startswith("yolo"):
        pytest.importorskip("libreyolo")
    architecture = ARCHITECTURES[name]
    network = build_network(name, 3).eval()
    path = tmp_path / "model.onnx"
    export_onnx(network, architecture, path)  # refuses a file that predicts otherwise
    card = ModelCard(
        name=name,
        architecture=name,
        sha256="0" * 64,
        classes=("WBC", "RBC", "Platelets"),
        thresholds=(0.5, 0.5, 0.5),
        stride=architecture.stride,
    )
    pixels = np.random.default_rng(0).integers(0, 256, (75, 100, 3), dtype=np.uint8)
    detections = OnnxDetector(path, card, threads=1).detect(pixels)
    assert (detections.labels <= 3).all()


def test_an_architecture_without_onnx_file_names_the_reason(tmp_path: Path) -> None:
    without = {name for name, architecture in ARCHITECTURES.items() if why_no_onnx(architecture)}
    assert without == {
        "fasterrcnn_resnet50_fpn_v2",
        "retinanet_resnet50_fpn_v2",
        "fcos_resnet50_fpn",
    }
    with pytest.raises(ModelError, match="depends on each image"):
        export_onnx(torch.nn.Identity(), ARCHITECTURES["fcos_resnet50_fpn"], tmp_path / "a.onnx")


def test_a_file_that_predicts_otherwise_is_refused(tmp_path: Path) -> None:
    class Drifting(torch.nn.Module):
        """Predicts other boxes each time it runs in torch, but not in the exported file."""

        shift = 0.0

        def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            self.shift += 1.0
            columns = image[0, 0].float()
            return torch.cat([columns, columns[:, :1]], dim=1) + self.shift, columns / 255

    architecture = replace(SMEARNET, onnx_graph=lambda _: Drifting(), quantizable=False)
    with pytest.raises(ModelError, match="px in boxes"):
        export_onnx(torch.nn.Identity(), architecture, tmp_path / "wrong.onnx")
    assert not (tmp_path / "wrong.onnx").exists()
