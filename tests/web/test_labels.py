"""What a person corrected on the page is what a training learns from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from doubles.disc_detector import CARD, png, smear
from doubles.web_client import correct, settled, upload
from smearcount.datasets.dataset import Dataset
from smearcount.training.data import DataChoice, read_training_data

FIRST = smear([("RBC", 0.9)] * 11 + [("WBC", 0.8), ("Platelets", 0.7)])
SECOND = smear([("Platelets", 0.9), ("WBC", 0.9)] * 9, columns=9, rows=7)[::-1].copy()
ADDED = {"box": [100.5, 200.25, 130.0, 235.75], "label": "Platelets"}


@pytest.fixture
def labels(client: TestClient, tmp_path: Path) -> tuple[Path, dict[str, list[list[float]]]]:
    """The archive taken away after corrections, and the boxes that each photograph then has."""
    expected = {}
    upload(client, png(SECOND[:200, :200]), "slide 1/untouched.png")
    for name, picture in (("slide 1/a.png", FIRST), ("slide 2/a.png", SECOND)):
        identity = upload(client, png(picture), name)["id"]
        settled(client)
        seen = client.get(f"/api/photographs/{identity}").json()
        classes = [CARD.classes[label - 1] for label in seen["labels"]]
        gone = {"box": seen["boxes"][0], "label": classes[0]}
        other = {"box": seen["boxes"][1], "label": classes[1]}
        correct(client, identity, 0, remove=[gone], add=[ADDED])
        correct(client, identity, 1, remove=[other], add=[{**other, "label": "RBC"}])
        kept = list(zip(classes, seen["boxes"], strict=True))[2:]
        marked = [*kept, ("Platelets", ADDED["box"]), ("RBC", other["box"])]
        expected[name] = sorted([CARD.classes.index(label) + 1, *box] for label, box in marked)
    path = tmp_path / "labels.zip"
    path.write_bytes(client.get("/api/takeaway/labels.zip").content)
    return path, expected


def boxes_of(dataset: Dataset) -> dict[str, list[list[float]]]:
    assert dataset.classes == CARD.classes
    return {
        "/".join(image.path.parts[-2:]): sorted(
            np.column_stack([image.labels, image.boxes_xyxy_px]).tolist()
        )
        for image in dataset.images
    }


def test_a_training_learns_from_the_corrected_boxes(
    labels: tuple[Path, dict[str, list[list[float]]]],
) -> None:
    path, expected = labels
    data = read_training_data(DataChoice(str(path)))
    assert (len(data.train), len(data.val), data.dropped) == (1, 1, 0)
    read = boxes_of(data.train) | boxes_of(data.val)
    assert read.keys() == expected.keys()
    for name, boxes in expected.items():
        assert np.allclose(read[name], boxes, atol=1e-4)


def test_without_a_correction_there_is_nothing_to_learn_from(client: TestClient) -> None:
    upload(client, png(FIRST), "a.png")
    settled(client)
    answer = client.get("/api/takeaway/labels.zip")
    assert answer.status_code == 400
    assert "corrected" in answer.json()["detail"]
