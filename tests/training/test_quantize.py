"""A quantised model is smaller, keeps the contract of its file, and sees nearly the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import onnx
import onnxruntime
import torch
from torch.nn.functional import conv2d, pad

from smearcount.errors import ModelError
from smearcount.training.export import quantize as quantise_module
from smearcount.training.export.onnx_export import export_smearnet
from smearcount.training.export.quantize import quantise
from smearcount.training.export.space_to_depth import widened
from smearcount.training.networks.smearnet import build_smearnet


def pictures(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    sizes = [(96, 128), (64, 96), (128, 96)]
    return [rng.integers(0, 256, (*sizes[n % 3], 3), dtype=np.uint8) for n in range(count)]


def answers(path: Path, image: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(["boxes", "scores"], {"image": image[None]})


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("quantise") / "float.onnx"
    network = build_smearnet(3)
    torch.nn.init.normal_(network.class_head[-1].weight, std=0.3)
    export_smearnet(network, path)
    return path


def test_a_quantised_model_is_smaller_and_answers_nearly_the_same(
    exported: Path, tmp_path: Path
) -> None:
    target = tmp_path / "int8.onnx"
    quantise(exported, pictures(6), target)
    assert target.stat().st_size < 0.7 * exported.stat().st_size
    for image in pictures(3):
        boxes, scores = answers(exported, image)
        close_boxes, close_scores = answers(target, image)
        assert np.abs(close_boxes - boxes).mean() < 1.0
        assert np.abs(close_scores - scores).mean() < 0.02


def test_all_but_the_last_layers_is_quantised_and_pixels_go_in_as_they_are(
    exported: Path, tmp_path: Path
) -> None:
    target = tmp_path / "int8.onnx"
    quantise(exported, pictures(3), target)
    graph = onnx.load(target).graph
    makers = {name: node.op_type for node in graph.node for name in node.output}
    for node in graph.node:
        if node.op_type == "Conv":
            is_last = "head.1." in node.input[1]
            assert (makers.get(node.input[1]) == "DequantizeLinear") is not is_last
        if node.op_type in ("Sigmoid", "Softmax", "Concat"):
            assert "DequantizeLinear" not in {makers.get(name) for name in node.input}
        assert node.op_type not in ("Sub", "Div") or makers.get(node.input[0]) != "Cast"


def test_columns_taken_as_one_change_no_bit_of_the_answers(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folded, plain = tmp_path / "folded.onnx", tmp_path / "plain.onnx"
    quantise(exported, pictures(3), folded)
    monkeypatch.setattr(quantise_module, "with_columns_folded", lambda model: model)
    quantise(exported, pictures(3), plain)
    for image in pictures(3):
        for one, other in zip(answers(folded, image), answers(plain, image), strict=True):
            assert np.array_equal(one, other)


@pytest.mark.parametrize("columns", [2, 4])
def test_a_widened_convolution_gives_the_columns_of_the_plain_one(columns: int) -> None:
    random = torch.Generator().manual_seed(columns)
    pixels = torch.randint(-9, 10, (1, 3, 12, 16), generator=random).float()
    weights = torch.randint(-9, 10, (5, 3, 3, 3), generator=random).float()
    plain = conv2d(pixels, weights, stride=2, padding=1)
    wide = torch.from_numpy(widened(weights.numpy().astype(np.int8), columns)).float()
    folded = pixels.permute(0, 2, 3, 1).reshape(1, 12, -1, 3 * columns).permute(0, 3, 1, 2)
    given = conv2d(pad(folded, (1, 0, 1, 0)), wide, stride=(2, 1))
    unfolded = given.permute(0, 2, 3, 1).reshape(1, 6, 8, 5).permute(0, 3, 1, 2)
    assert torch.equal(unfolded, plain)


def test_no_processor_can_clip_a_sum_of_two_products(exported: Path, tmp_path: Path) -> None:
    target = tmp_path / "int8.onnx"
    quantise(exported, pictures(3), target)
    graph = onnx.load(target).graph
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    weights = [
        stored[node.input[0]]
        for node in graph.node
        if node.op_type == "DequantizeLinear" and stored.get(node.input[0], np.zeros(0)).ndim == 4
    ]
    assert len(weights) > 10
    assert max(int(np.abs(w.astype(int)).max()) for w in weights) <= 64  # 2 * 255 * 64 < 2**15


def test_without_pictures_nothing_is_written(exported: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="at least one training picture"):
        quantise(exported, [], tmp_path / "int8.onnx")
    assert not (tmp_path / "int8.onnx").exists()
