"""A microscope never seen: train without one source of the data, then count that source.

    python benchmarks/unseen.py txl-pbc -o FOLDER [--epochs 25] [--ruler-epochs 6]

The photographs of TXL-PBC come from several microscopes, which their sizes in pixels tell apart.
For each source in turn a detector and a ruler are trained on all the others (split ``train``,
stopped by ``val``, nothing that shows a picture of the source), by the recipe ``smearnet``. Both
are then given the source's images of ``val``, without being told the magnification, and beside them
the shipped model, which has learned from other images of that source: the difference is what a new
microscope costs. Trainings that are finished in FOLDER are not repeated.
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
from smearcount.detector import magnification as ruler
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
    name: str, train: Dataset, val: Dataset, folder: Path, epochs: int, ruler_epochs: int
) -> tuple[Path, Path]:
    """Train a detector and a ruler without a source; return their files."""
    data, run, length = folder / "data", folder / "run", folder / "ruler.onnx"
    if not data.exists():
        source = of_source(train, name).images + of_source(val, name).images
        held = replace(train, images=source)
        for split, part in (("train", train), ("val", val)):
            others = without_duplicates_of(of_source(part, name, inside=False), held)
            write_dataset(others, data, "coco", split)
    trained = train_detector(data, run, epochs=epochs, on_message=print)
    if not length.with_suffix(".json").exists():
        train_magnification(data, length, epochs=ruler_epochs)
    return trained.model, length


def centres_found(truth: GroundTruth, found: Detections) -> tuple[NDArray[np.bool_], int]:
    """Return which red cells are found, a found centre lying inside, and how many were said."""
    boxes = truth.boxes_xyxy_px[truth.labels == RED_CELL]
    points = center(found.boxes_xyxy_px[found.labels == RED_CELL])
    offset = np.abs(points[None] - center(boxes)[:, None])
    sides = (boxes[:, 2:] - boxes[:, :2])[:, None] / 2
    closeness = 1 - (offset / sides).max(axis=2, initial=0) / 2
    hit = np.isin(np.arange(len(boxes)), assign(closeness, 0.5)[:, 0])
    return hit, len(points)


def judge(
    images: Dataset, detector: Detector, shown: Callable[[Path], SmearImage] = open_image
) -> dict[str, float]:
    """Return how well a detector counts images whose magnification it is not told.

    Args:
        images: with their labels.
        detector: at the thresholds of its card.
        shown: opens an image, perhaps changed.
    """
    truths = [GroundTruth(i.boxes_xyxy_px.astype(np.float32), i.labels) for i in images.images]
    found = [detect(shown(i.path), detector).detections for i in images.images]
    counted = [each.above(detector.card.thresholds) for each in found]
    pairs = [centres_found(truth, each) for truth, each in zip(truths, counted, strict=True)]
    hits = np.concatenate([hit for hit, _ in pairs])
    cut = np.concatenate([_cut(i)[i.labels == RED_CELL] for i in images.images])
    precision = mean_average_precision(truths, found, CLASS_NAMES)
    totals = {
        f"total {name} %": 100 * (_total(counted, k) / (_total(truths, k) or np.nan) - 1)
        for k, name in enumerate(CLASS_NAMES, start=1)
    }
    return {
        "recall of RBC centres": hits.mean(),
        "of whole RBC": hits[~cut].mean(),
        "of RBC that the border cuts": hits[cut].mean(),
        "precision of RBC centres": hits.sum() / sum(said for _, said in pairs),
        "mAP50": precision["map_50"],
        **{f"AP50 {name}": precision[f"map_50_{name}"] for name in CLASS_NAMES},
        **totals,
    }


def _cut(image: AnnotatedImage) -> NDArray[np.bool_]:
    """Return which boxes end within 2 px of the border."""
    boxes = image.boxes_xyxy_px.astype(np.float32)
    return touches_edge(boxes, image.width, image.height, 2.0).any(axis=1)


def _total(fields: Sequence[GroundTruth | Detections], label: int) -> int:
    return sum(int((field.labels == label).sum()) for field in fields)


def main() -> None:
    """Train, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--out", "-o", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--ruler-epochs", type=int, default=6)
    asked = parser.parse_args()
    train, val = (clean_dataset(read_dataset(asked.data, split)) for split in ("train", "val"))
    for number, name in enumerate(SOURCES):
        folder = asked.out / f"without-{number}"
        files = train_without(name, train, val, folder, asked.epochs, asked.ruler_epochs)
        held = without_duplicates_of(deduplicate(of_source(val, name)), train)
        session = onnxruntime.InferenceSession(files[1], providers=["CPUExecutionProvider"])
        with patch.object(ruler, "_session", return_value=session):
            unseen = judge(held, load_detector(files[0]))
        seen = judge(held, load_detector())
        print(f"\n{name}, {len(held.images)} images\n\n| | never seen | shipped |\n|---|---|---|")
        for key, value in unseen.items():
            print(f"| {key} | {value:.3f} | {seen[key]:.3f} |", flush=True)


if __name__ == "__main__":
    main()
