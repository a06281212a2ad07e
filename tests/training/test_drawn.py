"""Drawn smears join photographs in a training, each cell at its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from PIL import Image

from smearcount.errors import UsageError
from smearcount.formats.dataset import AnnotatedImage, Dataset
from smearcount.training.dataset import CellSamples
from smearcount.training.drawn import drawn_smears


def photographs(folder: Path, classes: tuple[str, ...]) -> Dataset:
    path = folder / "photograph.png"
    Image.new("RGB", (96, 96), "white").save(path)
    boxes = np.array([[10.0, 10, 40, 40]])
    return Dataset(classes, (AnnotatedImage(path, 96, 96, boxes, np.array([1])),), "photographs")


def test_the_same_seed_draws_the_same_smears_and_another_seed_others() -> None:
    first, again, other = drawn_smears(2, 0), drawn_smears(2, 0), drawn_smears(2, 1)
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0].pixels, other[0].pixels)
    assert not np.array_equal(first[0].pixels, first[1].pixels)
    for smear in first:
        assert smear.boxes_xyxy_px.min() >= 0
        assert smear.boxes_xyxy_px.max() <= 480


def test_drawn_smears_come_at_the_magnification_and_with_the_labels_of_the_data_set(
    tmp_path: Path,
) -> None:
    classes = ("RBC", "Platelets", "WBC", "Parasite")
    samples = CellSamples(photographs(tmp_path, classes), 48, 16, seed=3, drawn=2)
    assert len(samples) == 3
    for sample, smear in zip(samples.samples[1:], drawn_smears(2, 3), strict=True):
        red = sample.boxes[sample.labels == 1].numpy()
        assert len(red) == np.count_nonzero(smear.labels == 2)
        assert sample.image.shape[1] == pytest.approx(480 * 48 / smear.rbc_px, abs=8)
        whole = (red.min(axis=1) > 0) & (red.max(axis=1) < sample.image.shape[1])
        sides = (red[whole, 2:] - red[whole, :2]).mean(axis=1)
        assert np.median(sides) == pytest.approx(48, rel=0.15)


def test_other_classes_are_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="set drawn = 0"):
        CellSamples(photographs(tmp_path, ("RBC",)), 48, 16, drawn=1)
