"""Running an ONNX file on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_ERRORS_ONLY: Final = 3


def cpu_session(model: Path | bytes, threads: int) -> InferenceSession:
    """Open a model for inference.

    Its threads rest as soon as an answer is given: those of one network would otherwise go on
    spinning while the next one, or the code between, has need of the cores.

    Args:
        model: an ONNX file, or its content.
        threads: that one answer takes.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.log_severity_level = _ERRORS_ONLY
    content = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
