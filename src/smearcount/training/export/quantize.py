"""A smearnet or a ruler in 8-bit integers: a third of the time on a CPU, for a measured loss.

Every convolution but the last ones is quantised, each of its output channels on its own; what flows
between them takes its range from training pictures. The last layers, from features to answers, stay
in floating point: one scale for boxes and scores would ruin both. A smearnet takes its 8-bit pixels
as they are: its normalisation by powers of two is just what 8-bit integers mean.

Weights use 7 of their 8 bits. Processors without VNNI add two products of an unsigned 8-bit and a
signed 8-bit number in 16 bits, which clips above 32,767; with weights of at most 64 the sum is at
most 2 * 255 * 64 = 32,640. So every processor gives the same answer.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

from smearcount.datasets.dataset import Dataset
from smearcount.errors import ModelError
from smearcount.image.image import Pixels
from smearcount.image.resample import PADDING_GRAY
from smearcount.training.export.onnx_export import store_as_half
from smearcount.training.export.space_to_depth import with_columns_folded
from smearcount.training.networks.architectures import Architecture
from smearcount.training.networks.smearnet import SPREAD
from smearcount.training.samples import CellSamples

CALIBRATION_IMAGES: Final = 96
"""More pictures than this move no range."""

_ANSWERS: Final = ("class_head.1", "side_head.1", "attention")
"""Names of the layers that stay in floating point: a smearnet's two and a ruler's."""


def quantise(source: Path, pictures: Iterable[Pixels], target: Path) -> None:
    """Write a quantised copy of a model that ``export_smearnet`` or ``export_ruler`` wrote.

    Args:
        source: the model in floating point.
        pictures: training pictures as the network sees them, shape (h, w, 3), uint8, with sides
            that are multiples of its stride; see :func:`calibration_pictures`. They may differ in
            size.
        target: the file to write; its inputs and outputs are those of ``source``.

    Raises:
        ModelError: the model has no such answers to stop before, or there are no pictures.
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain, mixed = Path(folder) / "plain.onnx", Path(folder) / "mixed.onnx"
        quant_pre_process(str(source), str(plain), skip_symbolic_shape=True)
        network = onnx.load(plain)
        seen = _first_seen(network)
        pixels_as_they_are = {
            "scale": np.array(1 / SPREAD, np.float32),
            "zero_point": np.array(PADDING_GRAY),
        }
        quantize_static(
            str(plain),
            str(mixed),
            _Reader(pictures, source),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            reduce_range=True,
            nodes_to_quantize=_trunk(network, source),
            extra_options={"TensorQuantOverrides": {seen: [pixels_as_they_are]}},
        )
        taken_as_they_are = _without_normalising(onnx.load(mixed), seen)
        model = store_as_half(with_columns_folded(taken_as_they_are))
    onnx.checker.check_model(model)
    target.write_bytes(model.SerializeToString())


def calibration_pictures(
    dataset: Dataset, of: Architecture, images: int = CALIBRATION_IMAGES, seed: int = 0
) -> list[Pixels]:
    """Return training pictures at the magnification that the network wants.

    Args:
        dataset: the training split.
        of: the network's architecture.
        images: how many to choose at random.
        seed: of the choice.
    """
    chosen = np.random.default_rng(seed).permutation(len(dataset.images))[:images]
    some = replace(dataset, images=tuple(dataset.images[int(index)] for index in chosen))
    samples = CellSamples(some, of.rbc_px, of.stride).samples
    return [sample.image.permute(1, 2, 0).numpy() for sample in samples]


class _Reader:
    """Gives the pictures to onnxruntime, one at a time."""

    def __init__(self, pictures: Iterable[Pixels], source: Path) -> None:
        self._left = iter(pictures)
        self._source = source
        self._name = onnx.load(source).graph.input[0].name
        self._given = 0

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        """Return the next input, or None at the end."""
        pixels = next(self._left, None)
        if pixels is None:
            if not self._given:
                raise ModelError(f"{self._source}: quantising needs at least one training picture.")
            return None
        self._given += 1
        return {self._name: np.ascontiguousarray(pixels)[None]}


def _first_seen(model: Any) -> str:
    """Return the name of what the first convolution takes: the normalised pixels."""
    first = next(node for node in model.graph.node if node.op_type == "Conv")
    return str(first.input[0])


def _without_normalising(model: onnx.ModelProto, seen: str) -> onnx.ModelProto:
    """Return the model with its pixels taken for the 8-bit form of the normalised ones.

    They are just that: ``(pixel - PADDING_GRAY) / SPREAD`` is what ``DequantizeLinear`` works out.
    So the nodes from the pixels to their quantised form fall away.
    """
    nodes = model.graph.node
    makers = {name: node for node in nodes for name in node.output}
    chain = [n for n in nodes if n.op_type == "QuantizeLinear" and n.input[0] == seen]
    while chain[-1].op_type != "Cast":
        chain.append(makers[chain[-1].input[0]])
    for node in nodes:
        for place, name in enumerate(node.input):
            if name == chain[0].output[0]:
                node.input[place] = chain[-1].input[0]
    for node in chain:
        nodes.remove(node)
    return model


def _trunk(model: Any, source: Path) -> list[str]:
    """Return the names of the nodes between the image and the last layers."""
    nodes = list(model.graph.node)  # sorted: each comes after those that it needs
    wanted: set[str] = set()
    beyond: set[str] = set()
    for node in nodes:
        is_answer = node.op_type == "Conv" and any(name in node.input[1] for name in _ANSWERS)
        if is_answer:
            wanted.update(node.input[:1])
        if is_answer or beyond.intersection(node.input):
            beyond.update(node.output)
    trunk = []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            if not beyond.intersection(node.output):
                trunk.append(node.name)
    if not trunk:
        raise ModelError(
            f"{source}: neither smearnet nor ruler, so nobody knows where its answers begin."
        )
    return trunk
