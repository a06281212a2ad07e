"""A small data set with its images, and a detector whose errors are known beforehand."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.detections.detections import Detections
from smearcount.detector.model_card import ModelCard
from smearcount.evaluation.evaluation import EvaluatedImage, Evaluation, evaluate_detections
from smearcount.evaluation.matching import GroundTruth
from smearcount.evaluation.robustness import Curve, Sweep
from smearcount.synthetic.smears import SmearStyle, render


@dataclass
class KnownDetector:
    """Returns for each image the detections prepared for it."""

    card: ModelCard
    prepared: dict[bytes, Detections] = field(default_factory=dict)

    def detect(self, pixels: NDArray[np.uint8]) -> Detections:
        return self.prepared[pixels.tobytes()]


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[KnownDetector, Dataset]:
    """Return two slides of three images each, all but two detected perfectly.

    Image 1 lacks its first cell. Image 2 has an extra platelet at a score of 0.45, which counts at
    the model's threshold only.
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
        detector.prepared[smear.pixels.tobytes()] = Detections(boxes, scores, labels)
    return detector, Dataset(("WBC", "RBC", "Platelets"), tuple(images), "known smears")


@pytest.fixture(scope="session")
def evaluation(known: tuple[KnownDetector, Dataset]) -> Evaluation:
    """Evaluate the known detections, without a detector."""
    detector, dataset = known
    images = []
    for image in dataset.images:
        pixels = np.asarray(Image.open(image.path)).tobytes()
        truth, slide = GroundTruth.of(image), image.path.parent.name
        images.append(EvaluatedImage(image.path, slide, truth, detector.prepared[pixels], 0.02))
    return evaluate_detections(detector.card, dataset.source, dataset.classes, images)


@pytest.fixture(scope="session")
def curve() -> Curve:
    """Return counts that are right for RBC at the middle steps only."""
    true = np.full((4, 2, 3), 10)
    found = true.copy()
    found[0, :, 1] = 5
    found[3, :, 1] = 25
    found[..., 2] = 0
    return Curve(Sweep("blur_px", "Blur", "σ in px", (0.5, 1.0, 2.0, 4.0)), true, found)
