"""The magnification estimator learns from annotated data; its file predicts what it predicts."""

from importlib import resources
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from doubles.tiny_training import write_drawn_smears
from smearcount.detector.magnification import MagnificationCard
from smearcount.synthetic.smears import demo_smears
from smearcount.training.export.quantize import quantize
from smearcount.training.magnification import (
    MagnificationViews,
    calibration_views,
    export_estimator,
)
from smearcount.training.networks.magnification_estimator import MagnificationEstimator


def test_views_are_square_and_within_the_range_of_magnifications(tmp_path: Path) -> None:
    views = MagnificationViews(write_drawn_smears(tmp_path), 8, seed=0, photometric_strength=1.0)
    shown = [views[index] for index in range(8)]
    assert all(view.shape == (3, 160, 160) and view.dtype == torch.uint8 for view, _ in shown)
    assert all(2 <= float(log2_px) <= 7 for _, log2_px in shown)
    again = views[3]
    assert torch.equal(again[0], shown[3][0])


def test_the_exported_file_predicts_what_the_network_predicts(tmp_path: Path) -> None:
    torch.manual_seed(0)
    estimator = MagnificationEstimator().eval()
    export_estimator(estimator, tmp_path / "ruler.onnx")
    session = onnxruntime.InferenceSession(
        str(tmp_path / "ruler.onnx"), providers=["CPUExecutionProvider"]
    )
    views = np.stack([demo_smears()[0].pixels[:96, :128]] * 3)
    log2_px, doubt = session.run(["log2_px", "doubt"], {"views": views})
    with torch.no_grad():
        expected, expected_doubt = estimator(torch.from_numpy(views).permute(0, 3, 1, 2))
    assert np.abs(log2_px - expected.numpy()).max() < 0.02
    assert np.abs(doubt - expected_doubt.numpy()).max() < 0.02


def test_a_card_with_unknown_entries_is_refused() -> None:
    assert MagnificationCard.model_config["extra"] == "forbid"


def test_an_estimator_in_8_bits_predicts_nearly_the_same(tmp_path: Path) -> None:
    shipped = resources.files("smearcount.detector") / "model" / "ruler.onnx"
    kinds = {node.op_type for node in onnx.load_from_string(shipped.read_bytes()).graph.node}
    assert "DequantizeLinear" in kinds
    torch.manual_seed(0)
    plain, small = tmp_path / "ruler.onnx", tmp_path / "small.onnx"
    estimator = MagnificationEstimator().eval()
    with torch.no_grad():
        estimator.head[2].weight.mul_(
            300
        )  # an untrained one predicts nearly the same for every view
    export_estimator(estimator, plain)
    data = write_drawn_smears(tmp_path)
    quantize(plain, calibration_views(data), small)
    assert small.stat().st_size < 0.6 * plain.stat().st_size
    views = np.stack(list(calibration_views(data)))
    first, second = (
        onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(
            ["log2_px"], {"views": views[:64]}
        )[0]
        for path in (plain, small)
    )
    assert first.std() > 0.2
    assert np.corrcoef(first, second)[0, 1] > 0.98
