"""A small data set with its pictures, and a detector that errs in ways known beforehand."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.detections.detections import Detections
from smearcount.detector.model_card import ModelCard
from smearcount.synthetic.smears import SmearStyle, render


@dataclass
class KnownDetector:
    """Answers each picture with the detections prepared for it, wherever it is looked at whole."""

    card: ModelCard
    answers: dict[bytes, Detections] = field(default_factory=dict)

    def detect(self, pixels: NDArray[np.uint8]) -> Detections:
        return self.answers[pixels.tobytes()]


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[KnownDetector, Dataset]:
    """Two slides of three fields each: image 0 is answered perfectly, 1 lacks its first cell, …

    Image 2 has an extra platelet at score 0.45, which counts at the model's threshold only.
    """
    folder = tmp_path_factory.mktemp("known")
    detector = KnownDetector(
        ModelCard(
            name="known",
            architecture="double",
            sha256="0" * 64,
            classes=("WBC", "RBC", "Platelets"),
            thresholds=(0.5, 0.5, 0.4),
        )
    )
    images = []
    for k in range(6):
        style = SmearStyle(width=160, height=120, rbc_px=36, density=0.3 + 0.03 * k, n_platelets=2)
        smear = render(style, seed=k)
        path = folder / ("one", "two")[k // 3] / f"{k}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(smear.pixels).save(path)
        boxes, labels = smear.boxes_xyxy_px, smear.labels
        images.append(AnnotatedImage(path, 160, 120, boxes, labels))
        scores = np.full(len(labels), 0.9)
        if k == 1:
            boxes, labels, scores = boxes[1:], labels[1:], scores[1:]
        if k == 2:
            boxes = np.append(boxes, [[2, 2, 12, 12]], axis=0)
            labels, scores = np.append(labels, 3), np.append(scores, 0.45)
        detector.answers[smear.pixels.tobytes()] = Detections(boxes, scores, labels)
    return detector, Dataset(("WBC", "RBC", "Platelets"), tuple(images), "known smears")
