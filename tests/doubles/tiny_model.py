"""Small ONNX models with random weights that keep to the package's contract."""

import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from smearcount.detector.model_card import ModelCard

STRIDE = 8
RECEPTIVE_PX = 64
"""Its convolutions look 35 px around a place, and a box's centre lies at most 8 px from it."""


def write_tiny_model(path: Path, seed: int = 0, scores: str = "scores", n_classes: int = 3) -> Path:
    """Write a fully convolutional model of stride 8, and its card beside it."""
    random = np.random.default_rng(seed)
    weights: list[onnx.TensorProto] = []

    def constant(name: str, values: np.ndarray) -> str:
        weights.append(numpy_helper.from_array(values, name))
        return name

    def convolve(given: str, name: str, outputs: int, inputs: int, stride: int, size: int = 3):
        spread = 1.5 / np.sqrt(inputs * size * size)
        kernel = random.normal(0, spread, (outputs, inputs, size, size)).astype(np.float32)
        bias = random.normal(0, 0.1, outputs).astype(np.float32)
        return helper.make_node(
            "Conv",
            [given, constant(f"{name}_w", kernel), constant(f"{name}_b", bias)],
            [name],
            strides=[stride, stride],
            pads=[size // 2] * 4,
        )

    def ints(name: str, *values: int) -> str:
        return constant(name, np.array(values, np.int64))

    def number(name: str, value: float) -> str:
        return constant(name, np.array(value, np.float32))

    def axis(name: str, value: int) -> str:
        return constant(f"along_{name}", np.array(value, np.int64))

    nodes = [
        helper.make_node("Cast", ["image"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["real"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Sub", ["planes", number("half", 127.5)], ["centred"]),
        helper.make_node("Div", ["centred", number("spread", 63.0)], ["normal"]),
        convolve("normal", "c1", 8, 3, 2),
        helper.make_node("Relu", ["c1"], ["r1"]),
        convolve("r1", "c2", 8, 8, 2),
        helper.make_node("Relu", ["c2"], ["r2"]),
        convolve("r2", "c3", 12, 8, 2),
        helper.make_node("Relu", ["c3"], ["r3"]),
        convolve("r3", "c4", 12, 12, 1),
        helper.make_node("Relu", ["c4"], ["r4"]),
        convolve("r4", "logits", n_classes, 12, 1, 1),
        convolve("r4", "raw_sides", 4, 12, 1, 1),
        # scores (h·w, K), most of them low
        helper.make_node("Mul", ["logits", number("contrast", 4.0)], ["sharp"]),
        helper.make_node("Sub", ["sharp", number("rarity", 4.0)], ["rare"]),
        helper.make_node("Sigmoid", ["rare"], ["share"]),
        helper.make_node("Transpose", ["share"], ["share_last"], perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", ["share_last", ints("flat_k", -1, n_classes)], [scores]),
        # sides: 4 to 20 px from each place
        helper.make_node("Sigmoid", ["raw_sides"], ["unit_sides"]),
        helper.make_node("Mul", ["unit_sides", number("range", 16.0)], ["ranged"]),
        helper.make_node("Add", ["ranged", number("least", 4.0)], ["sides_first"]),
        helper.make_node("Transpose", ["sides_first"], ["sides_last"], perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", ["sides_last", ints("flat_4", -1, 4)], ["sides"]),
        helper.make_node("Mul", ["sides", constant("signs", np.float32([-1, -1, 1, 1]))], ["off"]),
        # places: (x, y, x, y) of each output, counted by cumulative sums of ones
        helper.make_node("Slice", ["share", ints("s0", 0), ints("s1", 1), ints("s2", 1)], ["one"]),
        helper.make_node("Mul", ["one", number("zero", 0.0)], ["zeros"]),
        helper.make_node("Add", ["zeros", number("stride", float(STRIDE))], ["steps"]),
        helper.make_node("CumSum", ["steps", axis("y", 2)], ["y_end"]),
        helper.make_node("CumSum", ["steps", axis("x", 3)], ["x_end"]),
        helper.make_node("Concat", ["x_end", "y_end", "x_end", "y_end"], ["ends"], axis=1),
        helper.make_node("Sub", ["ends", number("half_step", STRIDE / 2)], ["places_first"]),
        helper.make_node("Transpose", ["places_first"], ["places_last"], perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", ["places_last", "flat_4"], ["places"]),
        helper.make_node("Add", ["places", "off"], ["boxes"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, "h", "w", 3])],
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, ["n", 4]),
            helper.make_tensor_value_info(scores, TensorProto.FLOAT, ["n", n_classes]),
        ],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    card = ModelCard(
        name="tiny",
        architecture="tiny",
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        classes=("WBC", "RBC", "Platelets"),
        thresholds=(0.5, 0.5, 0.5),
        iou_threshold=0.5,
        rbc_px=24.0,
        source_rbc_px=24.0,
        stride=STRIDE,
        receptive_px=RECEPTIVE_PX,
    )
    card.write(path.with_suffix(".json"))
    return path
