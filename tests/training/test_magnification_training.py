"""The ruler learns from any annotated data, and its file answers as the trained network does."""

from importlib import resources
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from PIL import Image

from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.detector.magnification import MagnificationCard
from smearcount.synthetic.smears import demo_smears
from smearcount.training.export.quantize import quantise
from smearcount.training.magnification import (
    Ruler,
    RulerViews,
    calibration_views,
    export_ruler,
)
from smearcount.training.samples import full_diameters, rbc_diameters


def drawn(folder: Path) -> Dataset:
    images = []
    for index, smear in enumerate(demo_smears()[:2]):
        path = folder / f"{index}.png"
        Image.fromarray(smear.pixels).save(path)
        height, width = smear.pixels.shape[:2]
        images.append(AnnotatedImage(path, width, height, smear.boxes_xyxy_px, smear.labels))
    return Dataset(("WBC", "RBC", "Platelets"), tuple(images), "drawn")


def test_labels_tell_the_diameter_of_a_red_cell(tmp_path: Path) -> None:
    hundred, hundred_and_thirty = rbc_diameters(drawn(tmp_path))
    assert abs(hundred / 100 - 1) < 0.12
    assert abs(hundred_and_thirty / 130 - 1) < 0.12


def test_a_cell_cut_by_one_border_counts_by_the_side_it_shows() -> None:
    boxes = np.array(
        [[0, 20, 30, 60], [50, 80, 90, 100], [0, 0, 30, 30], [0, 60, 10, 100]], np.float32
    )
    assert full_diameters(boxes, 100, 100).tolist() == [40.0]  # the others show too little


def test_views_come_at_the_magnification_they_say(tmp_path: Path) -> None:
    views = RulerViews(drawn(tmp_path), 8, seed=0, looks=1.0)
    shown = [views[index] for index in range(8)]
    assert all(view.shape == (3, 160, 160) and view.dtype == torch.uint8 for view, _ in shown)
    assert all(2 <= float(log2_px) <= 7 for _, log2_px in shown)
    again = views[3]
    assert torch.equal(again[0], shown[3][0])


def test_the_exported_file_answers_as_the_network_does(tmp_path: Path) -> None:
    torch.manual_seed(0)
    ruler = Ruler().eval()
    export_ruler(ruler, tmp_path / "ruler.onnx")
    session = onnxruntime.InferenceSession(
        str(tmp_path / "ruler.onnx"), providers=["CPUExecutionProvider"]
    )
    views = np.stack([demo_smears()[0].pixels[:96, :128]] * 3)
    log2_px, doubt = session.run(["log2_px", "doubt"], {"views": views})
    with torch.no_grad():
        expected, expected_doubt = ruler(torch.from_numpy(views).permute(0, 3, 1, 2))
    assert np.abs(log2_px - expected.numpy()).max() < 0.02
    assert np.abs(doubt - expected_doubt.numpy()).max() < 0.02


def test_a_card_with_unknown_entries_is_refused() -> None:
    assert MagnificationCard.model_config["extra"] == "forbid"


def test_a_ruler_in_8_bits_reads_nearly_the_same(tmp_path: Path) -> None:
    shipped = resources.files("smearcount.detector") / "model" / "ruler.onnx"
    kinds = {node.op_type for node in onnx.load_from_string(shipped.read_bytes()).graph.node}
    assert "DequantizeLinear" in kinds
    torch.manual_seed(0)
    plain, small = tmp_path / "ruler.onnx", tmp_path / "small.onnx"
    ruler = Ruler().eval()
    with torch.no_grad():
        ruler.answer[2].weight.mul_(300)  # an untrained one says nearly the same of every view
    export_ruler(ruler, plain)
    data = drawn(tmp_path)
    quantise(plain, calibration_views(data), small)
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
