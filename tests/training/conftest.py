"""A tiny data set and one finished training on it, shared by the tests of this room."""

from __future__ import annotations

from pathlib import Path

import pytest

from doubles.tiny_training import RECIPE, write_tiny_data
from smearcount.training import TrainedRun, train


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of 4 + 3 small images, one of the 3 a flipped copy of one to learn from."""
    return write_tiny_data(tmp_path_factory.mktemp("training") / "data")


@pytest.fixture(scope="session")
def finished(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainedRun, list[str]]:
    """A finished training of two epochs, and its messages."""
    messages: list[str] = []
    run = tmp_path_factory.mktemp("runs") / "tiny"
    return train(data, run, recipe=RECIPE, on_message=messages.append), messages
