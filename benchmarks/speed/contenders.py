"""Who is measured: each goes from one JPEG file to its answer.

Weights of the others are random: they serve for time, not for accuracy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

THREADS = 2
SIDE_640 = 640

OURS = "smearcount"
FLOOR = "JPEG decoding alone"

Call = Callable[[], object]


@dataclass(frozen=True)
class Contender:
    """One way to come from a JPEG to an answer.

    Attributes:
        load: returns what is timed; called with the photograph and the file below.
        export: writes the model file that ``load`` reads; None where there is none to write.
        package: what one would install for it.
    """

    load: Callable[[Path, Path], Call]
    export: Callable[[Path], None] | None = None
    package: str = "smearcount"


def _ours(pixel_size_um: float | None) -> Callable[[Path, Path], Call]:
    def load(photograph: Path, _: Path) -> Call:
        import smearcount

        detector = smearcount.load_detector(threads=THREADS)
        return lambda: (
            smearcount.count(photograph, model=detector, pixel_size_um=pixel_size_um).counts
        )

    return load


def _decoding(shrink: int) -> Callable[[Path, Path], Call]:
    def load(photograph: Path, _: Path) -> Call:
        def call() -> object:
            image = Image.open(photograph)
            image.draft("RGB", (image.width // shrink, image.height // shrink))
            return np.asarray(image)

        return call

    return load


def _torchvision(name: str) -> Callable[[Path, Path], Call]:
    def load(photograph: Path, _: Path) -> Call:
        import torch
        from torchvision.transforms.v2 import functional

        from smearcount.training.networks.architectures import build_network

        torch.set_num_threads(THREADS)
        network = build_network(name, 3).eval()

        def call() -> object:
            image = functional.pil_to_tensor(Image.open(photograph).convert("RGB"))
            with torch.inference_mode():
                return network.predict(image[None])

        return call

    return load


def _session(file: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def _export_ssd300(file: Path) -> None:
    from smearcount.training.export.onnx_export import export_onnx
    from smearcount.training.networks.architectures import ARCHITECTURES, build_network

    name = "ssd300_vgg16"
    export_onnx(build_network(name, 3), ARCHITECTURES[name], file)


def _load_ssd300(photograph: Path, file: Path) -> Call:
    session = _session(file)

    def call() -> object:
        pixels = np.asarray(Image.open(photograph).convert("RGB"))[None]
        return session.run(None, {"image": pixels})

    return call


def _export_yolox(file: Path) -> None:
    """Write YOLOX-nano of libreyolo."""
    from libreyolo.models.yolox.nn import LibreYOLOXModel

    _export_yolo(LibreYOLOXModel("n", nb_classes=3), file)


def _export_yolo9(file: Path) -> None:
    """Write YOLOv9-t of libreyolo."""
    from libreyolo.models.yolo9.nn import LibreYOLO9Model

    _export_yolo(LibreYOLO9Model("t", nb_classes=3), file)


def _export_yolo(network: Any, file: Path) -> None:
    """Write a YOLO at 640 px, before suppression."""
    import torch

    network.eval().head.export = True
    example = torch.zeros(1, 3, SIDE_640, SIDE_640)
    torch.onnx.export(network, (example,), str(file), dynamo=True, verbose=False)


def _load_yolo(photograph: Path, file: Path) -> Call:
    session = _session(file)
    name = session.get_inputs()[0].name

    def call() -> object:
        image = Image.open(photograph).convert("RGB").resize((SIDE_640, SIDE_640))
        planes = np.asarray(image, np.float32).transpose(2, 0, 1)[None]
        return session.run(None, {name: np.ascontiguousarray(planes)})

    return call


CONTENDERS: dict[str, Contender] = {
    OURS: Contender(_ours(None)),
    "smearcount, pixel size given": Contender(_ours(0.075)),
    FLOOR: Contender(_decoding(1), package="pillow"),
    "JPEG decoding at half scale": Contender(_decoding(2), package="pillow"),
    "YOLOX-nano at 640 px, onnxruntime": Contender(_load_yolo, _export_yolox, "onnxruntime"),
    "YOLOv9-t at 640 px, onnxruntime": Contender(_load_yolo, _export_yolo9, "onnxruntime"),
    "SSD300, onnxruntime": Contender(_load_ssd300, _export_ssd300, "onnxruntime"),
    "SSD300, PyTorch": Contender(_torchvision("ssd300_vgg16"), package="torchvision"),
    "Faster R-CNN, PyTorch": Contender(
        _torchvision("fasterrcnn_resnet50_fpn_v2"), package="torchvision"
    ),
}
"""By name; a YOLO is timed up to the boxes before suppression, which flatters it a little."""
