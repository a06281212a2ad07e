"""Fit and measure what makes a count trustworthy: thresholds, intervals and quality flags.

    python benchmarks/trust.py MODEL.onnx DATASET [--write] [--repeats 50]

Reads the splits ``train`` and ``val`` of the data set. Images of ``val`` that nearly repeat one of
``train`` are left out. Prints how well red cells are counted with and without the doubt about the
border, the coverage of the intervals (fitted on one random half, measured on the other, repeated)
and the sensitivity and false alarms of the flags. With ``--write`` the thresholds and the
calibration, fitted on all of ``val`` as the product sees it, and the scene, fitted on ``train``,
go into the model's card.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from smearcount.calibration.coverage import Coverage, repeated_coverage
from smearcount.calibration.flag_sensitivity import Caught, flag_study, of_card
from smearcount.calibration.intervals import calibrate
from smearcount.calibration.reference_statistics import fit_scene
from smearcount.calibration.thresholds import choose_cut_odds, choose_thresholds
from smearcount.classes import RBC
from smearcount.datasets.near_duplicates import distinct, without_duplicates_of
from smearcount.datasets.read import Dataset, clean, read_dataset
from smearcount.detections.boxes import touches_edge
from smearcount.detections.detections import Detections
from smearcount.detector.detect import detect
from smearcount.detector.model_card import ModelCard
from smearcount.detector.onnx_detector import OnnxDetector
from smearcount.evaluation.average_precision import average_precision
from smearcount.evaluation.cells import TrueCells
from smearcount.evaluation.matching import match
from smearcount.image.read import open_image


def main() -> None:
    """Run the command line."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("model", type=Path)
    asked.add_argument("data")
    asked.add_argument("--repeats", type=int, default=50)
    asked.add_argument("--write", action="store_true")
    options = asked.parse_args()

    card_path = options.model.with_suffix(".json")
    card = ModelCard.read(card_path)
    train = clean(read_dataset(options.data, "train"))
    val = without_duplicates_of(distinct(clean(read_dataset(options.data, "val"))), train)
    truths = [
        TrueCells(image.boxes_xyxy_px.astype(np.float32), image.labels) for image in val.images
    ]

    @functools.cache
    def doubted(odds: float) -> list[Detections]:
        detector = OnnxDetector(options.model, card.model_copy(update={"border_odds_ratio": odds}))
        return [detect(open_image(i.path), detector).detections for i in val.images]

    label = card.classes.index(RBC) + 1
    cut_odds = choose_cut_odds(truths, doubted, label)
    found = doubted(cut_odds)
    thresholds = choose_thresholds(truths, found, card.classes)
    print("odds of a red cell at the border", cut_odds)
    print("thresholds", dict(zip(card.classes, thresholds, strict=True)))
    for odds in (1.0, cut_odds):
        fitted = choose_thresholds(truths, doubted(odds), card.classes)
        counted = [each.above(fitted) for each in doubted(odds)]
        print(f"red cells with odds of {odds}, from {fitted[label - 1]:.2f}: ", end="")
        print(_count_error(truths, counted, label), end="; ")
        print(_precision(truths, doubted(odds), card.classes), end="; ")
        print(_at_the_border(val, truths, counted))
    measured = repeated_coverage(truths, found, thresholds, card.classes, repeats=options.repeats)
    print(f"{len(val.images)} images of val, {options.repeats} random halves\n")
    summary = {name: _summary(rows) for name, rows in measured.items()}
    print("class      coverage  (min-max over halves)  exact  width")
    for name, row in summary.items():
        print(
            f"{name:10} {row['coverage']:.3f}     ({row['least']:.3f}-{row['most']:.3f})"
            f"          {row['exact']:.3f}  {row['width']:.2f}"
        )
    calibration = calibrate(truths, found, thresholds, card.classes)
    assert calibration is not None, "repeated_coverage has refused fewer images"
    about = calibration.about | {"data": "val", "coverage_on_other_half": summary}
    calibration = calibration.model_copy(update={"about": about})
    scene = fit_scene(train)
    finished = card.model_copy(
        update={
            "border_odds_ratio": cut_odds,
            "thresholds": thresholds,
            "calibration": calibration,
            "reference_statistics": scene,
        }
    )
    rows = flag_study(val, of_card(finished, val))
    print("\nkind                      images  caught  flags")
    for row in rows:
        print(f"{row.kind:25} {row.images:6}  {row.caught:6.3f}  {_shares(row)}")
    if options.write:
        about = scene.about | {"study": [asdict(row) for row in rows]}
        told = scene.model_copy(update={"about": about})
        finished.model_copy(update={"reference_statistics": told}).write(card_path)


def _count_error(truths: Sequence[TrueCells], counted: Sequence[Detections], label: int) -> str:
    errors = [
        abs(int((found.labels == label).sum()) - int((truth.labels == label).sum()))
        for truth, found in zip(truths, counted, strict=True)
    ]
    return f"mean count error {np.mean(errors):.2f}"


def _precision(
    truths: Sequence[TrueCells], found: Sequence[Detections], classes: tuple[str, ...]
) -> str:
    figures = average_precision(truths, found, classes)
    return f"AP50 {figures[f'map_50_{RBC}']:.3f}, mAP {figures[f'map_{RBC}']:.3f}"


def _at_the_border(val: Dataset, truths: Sequence[TrueCells], counted: Sequence[Detections]) -> str:
    """Return how many red cells are found that the border leaves whole, and that it cuts."""
    label = val.classes.index(RBC) + 1
    marked, paired = np.zeros(2, np.int64), np.zeros(2, np.int64)
    for image, truth, found in zip(val.images, truths, counted, strict=True):
        red = truth.labels == label
        cut = touches_edge(truth.boxes_xyxy_px, image.width, image.height, 2.0).any(axis=1)
        hits = np.isin(np.arange(len(red)), match(truth, found, len(val.classes)).pairs[:, 0])
        for kind, of_kind in enumerate((red & ~cut, red & cut)):
            marked[kind] += of_kind.sum()
            paired[kind] += (of_kind & hits).sum()
    whole, cut_ones = paired / marked
    return f"{whole:.3f} of {marked[0]} whole and {cut_ones:.3f} of {marked[1]} cut ones found"


def _summary(rows: list[Coverage]) -> dict[str, float]:
    shares = [row.share for row in rows]
    return {
        "coverage": round(float(np.mean(shares)), 4),
        "least": round(min(shares), 4),
        "most": round(max(shares), 4),
        "exact": round(float(np.mean([row.exact for row in rows])), 4),
        "width": round(float(np.mean([row.width for row in rows])), 3),
    }


def _shares(row: Caught) -> str:
    return ", ".join(f"{name} {share:.3f}" for name, share in row.flags.items())


if __name__ == "__main__":
    main()
