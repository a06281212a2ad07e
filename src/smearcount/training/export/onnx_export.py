"""From a trained network to the ONNX file that counts without torch.

Contract of the file: input ``image``, uint8 (1, H, W, 3) RGB, H and W multiples of the card's
stride; outputs ``boxes``, float32 (n, 4) xyxy in input pixels, and ``scores``, float32 (n, K) in
[0, 1], before suppression. Normalization lies inside the graph, so nothing can be done twice.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn

from smearcount.errors import ModelError
from smearcount.training.networks.protocol import Architecture

BOX_TOLERANCE_PX: Final = 0.25
SCORE_TOLERANCE: Final = 0.01
"""The file may differ by so much from the network that it is exported from."""

MAX_SIDE_STRIDES: Final = 4096
MAX_SIDE_PX: Final = 16384
"""The largest input side, in strides or, for a network that takes any size, in pixels."""

MIN_HALVED_WEIGHTS: Final = 256
"""Smaller tensors stay in float32: they take no space."""


def export_onnx(network: nn.Module, architecture: Architecture, path: Path) -> None:
    """Write a network as ONNX.

    Args:
        network: trained; it is not changed.
        architecture: of the network.
        path: the ``.onnx`` file.

    Raises:
        ModelError: its architecture allows no such file, or the file would not give the boxes and
            scores that the network gives.
    """
    if architecture.onnx_graph is None:
        raise ModelError(why_no_onnx(architecture))
    exported = copy.deepcopy(network).eval().cpu().float()
    graph = architecture.onnx_graph(exported.to(memory_format=torch.contiguous_format)).eval()
    stride = architecture.stride
    step = max(stride, 16)
    model = to_onnx(
        graph,
        torch.zeros((1, 8 * step, 10 * step, 3), dtype=torch.uint8),
        ["image"],
        ["boxes", "scores"],
        {1: _side("h", stride), 2: _side("w", stride)},
    )
    payload = model.SerializeToString()
    sizes = ((6 * step, 10 * step), (15 * step, 13 * step))
    check_agreement(graph, payload, sizes)
    path.write_bytes(payload)


def why_no_onnx(architecture: Architecture) -> str:
    """Return why an architecture has no ONNX file, as a sentence; empty if it has one."""
    reason = architecture.why_no_onnx
    if not reason:
        return ""
    return f"{architecture.name}: no ONNX file, since {reason}; the .pth file counts as well."


def to_onnx(
    graph: nn.Module,
    example: Tensor,
    inputs: Sequence[str],
    outputs: Sequence[str],
    dynamic_sides: dict[int, Any],
) -> onnx.ModelProto:
    """Return a network with one input as a checked ONNX model.

    Args:
        graph: in evaluation mode.
        example: an input, whose values do not matter.
        inputs: the name of the input.
        outputs: the names of the outputs.
        dynamic_sides: those dimensions of the input that may vary, by their index.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            graph,
            (example,),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_shapes=(dynamic_sides,),
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    onnx.checker.check_model(program.model_proto)
    return program.model_proto


def _side(name: str, stride: int) -> Any:
    """Return a dimension of any multiple of ``stride``."""
    if stride == 1:
        return torch.export.Dim(name, min=32, max=MAX_SIDE_PX)
    return stride * torch.export.Dim(f"{name}{stride}", max=MAX_SIDE_STRIDES)


def store_as_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with its large weights as float16, cast back where they are used.

    It halves the file; onnxruntime folds the casts when it loads the model.
    """
    halved = copy.deepcopy(model)
    graph = halved.graph
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or np.prod(tensor.dims) < MIN_HALVED_WEIGHTS:
            continue
        wide = tensor.name
        narrow = f"{wide}_half"
        values = numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(values, narrow))
        casts.append(helper.make_node("Cast", [narrow], [wide], to=onnx.TensorProto.FLOAT))
    for position, cast in enumerate(casts):
        graph.node.insert(position, cast)
    del graph.value_info[:]
    onnx.checker.check_model(halved)
    return halved


def check_agreement(graph: nn.Module, payload: bytes, sizes: Sequence[tuple[int, int]]) -> None:
    """Refuse a file whose outputs differ from those of the network.

    Args:
        graph: what was exported.
        payload: the file's content.
        sizes: heights and widths to try.

    Raises:
        ModelError: boxes differ by more than 0.25 px or scores by more than 0.01.
    """
    session = onnxruntime.InferenceSession(payload, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    for height, width in sizes:
        image = random.integers(0, 256, (1, height, width, 3), dtype=np.uint8)
        image[:, 20:60, 30:75] = (200, 120, 130)
        with torch.no_grad():
            boxes, scores = graph(torch.from_numpy(image))
        file_boxes, file_scores = session.run(["boxes", "scores"], {"image": image})
        box_error = float(np.abs(file_boxes - boxes.numpy()).max())
        score_error = float(np.abs(file_scores - scores.numpy()).max())
        if box_error > BOX_TOLERANCE_PX or score_error > SCORE_TOLERANCE:
            raise ModelError(
                f"The exported model is off by {box_error:.2f} px in boxes and {score_error:.3f} "
                "in scores from the trained one; it was not written."
            )
