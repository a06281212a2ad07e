"""A quantized model is smaller, keeps the contract of its file, and predicts nearly the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from smearcount.errors import ModelError
from smearcount.training.export import quantize as quantize_module
from smearcount.training.export.onnx_export import export_onnx
from smearcount.training.export.quantize import quantize
from smearcount.training.networks.smearnet import SMEARNET, Smearnet


def images(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    sizes = [(96, 128), (64, 96), (128, 96)]
    return [rng.integers(0, 256, (*sizes[n % 3], 3), dtype=np.uint8) for n in range(count)]


def predict(path: Path, image: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(["boxes", "scores"], {"image": image[None]})


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("quantize") / "float.onnx"
    network = Smearnet(3)
    torch.nn.init.normal_(network.class_head[-1].weight, std=0.3)
    export_onnx(network, SMEARNET, path)
    return path


def test_a_quantized_model_is_smaller_and_predicts_nearly_the_same(
    exported: Path, tmp_path: Path
) -> None:
    target = tmp_path / "int8.onnx"
    quantize(exported, images(6), target)
    assert target.stat().st_size < 0.7 * exported.stat().st_size
    for image in images(3):
        boxes, scores = predict(exported, image)
        close_boxes, close_scores = predict(target, image)
        assert np.abs(close_boxes - boxes).mean() < 1.0
        assert np.abs(close_scores - scores).mean() < 0.02


def test_all_but_the_output_heads_is_quantized_and_8_bit_pixels_go_in_as_they_are(
    exported: Path, tmp_path: Path
) -> None:
    target = tmp_path / "int8.onnx"
    quantize(exported, images(3), target)
    graph = onnx.load(target).graph
    makers = {name: node.op_type for node in graph.node for name in node.output}
    for node in graph.node:
        if node.op_type == "Conv":
            is_head = "head.1." in node.input[1]
            assert (makers.get(node.input[1]) == "DequantizeLinear") is not is_head
        if node.op_type in ("Sigmoid", "Softmax", "Concat"):
            assert "DequantizeLinear" not in {makers.get(name) for name in node.input}
        assert node.op_type not in ("Sub", "Div") or makers.get(node.input[0]) != "Cast"


def test_space_to_depth_changes_no_bit_of_the_outputs(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_it, without_it = tmp_path / "with.onnx", tmp_path / "without.onnx"
    quantize(exported, images(3), with_it)
    monkeypatch.setattr(quantize_module, "with_space_to_depth", lambda model: model)
    quantize(exported, images(3), without_it)
    for image in images(3):
        outputs = zip(predict(with_it, image), predict(without_it, image), strict=True)
        assert all(np.array_equal(one, other) for one, other in outputs)


def test_no_processor_can_clip_a_sum_of_two_products(exported: Path, tmp_path: Path) -> None:
    target = tmp_path / "int8.onnx"
    quantize(exported, images(3), target)
    graph = onnx.load(target).graph
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    weights = [
        stored[node.input[0]]
        for node in graph.node
        if node.op_type == "DequantizeLinear" and stored.get(node.input[0], np.zeros(0)).ndim == 4
    ]
    assert len(weights) > 10
    assert max(int(np.abs(w.astype(int)).max()) for w in weights) <= 64  # 2 * 255 * 64 < 2**15


def test_without_images_nothing_is_written(exported: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="at least one training image"):
        quantize(exported, [], tmp_path / "int8.onnx")
    assert not (tmp_path / "int8.onnx").exists()
