"""A detector in an ONNX file, run on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from smearcount.detections.detections import Detections
from smearcount.detections.nms import nms
from smearcount.detector.inference import SCORE_FLOOR
from smearcount.detector.model_card import ModelCard
from smearcount.detector.onnx_session import available_cores, open_session
from smearcount.errors import ModelError
from smearcount.image.image import Pixels
from smearcount.image.resample import PADDING_GRAY

MAX_THREADS: Final = 4
"""A network this small gains nothing from more."""


class OnnxDetector:
    """Detects cells with an ONNX model; see :class:`smearcount.detector.detector.DenseDetector`.

    Contract of the file: input ``image``, uint8 (1, H, W, 3) RGB, H and W multiples of
    ``card.stride``; outputs ``boxes``, float32 (n, 4) xyxy in input pixels, and ``scores``,
    float32 (n, K) in [0, 1], before NMS.

    Args:
        path: the model file.
        card: its card.
        threads: CPU threads; None takes those available, at most 4.

    Raises:
        ModelError: the file cannot be read, or has other inputs or outputs.
    """

    def __init__(self, path: Path, card: ModelCard, threads: int | None = None) -> None:
        self.card = card
        self.threads = threads or min(available_cores(), MAX_THREADS)
        self._path = path
        try:
            self._session = open_session(path, self.threads)
        except Exception as error:  # onnxruntime's errors share no base of their own
            reason = str(error).splitlines()[0].rstrip(".")
            raise ModelError(f"{path}: not an ONNX model that can run here ({reason}).") from None
        inputs = [entry.name for entry in self._session.get_inputs()]
        outputs = {entry.name for entry in self._session.get_outputs()}
        if inputs != ["image"] or not {"boxes", "scores"} <= outputs:
            raise ModelError(
                f"{path}: not a smearcount model: it needs one input `image` and the outputs "
                f"`boxes` and `scores`, and has {inputs} and {sorted(outputs)}."
            )

    def with_threads(self, threads: int) -> OnnxDetector:
        """Return the same model at this many threads an inference."""
        if threads == self.threads:
            return self
        return OnnxDetector(self._path, self.card, threads)

    def detect(self, pixels: Pixels) -> Detections:
        """Detect cells in RGB pixels, shape (height, width, 3), uint8, of any size."""
        found = self.candidates(pixels)
        return found[nms(found.boxes_xyxy_px, found.scores, self.card.iou_threshold)]

    def candidates(self, pixels: Pixels) -> Detections:
        """Return the detections of all anchor points from ``SCORE_FLOOR`` on, before NMS."""
        boxes, scores = self._session.run(["boxes", "scores"], {"image": self._padded(pixels)})
        if scores.ndim != 2 or scores.shape[1] != len(self.card.classes):
            raise ModelError(
                f"{self._path}: the model gives scores of shape {scores.shape}, but its card "
                f"names {len(self.card.classes)} classes."
            )
        best = scores.max(axis=1, initial=0.0)
        kept = best >= SCORE_FLOOR
        return Detections(boxes[kept], best[kept], scores[kept].argmax(axis=1) + 1)

    def _padded(self, pixels: Pixels) -> Pixels:
        """Return the network's input, shape (1, H, W, 3): gray is padded on the right and below."""
        height, width = pixels.shape[:2]
        right, below = -width % self.card.stride, -height % self.card.stride
        if right or below:
            sides = ((0, below), (0, right), (0, 0))
            pixels = np.pad(pixels, sides, constant_values=PADDING_GRAY)
        return np.ascontiguousarray(pixels)[None]
