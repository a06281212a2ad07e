"""Space to depth in the first convolutions of a quantized network, for speed.

Three color channels are too few to keep a processor's 8-bit arithmetic busy. But the pixels of a
row lie side by side in memory, so four of them are, without any copying, one pixel of twelve
channels in an image a quarter as wide. The first convolution then computes two of its output
columns as one, and the second takes them as one. Only zeros are added to the weights, so in
integers every output stays the same, bit for bit. What it saves is in ``docs/experiments.md``.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

COLUMNS: Final = (4, 2)
"""How many columns the first and second convolution take as one; each gives half as many."""

_ATTRIBUTES: Final = {"kernel_shape": (3, 2), "strides": (2, 1), "pads": (1, 1, 0, 0)}
"""Of both convolutions afterwards."""


def with_space_to_depth(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with several columns of pixels taken as one; the argument is changed.

    Args:
        model: in QDQ form, the input (B, H, W, 3) in 8 bits with W a multiple of 4; the first two
            convolutions of 3 × 3, with stride 2 and a padding of 1, follow each other.
    """
    graph = model.graph
    producers = {name: node for node in graph.node for name in node.output}
    initializers = {tensor.name: tensor for tensor in graph.initializer}
    image = graph.input[0].name
    transpose = next(n for n in graph.node if n.op_type == "Transpose" and n.input[0] == image)
    shape = numpy_helper.from_array(np.array([0, 0, -1, 3 * COLUMNS[0]], np.int64), "columns_shape")
    graph.initializer.append(shape)
    reshape = helper.make_node("Reshape", [image, shape.name], ["columns"], "fold_columns")
    graph.node.insert(list(graph.node).index(transpose), reshape)
    transpose.input[0] = reshape.output[0]
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    for convolution, columns in zip(convolutions, COLUMNS, strict=False):
        for name in (n for source in convolution.input[1:] for n in producers[source].input):
            values = numpy_helper.to_array(initializers[name])
            if values.ndim == 4:
                values = space_to_depth_weights(values, columns)
            elif values.ndim == 1:
                values = np.tile(values, columns // 2)
            initializers[name].CopyFrom(numpy_helper.from_array(values, name))
        for attribute in convolution.attribute:
            if attribute.name in _ATTRIBUTES:
                attribute.ints[:] = _ATTRIBUTES[attribute.name]
    del graph.value_info[:]
    return model


def space_to_depth_weights(weights: NDArray[np.int8], columns: int) -> NDArray[np.int8]:
    """Return the weights that take so many columns as one and give half as many as one.

    Args:
        weights: (outputs, inputs, 3, 3), for stride 2 and a padding of 1.
        columns: even.

    Returns:
        (outputs · columns / 2, inputs · columns, 3, 2), for stride 2 down and 1 across, and a
        padding of 1 above and on the left.
    """
    outputs, inputs = weights.shape[:2]
    wide = np.zeros((columns // 2, outputs, columns, inputs, 3, 2), weights.dtype)
    for given in range(columns // 2):
        for k in range(3):
            block, column = divmod(2 * given + k - 1, columns)
            wide[given, :, column, :, :, block + 1] = weights[:, :, :, k]
    return wide.reshape(columns // 2 * outputs, columns * inputs, 3, 2)
