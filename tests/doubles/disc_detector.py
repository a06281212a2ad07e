"""A picture of discs whose colors say what they are, and a detector that reads them.

Each disc lies in its own square, of 40 px unless a test asks for another size. Red, green or blue
is the class, and how dark the disc is tells the score, so a test knows every cell and no model is
needed.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from smearcount.classes import CLASS_NAMES
from smearcount.detections.detections import Detections
from smearcount.detector.model_card import ModelCard
from smearcount.image.image import Pixels

SQUARE = 40
RADIUS = 14
_CHANNEL = {"RBC": 0, "Platelets": 1, "WBC": 2}

CARD = ModelCard(
    name="discs",
    architecture="discs",
    sha256="0" * 64,
    classes=CLASS_NAMES,
    thresholds=(0.5, 0.5, 0.5),
)


@dataclass(frozen=True)
class DiscDetector:
    """Finds the discs; see the module."""

    card: ModelCard = CARD
    square: int = SQUARE

    def detect(self, pixels: Pixels) -> Detections:
        boxes, scores, labels = [], [], []
        square = self.square
        height, width = pixels.shape[:2]
        for top in range(0, height - square + 1, square):
            for left in range(0, width - square + 1, square):
                color = pixels[top + square // 2, left + square // 2].astype(int)
                if color.max() == color.min():
                    continue
                part = pixels[top : top + square, left : left + square]
                rows, columns = np.nonzero(part.max(axis=2) != part.min(axis=2))
                name = next(n for n, c in _CHANNEL.items() if c == int(color.argmax()))
                boxes.append(
                    (
                        left + columns.min(),
                        top + rows.min(),
                        left + columns.max() + 1,
                        top + rows.max() + 1,
                    )
                )
                scores.append((255 - int(np.sort(color)[1])) / 100)
                labels.append(CLASS_NAMES.index(name) + 1)
        return Detections(
            np.array(boxes, dtype=np.float32).reshape(-1, 4),
            np.array(scores, dtype=np.float32),
            np.array(labels, dtype=np.int64),
        )


def smear(
    cells: list[tuple[str, float]],
    columns: int = 8,
    rows: int = 6,
    square: int = SQUARE,
    radius: int = RADIUS,
) -> NDArray[np.uint8]:
    """Draw cells, given as (class, score below 0.99), square by square from the top left."""
    picture = Image.new("RGB", (columns * square, rows * square), (240, 240, 240))
    pen = ImageDraw.Draw(picture)
    for place, (name, score) in enumerate(cells):
        x = place % columns * square + square // 2
        y = place // columns * square + square // 2
        color = [255 - round(score * 100)] * 3  # never so pure that it passes for ink
        color[_CHANNEL[name]] = 255
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=tuple(color))
    return np.asarray(picture)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Return the picture as the bytes of a PNG file."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


CELLS = [("RBC", 0.9)] * 10 + [("RBC", 0.3)] * 3 + [("WBC", 0.8), ("Platelets", 0.7)]
PICTURE = smear(CELLS)
