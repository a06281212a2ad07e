"""Loading a detector: the one that ships, or a model file with its card."""

from __future__ import annotations

import hashlib
from os import PathLike
from pathlib import Path
from typing import Final

from smearcount.detector.card import ModelCard
from smearcount.detector.detector import Detector
from smearcount.detector.onnx_detector import OnnxDetector
from smearcount.errors import ModelError

SHIPPED: Final = Path(__file__).parent / "model" / "smearcount-s.onnx"
"""The model that counts unless another is asked for."""

TORCH_SUFFIXES: Final = frozenset({".pt", ".pth", ".ckpt", ".safetensors"})
"""Kinds of files that need torch and the training room."""


def load_detector(
    path: str | PathLike[str] | None = None, *, threads: int | None = None
) -> Detector:
    """Load a detector.

    Args:
        path: an ``.onnx`` file with its ``.json`` card beside it, or, where torch is installed, a
            checkpoint; None loads the model that ships with the package.
        threads: CPU threads that one look of an ``.onnx`` model takes; None takes those available,
            at most 4.

    Raises:
        ModelError: the file or its card is missing, damaged, of an unknown kind, does not match
            its hash, or needs torch where there is none.
    """
    file = SHIPPED if path is None else Path(path)
    if file.is_dir():
        raise ModelError(f"{file}: this is a folder; name the .onnx file in it.")
    if not file.exists():
        raise ModelError(
            f"{file}: there is no such model; give an .onnx file with its .json card beside it, "
            "or leave it out for the model that ships."
        )
    if file.suffix in TORCH_SUFFIXES:
        return _from_checkpoint(file)
    if file.suffix != ".onnx":
        raise ModelError(f"{file}: models of this kind are unknown; give an .onnx file.")
    card = ModelCard.read(file.with_suffix(".json"))
    try:
        with file.open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{file}: the model cannot be read ({error.strerror}).") from None
    if digest != card.sha256:
        raise ModelError(
            f"{file}: the model does not match the SHA-256 in its card; "
            "get both again from one place."
        )
    return OnnxDetector(file, card, threads)


def _from_checkpoint(file: Path) -> Detector:
    try:
        from smearcount.training.torch_detector import load_torch_detector
    except ModuleNotFoundError as error:
        raise ModelError(
            f"{file}: this kind of model needs {error.name}; in the folder of smearcount, install "
            "the extra: pip install '.[train]', or give an .onnx file."
        ) from None
    return load_torch_detector(file)
