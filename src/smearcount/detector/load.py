"""Loading a detector: the one that ships with the package, or a model file with its card."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Final

from smearcount.detector.detector import Detector
from smearcount.detector.model_card import ModelCard
from smearcount.detector.onnx_detector import OnnxDetector
from smearcount.errors import ModelError
from smearcount.sha256 import sha256_of_file

SHIPPED: Final = "shipped"
"""The name of the model that ships with the package."""

SHIPPED_FILE: Final = Path(__file__).parent / "model" / "smearcount-s.onnx"

TORCH_SUFFIXES: Final = frozenset({".pt", ".pth", ".ckpt", ".safetensors"})
"""Kinds of files that need torch, and so the ``train`` extra."""


def load_detector(
    model: str | PathLike[str] | None = None,
    *,
    threads: int | None = None,
    classes: Sequence[str] | None = None,
) -> Detector:
    """Load a detector.

    Args:
        model: an ``.onnx`` file with its ``.json`` card beside it or, where torch is installed, a
            checkpoint; None or ``"shipped"`` loads the model that ships with the package.
        threads: CPU threads that one inference of an ``.onnx`` model takes; None takes those
            available, at most 4.
        classes: names in label order for weights without a card, such as ``bccd.pth`` of the
            exercise; None takes WBC, RBC, Platelets where there are three.

    Raises:
        ModelError: the file or its card is missing, damaged, of an unknown kind, does not match
            its SHA-256, or needs torch where there is none.

    Example:
        >>> from smearcount import load_detector
        >>> detector = load_detector()
        >>> detector.card.classes
        ('WBC', 'RBC', 'Platelets')
    """
    file = SHIPPED_FILE if model is None or model == SHIPPED else Path(model)
    if file.is_dir():
        raise ModelError(f"{file}: this is a folder; name the .onnx file in it.")
    if not file.exists():
        raise ModelError(
            f"{file}: there is no such model; give an .onnx file with its .json card beside it, "
            "or leave it out for the model that ships."
        )
    if file.suffix in TORCH_SUFFIXES:
        return _from_checkpoint(file, classes)
    if file.suffix != ".onnx":
        raise ModelError(f"{file}: models of this kind are unknown; give an .onnx file.")
    card = ModelCard.read(file.with_suffix(".json"))
    try:
        digest = sha256_of_file(file)
    except OSError as error:
        raise ModelError(f"{file}: the model cannot be read ({error.strerror}).") from None
    if digest != card.sha256:
        raise ModelError(
            f"{file}: the model does not match the SHA-256 in its card; "
            "get both again from one place."
        )
    return OnnxDetector(file, card, threads)


def _from_checkpoint(file: Path, classes: Sequence[str] | None) -> Detector:
    try:
        from smearcount.training.torch_detector import load_torch_detector
    except ModuleNotFoundError as error:
        raise ModelError(
            f'{file}: this kind of model needs {error.name}; pip install "smearcount[train]", '
            "or give an .onnx file."
        ) from None
    return load_torch_detector(file, classes)
