"""An unseen microscope: train without one source of the data, then count that source.

    python benchmarks/unseen.py txl-pbc -o FOLDER [--epochs 25] [--magnification-epochs 6]

The photographs of TXL-PBC come from several microscopes, which their sizes in pixels tell apart.
For each source in turn a detector and a magnification estimator are trained on all the others
(split ``train``, stopped by ``val``, no image of the source or its near-duplicate), by the recipe
``smearnet``. Both are then given the source's images of ``val``, without being told the
magnification, and beside them the shipped model, which was trained on other images of that source:
the difference is what a new microscope costs. Trainings that are finished in FOLDER are not
repeated.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from smearcount import load_detector
from smearcount.classes import CLASS_NAMES, RBC
from smearcount.datasets.clean import clean_dataset
from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.datasets.near_duplicates import deduplicate, without_duplicates_of
from smearcount.datasets.read import read_dataset
from smearcount.datasets.write import write_dataset
from smearcount.detections.boxes import center, touches_edge
from smearcount.detections.detections import Detections
from smearcount.detector import magnification
from smearcount.detector.detect import detect
from smearcount.detector.detector import Detector
from smearcount.evaluation.average_precision import mean_average_precision
from smearcount.evaluation.matching import GroundTruth, assign
from smearcount.image.image import SmearImage
from smearcount.image.read import open_image
from smearcount.training import train as train_detector
from smearcount.training import train_magnification

SOURCES = {
    "575 × 575": {(575, 575)},
    "360 × 363": {(360, 363), (366, 369)},
    "640 × 480": {(640, 480), (416, 416)},
}
"""Image sizes of each source; BCCD's photographs come in two."""

RED_CELL = CLASS_NAMES.index(RBC) + 1


def of_source(dataset: Dataset, name: str, inside: bool = True) -> Dataset:
    """Return the images of a source, or those of all others."""
    sizes = SOURCES[name]
    kept = tuple(i for i in dataset.images if ((i.width, i.height) in sizes) == inside)
    return replace(dataset, images=kept)


def train_without(
    name: str, train: Dataset, val: Dataset, folder: Path, epochs: int, estimator_epochs: int
) -> tuple[Path, Path]:
    """Train a detector and a magnification estimator without a source; return their files."""
    data, run, estimator = folder / "data", folder / "run", folder / "magnification.onnx"
    if not data.exists():
        source = of_source(train, name).images + of_source(val, name).images
        held = replace(train, images=source)
        for split, part in (("train", train), ("val", val)):
            others = without_duplicates_of(of_source(part, name, inside=False), held)
            write_dataset(others, data, "coco", split)
    trained = train_detector(data, run, epochs=epochs, on_message=print)
    if not estimator.with_suffix(".json").exists():
        train_magnification(data, estimator, epochs=estimator_epochs)
    return trained.model, estimator


def match_centers(truth: GroundTruth, detections: Detections) -> tuple[NDArray[np.bool_], int]:
    """Return which red cells hold the center of a detection, and how many are detected."""
    boxes = truth.boxes_xyxy_px[truth.labels == RED_CELL]
    centers = center(detections.boxes_xyxy_px[detections.labels == RED_CELL])
    offset = np.abs(centers[None] - center(boxes)[:, None])
    half_sides = (boxes[:, 2:] - boxes[:, :2])[:, None] / 2
    closeness = 1 - (offset / half_sides).max(axis=2, initial=0) / 2
    found = np.isin(np.arange(len(boxes)), assign(closeness, 0.5)[:, 0])
    return found, len(centers)


def measure_detector(
    images: Dataset, detector: Detector, open_changed: Callable[[Path], SmearImage] = open_image
) -> dict[str, float]:
    """Return how well a detector counts images whose magnification it is not told.

    Args:
        images: with their labels.
        detector: at the thresholds of its card.
        open_changed: opens an image, perhaps changed.
    """
    truths = [GroundTruth.of(image) for image in images.images]
    predictions = [detect(open_changed(i.path), detector).detections for i in images.images]
    counted = [detections.above(detector.card.thresholds) for detections in predictions]
    matches = [match_centers(*pair) for pair in zip(truths, counted, strict=True)]
    found = np.concatenate([found_cells for found_cells, _ in matches])
    cut = np.concatenate([_cut(i)[i.labels == RED_CELL] for i in images.images])
    precision = mean_average_precision(truths, predictions, CLASS_NAMES)
    totals = {
        f"total {name} %": 100 * (_total(counted, k) / (_total(truths, k) or np.nan) - 1)
        for k, name in enumerate(CLASS_NAMES, start=1)
    }
    return {
        "recall of RBC centers": found.mean(),
        "of whole RBC": found[~cut].mean(),
        "of RBC that the border cuts": found[cut].mean(),
        "precision of RBC centers": found.sum() / sum(detected for _, detected in matches),
        "mAP50": precision["map_50"],
        **{f"AP50 {name}": precision[f"map_50_{name}"] for name in CLASS_NAMES},
        **totals,
    }


def _cut(image: AnnotatedImage) -> NDArray[np.bool_]:
    """Return which boxes end within 2 px of the border."""
    boxes = image.boxes_xyxy_px.astype(np.float32)
    return np.asarray(touches_edge(boxes, image.width, image.height, 2.0).any(axis=1))


def _total(images: Sequence[GroundTruth | Detections], label: int) -> int:
    return sum(int((image.labels == label).sum()) for image in images)


def main() -> None:
    """Train, evaluate and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--out", "-o", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--magnification-epochs", type=int, default=6)
    asked = parser.parse_args()
    train, val = (clean_dataset(read_dataset(asked.data, split)) for split in ("train", "val"))
    for number, name in enumerate(SOURCES):
        folder = asked.out / f"without-{number}"
        files = train_without(name, train, val, folder, asked.epochs, asked.magnification_epochs)
        held_out = without_duplicates_of(deduplicate(of_source(val, name)), train)
        session = onnxruntime.InferenceSession(files[1], providers=["CPUExecutionProvider"])
        with patch.object(magnification, "_session", return_value=session):
            unseen = measure_detector(held_out, load_detector(files[0]))
        shipped = measure_detector(held_out, load_detector())
        print(f"\n{name}, {len(held_out.images)} images\n\n| | unseen | shipped |\n|---|---|---|")
        for key, value in unseen.items():
            print(f"| {key} | {value:.3f} | {shipped[key]:.3f} |", flush=True)


if __name__ == "__main__":
    main()
