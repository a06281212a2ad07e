"""Check a data set for faults that spoil training or falsify an evaluation."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Literal, get_args

import numpy as np

from smearcount.classes import CLASS_NAMES, RBC
from smearcount.datasets.clean import DUPLICATE_IOU
from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.datasets.near_duplicates import (
    HASH_SIDE,
    HashedImages,
    match_hashes,
    perceptual_hashes,
)
from smearcount.datasets.read import disjoint_split_names, read_dataset
from smearcount.detections.boxes import iou
from smearcount.errors import DataError

Severity = Literal["error", "warning", "note"]
"""``error``: breaks training or evaluation; ``warning``: probably wrong; ``note``: good to know."""

SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)

PROBABLY_DUPLICATE_IOU: Final = 0.55
"""Two boxes of one class with at least this IoU are reported as probable duplicates."""

OUTSIDE_TOLERANCE_PX: Final = 0.5
"""A box that reaches further beyond the border than this is a fault, and no rounding."""

RARE_SHARE: Final = 0.05
"""A class with a smaller share of the boxes is reported as rare."""

TRAIN: Final = "train"
"""The split that training learns from unless another is named."""


@dataclass(frozen=True)
class Finding:
    """One fault, or one thing to know.

    Attributes:
        severity: how bad it is.
        kind: the fault in few words, the same for all faults of one kind.
        split: name of the split, empty for a data set without splits.
        image: the file name, empty if the finding is about the whole split.
        detail: which box, class or picture.
    """

    severity: Severity
    kind: str
    split: str
    image: str
    detail: str


@dataclass(frozen=True)
class DataCheck:
    """The findings about a data set, with its numbers of images and cells.

    Attributes:
        findings: worst first, then by kind and place.
        cells: how many boxes of each class each split has.
        images: how many images each split has.

    Example:
        >>> from smearcount.datasets.check import DataCheck, Finding
        >>> rare = Finding("note", "rare class", "train", "", "WBC: 1 of 90 boxes (1.1%)")
        >>> check = DataCheck((rare,), cells={"train": {"RBC": 89, "WBC": 1}}, images={"train": 5})
        >>> [(severity, kind, len(findings)) for severity, kind, findings in check.kinds()]
        [('note', 'rare class', 1)]
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


def check_dataset(path: str | os.PathLike[str], split: str | None = None) -> DataCheck:
    """Check a data set for faults, each split by itself and against the others.

    Args:
        path: as for :func:`smearcount.datasets.read_dataset`.
        split: check only this one; None checks every split.

    Raises:
        DataError: there is no data set at ``path``.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from smearcount.datasets import check_dataset, write_dataset
        >>> from smearcount.synthetic.dataset import draw_dataset
        >>> folder = Path(tempfile.mkdtemp())
        >>> drawn = draw_dataset(folder / "drawn", 2)
        >>> for split in ("train", "val"):
        ...     write_dataset(drawn, folder / "yolo", "yolo", split)
        >>> [finding.kind for finding in check_dataset(folder / "yolo").findings]
        ['same picture in two splits', 'same picture in two splits', 'rare class', 'rare class']
    """
    return check_splits(*read_splits(path, split))


def read_splits(
    path: str | os.PathLike[str], split: str | None = None
) -> tuple[dict[str, Dataset], list[Finding]]:
    """Read every split of a data set, or one of them.

    Args:
        path: as for :func:`smearcount.datasets.read_dataset`.
        split: read only this one; None reads every split.

    Returns:
        the splits that can be read by their names (an empty name for an unsplit data set), and a
        finding for each split that cannot.

    Raises:
        DataError: there is no data set at ``path``.
    """
    names: tuple[str | None, ...] = (split,) if split else disjoint_split_names(path) or (None,)
    splits: dict[str, Dataset] = {}
    broken = []
    for name in names:
        try:
            splits[name or ""] = read_dataset(path, name)
        except DataError as error:
            broken.append(Finding("error", "file that cannot be read", name or "", "", str(error)))
    return splits, broken


def check_splits(splits: dict[str, Dataset], further: Iterable[Finding] = ()) -> DataCheck:
    """Check splits that are read already, each by itself and against the others.

    Args:
        splits: the data set by the names of its splits.
        further: findings from elsewhere, to be reported with the rest.
    """
    findings = list(further)
    hashed = {split: _hashed(split, dataset, findings) for split, dataset in splits.items()}
    findings += _other_classes(splits)
    for split, dataset in splits.items():
        for note in dataset.notes:
            findings.append(Finding("note", "left out or changed while reading", split, "", note))
        findings += _nothing_to_learn(split, dataset)
        findings += _unknown_classes(split, dataset)
        findings += _rare_classes(split, dataset)
        for image in dataset.images:
            findings += _check_image(split, image, dataset.classes)
        for pair in match_hashes(hashed[split]):
            detail = f"shows the picture of {pair.second.name} ({pair.correlation:.2f})"
            kind = "same picture twice in a split"
            findings.append(Finding("warning", kind, split, pair.first.name, detail))
    for first, second in combinations(splits, 2):
        for pair in match_hashes(hashed[first], hashed[second]):
            detail = f"shows the picture of {pair.second.name} in {second} ({pair.correlation:.2f})"
            kind = "same picture in two splits"
            findings.append(Finding("error", kind, first, pair.first.name, detail))
    rank = {severity: place for place, severity in enumerate(SEVERITIES)}
    findings.sort(key=lambda f: (rank[f.severity], f.kind, f.split, f.image))
    return DataCheck(
        tuple(findings),
        {split: dataset.cells_per_class() for split, dataset in splits.items()},
        {split: len(dataset) for split, dataset in splits.items()},
    )


