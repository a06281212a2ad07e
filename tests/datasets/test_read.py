"""The format of a folder is recognized; public data sets have their published counts."""

from pathlib import Path

import numpy as np
import pytest

from smearcount.datasets.read import read_dataset
from smearcount.errors import DataError

DATA = Path(__file__).parents[2].parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not here")


def counts(dataset):
    return np.bincount(np.concatenate([i.labels for i in dataset.images]), minlength=4)[1:].tolist()


@needs_data
@pytest.mark.parametrize(
    ("folder", "split", "n", "cells"),
    [
        ("bccd/BCCD", "train", 205, [214, 2382, 209]),
        ("bccd/BCCD", "val", 87, [87, 968, 83]),
        ("bccd", "valid", 87, [87, 968, 83]),
        ("txl-pbc", "train", 958, [1001, 15876, 546]),
        ("txl-pbc", "val", 265, [282, 4348, 157]),
    ],
)
def test_public_sets_have_their_published_counts(folder, split, n, cells):
    dataset = read_dataset(DATA / folder, split)
    assert dataset.classes == ("WBC", "RBC", "Platelets")
    assert len(dataset) == n
    assert counts(dataset) == cells


def test_a_folder_without_data_says_what_is_needed(tmp_path):
    with pytest.raises(DataError, match=r"no data set found; .*or SPLIT\.bbox\.json"):
        read_dataset(tmp_path)
    with pytest.raises(DataError, match="check the path"):
        read_dataset(tmp_path / "nowhere")
