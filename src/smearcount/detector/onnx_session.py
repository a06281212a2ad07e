"""ONNX Runtime sessions on the CPU, and how many cores there are for them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_LOG_ERRORS_ONLY: Final = 3


def open_session(model: Path | bytes, threads: int) -> InferenceSession:
    """Open an ONNX model for inference on the CPU.

    Its threads rest as soon as an inference is done. By default they would spin on for a while,
    and take the cores from the next network and from the code in between.

    Args:
        model: an ONNX file, or its content.
        threads: CPU threads that one inference takes.

    Raises:
        Exception: whatever onnxruntime raises for a file that is no model; its errors share no
            base class of their own.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.log_severity_level = _LOG_ERRORS_ONLY
    content = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def available_cores() -> int:
    """Return the number of CPU cores that the system lets this process use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