def _hashed(split: str, dataset: Dataset, findings: list[Finding]) -> HashedImages:
    """Return the hashes of a split; add a finding for each image that cannot be read."""
    paths, hashes = [], [np.zeros((0, HASH_SIDE, HASH_SIDE), np.float32)]
    for image in dataset.images:
        try:
            hashes.append(perceptual_hashes([image.path]))
            paths.append(image.path)
        except DataError as error:
            kind = "image that cannot be read"
            findings.append(Finding("error", kind, split, image.path.name, str(error)))
    return HashedImages(tuple(paths), np.concatenate(hashes))


def _nothing_to_learn(split: str, dataset: Dataset) -> Iterator[Finding]:
    if not any(len(image) for image in dataset.images):
        detail = "no cell is labeled" if dataset.images else "there is no image"
        yield Finding("error", "nothing to learn from", split, "", detail)


def _other_classes(splits: dict[str, Dataset]) -> Iterator[Finding]:
    """Report cells of a class that the training split does not have."""
    if TRAIN not in splits:
        return
    known = splits[TRAIN].classes
    for split, dataset in splits.items():
        for name, count in dataset.cells_per_class().items():
            if count and name not in known:
                detail = f"{name!r} ({count} boxes) is no class of {TRAIN} ({', '.join(known)})"
                yield Finding("error", "class that cannot be learned", split, "", detail)


def _check_image(split: str, image: AnnotatedImage, classes: tuple[str, ...]) -> Iterator[Finding]:
    name = image.path.name
    boxes = image.boxes_xyxy_px
    if not len(image):
        yield Finding("warning", "image without labels", split, name, "no cell is labeled")
    elif RBC in classes and classes.index(RBC) + 1 not in image.labels:
        detail = f"{len(image)} labels, none of them {RBC}"
        yield Finding("warning", f"image without any {RBC}", split, name, detail)
    empty = (boxes[:, 2] <= boxes[:, 0]) | (boxes[:, 3] <= boxes[:, 1])
    limits = np.array([image.width, image.height] * 2)
    beyond = (boxes < -OUTSIDE_TOLERANCE_PX) | (boxes > limits + OUTSIDE_TOLERANCE_PX)
    for kind, rows in (("box without area", empty), ("box beyond the image", beyond.any(axis=1))):
        for row in np.flatnonzero(rows):
            yield Finding("error", kind, split, name, _described(image, int(row), classes))
    yield from _overlaps(split, image, classes)


def _overlaps(split: str, image: AnnotatedImage, classes: tuple[str, ...]) -> Iterator[Finding]:
    boxes = image.boxes_xyxy_px.astype(np.float32)
    overlap = np.tril(iou(boxes, boxes), k=-1)
    for later, earlier in np.argwhere(overlap >= PROBABLY_DUPLICATE_IOU):
        share = overlap[later, earlier]
        same = image.labels[later] == image.labels[earlier]
        severity: Severity = "warning"
        if same and share >= DUPLICATE_IOU:
            severity, kind = "error", "duplicate box"
        elif same:
            kind = "probably duplicate box"
        elif share >= DUPLICATE_IOU:
            kind = "one cell with two classes"
        else:
            continue
        both = f"{_described(image, later, classes)} and {_described(image, earlier, classes)}"
        yield Finding(severity, kind, split, image.path.name, f"{both} overlap by {share:.0%}")


def _unknown_classes(split: str, dataset: Dataset) -> Iterator[Finding]:
    for name, count in dataset.cells_per_class().items():
        if name not in CLASS_NAMES:
            detail = f"{name!r} ({count} boxes) is none of {', '.join(CLASS_NAMES)}; if it means "
            detail += "one of them, rename it; else a model of your own can learn it"
            yield Finding(
                "warning", "class that the shipped model does not know", split, "", detail
            )


def _rare_classes(split: str, dataset: Dataset) -> Iterator[Finding]:
    cells = dataset.cells_per_class()
    total = sum(cells.values())
    for name, count in cells.items():
        if total and count / total < RARE_SHARE:
            detail = f"{name}: {count} of {total} boxes ({count / total:.1%})"
            yield Finding("note", "rare class", split, "", detail)


def _described(image: AnnotatedImage, row: int, classes: tuple[str, ...]) -> str:
    corners = ", ".join(f"{value:.4g}" for value in image.boxes_xyxy_px[row])
    return f"{classes[image.labels[row] - 1]} box {row + 1} at ({corners})"
