"""From a trained smearnet to the ONNX file that counts without torch.

Contract of the file: input ``image``, uint8 (1, H, W, 3) RGB, H and W multiples of the card's
stride; outputs ``boxes``, float32 (n, 4) xyxy in input pixels, and ``scores``, float32 (n, K) in
[0, 1], before suppression. Normalisation lies inside the graph, so nothing can be done twice.
"""

from __future__ import annotations

import copy
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from smearcount.errors import ModelError
from smearcount.training.networks.smearnet import SIDE_MULTIPLE, ConvNormAct, Smearnet

BOX_TOLERANCE_PX = 0.25
SCORE_TOLERANCE = 0.01


class _CountingGraph(nn.Module):
    """Smearnet with the file's inputs and outputs."""

    def __init__(self, network: Smearnet) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Map (1, H, W, 3) uint8 to boxes (n, 4) and scores (n, K)."""
        class_logits, side_logits = self.network(image.permute(0, 3, 1, 2))
        locations = self.network.locations(image.shape[1], image.shape[2], image.device)
        return self.network.boxes(side_logits, locations)[0], class_logits[0].sigmoid()


def export_smearnet(network: Smearnet, path: Path) -> None:
    """Write a smearnet as ONNX, its weights stored as float16 and computed in float32.

    Raises:
        ModelError: the file would not give the boxes and scores that torch gives.
    """
    graph = _CountingGraph(with_norms_fused(network)).eval()
    side = 8 * SIDE_MULTIPLE
    example = torch.randint(0, 256, (1, side, side + 2 * SIDE_MULTIPLE, 3), dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            graph,
            (example,),
            input_names=["image"],
            output_names=["boxes", "scores"],
            dynamic_shapes={
                "image": {
                    1: SIDE_MULTIPLE * torch.export.Dim("h16", max=4096),
                    2: SIDE_MULTIPLE * torch.export.Dim("w16", max=4096),
                }
            },
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    model = store_as_half(program.model_proto)
    onnx.checker.check_model(model)
    payload = model.SerializeToString()
    check_agreement(graph, payload)
    path.write_bytes(payload)


def with_norms_fused(network: Smearnet) -> Smearnet:
    """Return a copy in evaluation mode whose batch norms are part of the convolutions."""
    fused = copy.deepcopy(network).eval().cpu().float()
    for module in fused.modules():
        if isinstance(module, ConvNormAct):
            convolution, norm = module[0], module[1]
            assert isinstance(convolution, nn.Conv2d)
            assert isinstance(norm, nn.BatchNorm2d)
            module[0] = fuse_conv_bn_eval(convolution, norm)
            module[1] = nn.Identity()
    return fused.to(memory_format=torch.contiguous_format)


def store_as_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with its large weights as float16, cast back where they are used.

    It halves the file; onnxruntime folds the casts when it loads the model.
    """
    halved = copy.deepcopy(model)
    graph = halved.graph
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or np.prod(tensor.dims) < 256:
            continue
        wide = tensor.name
        narrow = f"{wide}_half"
        values = numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(values, narrow))
        casts.append(helper.make_node("Cast", [narrow], [wide], to=onnx.TensorProto.FLOAT))
    for position, cast in enumerate(casts):
        graph.node.insert(position, cast)
    del graph.value_info[:]
    return halved


def check_agreement(
    graph: nn.Module, payload: bytes, sizes: tuple[tuple[int, int], ...] = ((96, 160), (240, 208))
) -> None:
    """Refuse a file that does not answer as torch does.

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
        got_boxes, got_scores = session.run(["boxes", "scores"], {"image": image})
        off = float(np.abs(got_boxes - boxes.numpy()).max())
        off_score = float(np.abs(got_scores - scores.numpy()).max())
        if off > BOX_TOLERANCE_PX or off_score > SCORE_TOLERANCE:
            raise ModelError(
                f"The exported model is off by {off:.2f} px in boxes and {off_score:.3f} in scores "
                "from the trained one; it was not written."
            )
