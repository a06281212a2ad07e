"""A detector that sees coloured squares, and pictures made of them: real arrays, known truth."""

import time
from pathlib import Path

import numpy as np
from PIL import Image

from smearcount.detections.detections import Detections
from smearcount.detector.model_card import ModelCard

CARD = ModelCard(
    name="squares",
    architecture="squares",
    sha256="0" * 64,
    classes=("WBC", "RBC", "Platelets"),
    thresholds=(0.5, 0.5, 0.5),
)

# Color: label and score. The last is a red cell too doubtful to count. The colors are those of
# stains: purer ones are taken for ink and left out of the field of view.
MEANING = {
    (60, 60, 200): (1, 0.9),
    (200, 90, 90): (2, 0.8),
    (110, 170, 110): (3, 0.7),
    (250, 150, 150): (2, 0.05),
}
WHITE_CELL, RED_CELL, PLATELET, DOUBTFUL = MEANING


class SquareDetector:
    """Finds squares of the known colours.

    Args:
        log: a file that gets one line per picture looked at.
        delay_s: how long each look takes.
    """

    card = CARD

    def __init__(self, log: Path | None = None, delay_s: float = 0.0) -> None:
        self.log, self.delay_s = log, delay_s

    def detect(self, pixels: np.ndarray) -> Detections:
        if self.log is not None:
            with self.log.open("a") as stream:
                stream.write("looked\n")
        time.sleep(self.delay_s)
        boxes, scores, labels = [], [], []
        for colour, (label, score) in MEANING.items():
            mask = (pixels == colour).all(axis=2)
            while mask.any():
                y0, x0 = np.argwhere(mask)[0]
                x1 = x0 + np.argmin(np.append(mask[y0, x0:], False))
                y1 = y0 + np.argmin(np.append(mask[y0:, x0], False))
                mask[y0:y1, x0:x1] = False
                boxes.append((x0, y0, x1, y1))
                scores.append(score)
                labels.append(label)
        return Detections(
            np.array(boxes, np.float32).reshape(-1, 4),
            np.array(scores, np.float32),
            np.array(labels, np.int64),
        )


def picture(*squares: tuple[tuple[int, int, int], int, int, int]) -> np.ndarray:
    """Return a white field of 160 by 120 px with squares of (colour, left, top, side)."""
    pixels = np.full((120, 160, 3), 255, np.uint8)
    for colour, left, top, side in squares:
        pixels[top : top + side, left : left + side] = colour
    return pixels


def save(path: Path, *squares: tuple[tuple[int, int, int], int, int, int]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(*squares)).save(path)
    return path


def some_smear(path: Path, reds: int = 3) -> Path:
    """Save a field of one white cell, some red cells, one platelet and one doubtful red cell."""
    return save(
        path,
        (WHITE_CELL, 40, 60, 30),
        *((RED_CELL, 5 + 25 * i, 5, 20) for i in range(reds)),
        (PLATELET, 100, 70, 6),
        (DOUBTFUL, 120, 90, 20),
    )
