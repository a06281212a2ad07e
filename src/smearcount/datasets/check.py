"""Look through a data set for the faults that spoil training or make an evaluation lie."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from smearcount.classes import CLASS_NAMES, RBC
from smearcount.datasets.near_duplicates import SIDE, Prints, alike, fingerprints
from smearcount.datasets.read import (
    DOUBLED_IOU,
    AnnotatedImage,
    Dataset,
    disjoint_splits,
    read_dataset,
)
from smearcount.detections.boxes import iou
from smearcount.errors import DataError

Severity = Literal["error", "warning", "note"]
"""``error``: breaks training or evaluation; ``warning``: probably wrong; ``note``: good to know."""

SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)

PROBABLY_DOUBLED_IOU: Final = 0.55
"""Two boxes of one class that overlap this much deserve a look."""

OUTSIDE_PX: Final = 0.5
"""Further beyond the border than rounding explains."""

RARE: Final = 0.05

TRAIN: Final = "train"
"""The split that training learns from unless another is named."""


@dataclass(frozen=True)
class Finding:
    """One fault, or one thing to know.

    Attributes:
        severity: how bad it is.
        kind: what it is, in few words, the same for all of its kind.
        split: where, empty for a data set without splits.
        image: the file name, empty where the whole split is meant.
        detail: this one's particulars.
    """

    severity: Severity
    kind: str
    split: str
    image: str
    detail: str


@dataclass(frozen=True)
class DataReport:
    """What a check found.

    Attributes:
        findings: worst first, then by kind and place.
        cells: how many boxes of each class each split has.
        images: how many images each split has.
    """

    findings: tuple[Finding, ...]
    cells: dict[str, dict[str, int]]
    images: dict[str, int]

    def of_kind(self, kind: str) -> list[Finding]:
        """Return the findings of one kind."""
        return [finding for finding in self.findings if finding.kind == kind]

    def kinds(self) -> list[tuple[Severity, str, list[Finding]]]:
        """Return severity, kind and findings of each kind, worst first."""
        names = dict.fromkeys((finding.severity, finding.kind) for finding in self.findings)
        return [(severity, kind, self.of_kind(kind)) for severity, kind in names]


def read_parts(
    path: str | os.PathLike[str], split: str | None = None
) -> tuple[dict[str, Dataset], list[Finding]]:
    """Return the splits of a data set, or one of them; those that are broken as findings.

    Raises:
        DataError: there is no data set at ``path``.
    """
    names: tuple[str | None, ...] = (split,) if split else disjoint_splits(path) or (None,)
    parts: dict[str, Dataset] = {}
    broken = []
    for name in names:
        try:
            parts[name or ""] = read_dataset(path, name)
        except DataError as error:
            broken.append(Finding("error", "file that cannot be read", name or "", "", str(error)))
    return parts, broken


def check(parts: dict[str, Dataset], further: Iterable[Finding] = ()) -> DataReport:
    """Check the splits of a data set, each by itself and against each other.

    Args:
        parts: the data set by the names of its splits.
        further: what was found elsewhere, to stand in the same report.
    """
    findings = list(further)
    prints = {split: _prints(split, dataset, findings) for split, dataset in parts.items()}
    findings += _other_classes(parts)
    for split, dataset in parts.items():
        findings += _nothing_to_learn(split, dataset)
        findings += _unknown_classes(split, dataset)
        findings += _balance(split, dataset)
        for image in dataset.images:
            findings += _check_image(split, image, dataset.classes)
        for pair in alike(prints[split]):
            detail = f"shows the picture of {pair.second.name} ({pair.correlation:.2f})"
            kind = "same picture twice in a split"
            findings.append(Finding("warning", kind, split, pair.first.name, detail))
    for first, second in combinations(parts, 2):
        for pair in alike(prints[first], prints[second]):
            detail = f"shows the picture of {pair.second.name} in {second} ({pair.correlation:.2f})"
            kind = "same picture in two splits"
            findings.append(Finding("error", kind, first, pair.first.name, detail))
    order = {severity: rank for rank, severity in enumerate(SEVERITIES)}
    findings.sort(key=lambda f: (order[f.severity], f.kind, f.split, f.image))
    cells = {
        split: dict(zip(dataset.classes, _cells(dataset).tolist(), strict=True))
        for split, dataset in parts.items()
    }
    return DataReport(tuple(findings), cells, {name: len(part) for name, part in parts.items()})


def _prints(split: str, dataset: Dataset, findings: list[Finding]) -> Prints:
    """Return the fingerprints of a split; add a finding for each image that cannot be read."""
    paths, prints = [], [np.zeros((0, SIDE, SIDE), np.float32)]
    for image in dataset.images:
        try:
            prints.append(fingerprints([image.path]))
            paths.append(image.path)
        except DataError as error:
            kind = "image that cannot be read"
            findings.append(Finding("error", kind, split, image.path.name, str(error)))
    return Prints(tuple(paths), np.concatenate(prints))


def _nothing_to_learn(split: str, dataset: Dataset) -> Iterator[Finding]:
    if not any(len(image) for image in dataset.images):
        what = "no cell is labelled" if dataset.images else "there is no image"
        yield Finding("error", "nothing to learn from", split, "", what)


def _other_classes(parts: dict[str, Dataset]) -> Iterator[Finding]:
    """Tell of cells to measure on of a class that is not there to learn from."""
    if TRAIN not in parts:
        return
    known = parts[TRAIN].classes
    for split, dataset in parts.items():
        for name, count in zip(dataset.classes, _cells(dataset).tolist(), strict=True):
            if count and name not in known:
                detail = f"{name!r} ({count} boxes) is no class of {TRAIN} ({', '.join(known)})"
                yield Finding("error", "class that cannot be learned", split, "", detail)


def _check_image(split: str, image: AnnotatedImage, classes: tuple[str, ...]) -> Iterator[Finding]:
    name = image.path.name
    boxes = image.boxes_xyxy_px
    if not len(image):
        yield Finding("warning", "image without labels", split, name, "no cell is labelled")
    elif RBC in classes and classes.index(RBC) + 1 not in image.labels:
        detail = f"{len(image)} labels, none of them {RBC}"
        yield Finding("warning", f"image without any {RBC}", split, name, detail)
    empty = (boxes[:, 2] <= boxes[:, 0]) | (boxes[:, 3] <= boxes[:, 1])
    limits = np.array([image.width, image.height] * 2)
    outside = ((boxes < -OUTSIDE_PX) | (boxes > limits + OUTSIDE_PX)).any(axis=1)
    for kind, rows in (("box without area", empty), ("box beyond the image", outside)):
        for row in np.flatnonzero(rows):
            yield Finding("error", kind, split, name, _named(image, int(row), classes))
    yield from _overlaps(split, image, classes)


def _overlaps(split: str, image: AnnotatedImage, classes: tuple[str, ...]) -> Iterator[Finding]:
    boxes = image.boxes_xyxy_px.astype(np.float32)
    overlap = np.tril(iou(boxes, boxes), k=-1)
    for later, earlier in np.argwhere(overlap >= PROBABLY_DOUBLED_IOU):
        share = overlap[later, earlier]
        same = image.labels[later] == image.labels[earlier]
        severity: Severity = "warning"
        if same and share >= DOUBLED_IOU:
            severity, kind = "error", "doubled box"
        elif same:
            kind = "probably doubled box"
        elif share >= DOUBLED_IOU:
            kind = "one cell with two classes"
        else:
            continue
        both = f"{_named(image, later, classes)} and {_named(image, earlier, classes)}"
        yield Finding(severity, kind, split, image.path.name, f"{both} overlap by {share:.0%}")


def _unknown_classes(split: str, dataset: Dataset) -> Iterator[Finding]:
    counts = _cells(dataset)
    for name, count in zip(dataset.classes, counts.tolist(), strict=True):
        if name not in CLASS_NAMES:
            detail = f"{name!r} ({count} boxes) is none of {', '.join(CLASS_NAMES)}; if it means "
            detail += "one of them, rename it; else a model of your own can learn it"
            yield Finding(
                "warning", "class that the shipped model does not know", split, "", detail
            )


def _balance(split: str, dataset: Dataset) -> Iterator[Finding]:
    counts = _cells(dataset)
    for name, count in zip(dataset.classes, counts.tolist(), strict=True):
        share = count / max(int(counts.sum()), 1)
        if counts.any() and share < RARE:
            detail = f"{name}: {count} of {counts.sum()} boxes ({share:.1%})"
            yield Finding("note", "rare class", split, "", detail)


def _cells(dataset: Dataset) -> NDArray[np.int64]:
    labels = [image.labels for image in dataset.images]
    together = np.concatenate([*labels, np.zeros(0, np.int64)])
    return np.bincount(together, minlength=len(dataset.classes) + 1)[1:]


def _named(image: AnnotatedImage, row: int, classes: tuple[str, ...]) -> str:
    corners = ", ".join(f"{value:.4g}" for value in image.boxes_xyxy_px[row])
    return f"{classes[image.labels[row] - 1]} box {row + 1} at ({corners})"
