"""A network in 8-bit integers: a third of the time on a CPU, for a measured loss.

For smearnet and the magnification estimator. Every convolution but the output heads is quantized,
each of its output channels on its own; the ranges of the activations come from training images.
The output heads stay in floating point: one scale for boxes and scores would ruin both. The 8-bit
pixels go in as they are: normalization by powers of two is just what 8-bit integers mean.

Weights use 7 of their 8 bits. Processors without VNNI add two products of an unsigned 8-bit and a
signed 8-bit number in 16 bits, which clips above 32,767; with weights of at most 64 the sum is at
most 2 * 255 * 64 = 32,640. So every processor computes the same.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

from smearcount.errors import ModelError
from smearcount.image.image import Pixels
from smearcount.image.resample import PADDING_GRAY
from smearcount.training.export.onnx_export import store_as_half
from smearcount.training.export.space_to_depth import with_space_to_depth
from smearcount.training.networks.smearnet import PIXEL_SCALE

CALIBRATION_IMAGES: Final = 96
"""More images than this change no range."""

_OUTPUT_HEADS: Final = ("class_head.1", "side_head.1", "attention")
"""Names of the layers that stay in floating point: two of smearnet, one of the estimator."""


def quantize(source: Path, images: Iterable[Pixels], target: Path) -> None:
    """Write a quantized copy of a model.

    Args:
        source: the model in floating point, as ``export_onnx`` or ``export_estimator`` wrote it.
        images: training images as the network sees them, shape (h, w, 3), uint8, with sides that
            are multiples of its stride. They may differ in size.
        target: the file to write; its inputs and outputs are those of ``source``.

    Raises:
        ModelError: the model has none of the output heads known here, or there are no images.
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        prepared, quantized = Path(folder) / "prepared.onnx", Path(folder) / "quantized.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        network = onnx.load(prepared)
        normalized = _normalized_pixels(network)
        pixel_range = {
            "scale": np.array(1 / PIXEL_SCALE, np.float32),
            "zero_point": np.array(PADDING_GRAY),
        }
        quantize_static(
            str(prepared),
            str(quantized),
            _CalibrationReader(images, source),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            reduce_range=True,
            nodes_to_quantize=_backbone(network, source),
            extra_options={"TensorQuantOverrides": {normalized: [pixel_range]}},
        )
        without_normalization = _without_normalization(onnx.load(quantized), normalized)
        model = store_as_half(with_space_to_depth(without_normalization))
    onnx.checker.check_model(model)
    target.write_bytes(model.SerializeToString())


class _CalibrationReader:
    """Hands the images to onnxruntime, one at a time."""

    def __init__(self, images: Iterable[Pixels], source: Path) -> None:
        self._images = iter(images)
        self._source = source
        self._input = onnx.load(source).graph.input[0].name
        self._any = False

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        """Return the next input, or None at the end."""
        pixels = next(self._images, None)
        if pixels is not None:
            self._any = True
            return {self._input: np.ascontiguousarray(pixels)[None]}
        if not self._any:
            raise ModelError(f"{self._source}: quantizing needs at least one training image.")
        return None


def _normalized_pixels(model: Any) -> str:
    """Return the name of the first convolution's input: the normalized pixels."""
    first = next(node for node in model.graph.node if node.op_type == "Conv")
    return str(first.input[0])


def _without_normalization(model: onnx.ModelProto, normalized: str) -> onnx.ModelProto:
    """Return the model with its pixels taken for the 8-bit form of the normalized ones.

    They are just that: ``(pixel - PADDING_GRAY) / PIXEL_SCALE`` is what ``DequantizeLinear``
    computes. So the nodes from the pixels to their quantized form fall away.
    """
    nodes = model.graph.node
    producers = {name: node for node in nodes for name in node.output}
    chain = [n for n in nodes if n.op_type == "QuantizeLinear" and n.input[0] == normalized]
    while chain[-1].op_type != "Cast":
        chain.append(producers[chain[-1].input[0]])
    for node in nodes:
        for position, name in enumerate(node.input):
            if name == chain[0].output[0]:
                node.input[position] = chain[-1].input[0]
    for node in chain:
        nodes.remove(node)
    return model


def _backbone(model: Any, source: Path) -> list[str]:
    """Return the names of the nodes between the image and the output heads."""
    nodes = list(model.graph.node)  # sorted: each comes after those whose outputs it takes
    needed: set[str] = set()
    after_heads: set[str] = set()
    for node in nodes:
        is_head = node.op_type == "Conv" and any(name in node.input[1] for name in _OUTPUT_HEADS)
        if is_head:
            needed.update(node.input[:1])
        if is_head or after_heads.intersection(node.input):
            after_heads.update(node.output)
    backbone = []
    for node in reversed(nodes):
        if needed.intersection(node.output):
            needed.update(node.input)
            if not after_heads.intersection(node.output):
                backbone.append(node.name)
    if not backbone:
        raise ModelError(
            f"{source}: neither smearnet nor a magnification estimator, so its output heads are "
            "unknown; only those two can be quantized."
        )
    return backbone
