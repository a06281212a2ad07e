"""Find and count red cells, white cells and platelets on images of blood smears.

>>> import smearcount
>>> result = smearcount.count("smear.png")
>>> result.counts
{'WBC': 1, 'RBC': 20, 'Platelets': 5}

A name is imported when it is first used, so that ``import smearcount`` stays fast. The names below
and those of :mod:`smearcount.training`, :mod:`smearcount.evaluation`,
:mod:`smearcount.datasets`, :mod:`smearcount.calibration` and :mod:`smearcount.synthetic` are
public; all else may change.

Importing it switches off the telemetry of ONNX Runtime, which would otherwise connect to the
network and keep an identifier of the computer. A value of ``ORT_DISABLE_TELEMETRY`` that is set
already is left as it is.
"""

import os

import lazy_loader

# Before anything can import onnxruntime, which reads this while it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"

__all__ = [
    "BatchResult",
    "CountResult",
    "DataError",
    "Detections",
    "Detector",
    "DownloadError",
    "EdgeRule",
    "ImageError",
    "ImageOutcome",
    "ModelCard",
    "ModelError",
    "Scale",
    "Settings",
    "SmearImage",
    "SmearcountError",
    "UsageError",
    "WriteError",
    "__version__",
    "count",
    "count_folder",
    "load_detector",
    "open_image",
    "predict",
]

__getattr__, __dir__, _ = lazy_loader.attach_stub(__name__, __file__)
