"""An ONNX model answers in the pixels it was given, whatever their size."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from doubles.pictures import noise
from doubles.tiny_model import write_tiny_model
from smearcount.detections.boxes import iou
from smearcount.detector.detector import DenseDetector
from smearcount.detector.inference import SCORE_FLOOR
from smearcount.detector.load import load_detector
from smearcount.detector.onnx_detector import OnnxDetector
from smearcount.errors import ModelError
from smearcount.image.resample import PADDING_GRAY


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx")


def test_detections_are_suppressed_floored_and_unlimited(model: Path) -> None:
    detector = load_detector(model)
    found = detector.detect(noise(400, 320))
    assert isinstance(detector, DenseDetector)
    assert len(found) > 250
    assert found.scores.min() >= SCORE_FLOOR
    assert set(found.labels) <= {1, 2, 3}
    overlaps = iou(found.boxes_xyxy_px, found.boxes_xyxy_px)
    np.fill_diagonal(overlaps, 0)
    assert overlaps.max() <= detector.card.iou_threshold + 1e-6


def test_sides_need_not_be_multiples_of_the_stride(model: Path) -> None:
    detector = load_detector(model)
    pixels = noise(203, 149)
    padded = np.full((152, 208, 3), PADDING_GRAY, np.uint8)
    padded[:149, :203] = pixels
    assert np.array_equal(
        detector.detect(pixels).boxes_xyxy_px, detector.detect(padded).boxes_xyxy_px
    )


def test_loading_and_looking_say_nothing_on_stderr(
    model: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    load_detector(model).detect(noise(64, 64))
    assert capfd.readouterr() == ("", "")


def test_a_model_of_another_contract_is_refused(tmp_path: Path, model: Path) -> None:
    other = write_tiny_model(tmp_path / "other.onnx", scores="confidence")
    with pytest.raises(ModelError, match="boxes` and `scores"):
        load_detector(other)


def test_a_card_with_other_classes_is_noticed(tmp_path: Path) -> None:
    two = write_tiny_model(tmp_path / "two.onnx", n_classes=2)
    with pytest.raises(ModelError, match="3 classes"):
        load_detector(two).detect(noise(64, 64))


def test_a_file_that_is_no_onnx_is_one_sentence(tmp_path: Path, model: Path) -> None:
    card = load_detector(model).card
    (tmp_path / "bad.onnx").write_bytes(b"not a model")
    with pytest.raises(ModelError, match=r"bad\.onnx") as caught:
        OnnxDetector(tmp_path / "bad.onnx", card)
    assert "\n" not in str(caught.value)


def test_an_empty_answer_is_no_detection(tmp_path: Path, model: Path) -> None:
    nodes = [
        helper.make_node("Constant", [], [name], value=helper.make_tensor("v", 1, [0, n], []))
        for name, n in (("boxes", 4), ("scores", 3))
    ]
    graph = helper.make_graph(
        nodes,
        "empty",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, "h", "w", 3])],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in ("boxes", "scores")],
    )
    path = tmp_path / "empty.onnx"
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path
    )
    assert len(OnnxDetector(path, load_detector(model).card).detect(noise(64, 64))) == 0
