"""The files that the page offers say what its screen says, and a training can use them."""

from __future__ import annotations

import csv
import io
import shlex
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from doubles.disc_detector import CARD, CELLS, PICTURE, DiscDetector, png, smear
from doubles.web_client import correct, settled, upload
from smearcount.analyze import analyze
from smearcount.datasets.dataset import Dataset
from smearcount.detections.detections import Detections
from smearcount.image.find import find_images
from smearcount.image.image import Pixels
from smearcount.image.read import open_image
from smearcount.results.corrections import apply_corrections, read_corrections
from smearcount.settings import Settings
from smearcount.training.data import DataSource, read_training_data
from smearcount.web.app import create_app

FIRST = smear([("RBC", 0.9)] * 11 + [("WBC", 0.8), ("Platelets", 0.7)])
SECOND = smear([("Platelets", 0.9), ("WBC", 0.9)] * 9, columns=9, rows=7)[::-1].copy()
ADDED = {"box": [100.5, 200.25, 130.0, 235.75], "label": "Platelets"}


def table(client: TestClient, name: str) -> list[dict[str, str]]:
    text = client.get(f"/api/downloads/{name}").content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_what_is_taken_away_says_what_the_screen_says(client: TestClient, tmp_path: Path) -> None:
    identity = upload(client, png(PICTURE), "slide 1/a.png")["id"]
    upload(client, png(smear(CELLS[:4])), "slide 2/b.png")
    upload(client, b"nothing", "slide 2/c.png")
    settled(client)
    body = {"thresholds": [0.5, 0.2, 0.5], "edge": "all", "pixel_size_um": None}
    client.put("/api/settings", json=body)
    seen = client.get(f"/api/photographs/{identity}").json()
    gone = {"box": seen["boxes"][3], "label": "RBC"}
    correct(client, identity, 0, remove=[gone], add=[{"box": [200, 200, 230, 230], "label": "WBC"}])
    rows = settled(client)
    counts = {row["image"]: row for row in table(client, "counts.csv")}
    for name in ("slide 1/a.png", "slide 2/b.png"):
        exported = [int(counts[name][label]) for label in CARD.classes]
        assert exported == rows[name]["corrected"]["counted"]
    assert counts["slide 2/c.png"]["error"] == rows["slide 2/c.png"]["reason"]
    cells = table(client, "cells.csv")
    coco = client.get("/api/downloads/detections.json").json()
    shown = sum(sum(row["corrected"]["counted"]) for row in rows.values() if row["corrected"])
    assert len(cells) == len(coco["annotations"]) == shown
    # The list of corrections gives the same numbers without the page.
    file = tmp_path / "corrections.jsonl"
    file.write_bytes(client.get("/api/downloads/corrections.jsonl").content)
    photograph = tmp_path / "again.png"
    photograph.write_bytes(png(PICTURE))
    settings = Settings(threshold=(0.5, 0.2, 0.5))
    result = analyze(lambda: open_image(photograph), DiscDetector(), settings)
    result = apply_corrections(result, read_corrections(file)[result.image.sha256])
    assert list(result.counts.values()) == rows["slide 1/a.png"]["corrected"]["counted"]
    picture = client.get(f"/api/photographs/{identity}/annotated.png")
    assert picture.headers["content-type"] == "image/png"


def test_the_command_names_every_photograph_and_every_digit(client: TestClient) -> None:
    upload(client, png(PICTURE), "no suffix")
    client.put("/api/settings", json={"edge": "all", "pixel_size_um": 0.06451613})
    settled(client)
    words = shlex.split(client.get("/api/downloads/command.txt").text)
    assert "0.06451613" in words
    assert find_images([word for word in words if "photographs" in word]) == [words[2]]
    assert Path(words[2]).read_bytes() == png(PICTURE)


def test_the_command_names_the_model_that_looked(tmp_path: Path) -> None:
    model = tmp_path / "my own.onnx"
    app = create_app(tmp_path / "session", DiscDetector(), model=model)
    with TestClient(app, base_url="http://127.0.0.1:8765") as client:
        words = shlex.split(client.get("/api/downloads/command.txt").text)
    assert words[words.index("--model") + 1] == str(model)


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
    path.write_bytes(client.get("/api/downloads/labels.zip").content)
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
    data = read_training_data(DataSource(str(path)))
    assert (len(data.train), len(data.val), data.dropped) == (1, 1, 0)
    read = boxes_of(data.train) | boxes_of(data.val)
    assert read.keys() == expected.keys()
    for name, boxes in expected.items():
        assert np.allclose(read[name], boxes, atol=1e-4)


def test_without_a_correction_there_is_nothing_to_learn_from(client: TestClient) -> None:
    upload(client, png(FIRST), "a.png")
    settled(client)
    answer = client.get("/api/downloads/labels.zip")
    assert answer.status_code == 400
    assert "corrected" in answer.json()["detail"]


class GatedDetector(DiscDetector):
    """Finds the discs of pictures of one size only once the gate is open."""

    gate = threading.Event()

    def detect(self, pixels: Pixels) -> Detections:
        if pixels.shape == PICTURE.shape:
            self.gate.wait(240)
        return super().detect(pixels)


def test_exports_say_that_they_are_partial(tmp_path: Path) -> None:
    detector = GatedDetector()
    detector.gate.clear()
    app = create_app(tmp_path / "session", detector)
    with TestClient(app, base_url="http://127.0.0.1:8765") as client:
        try:
            upload(client, png(smear(CELLS[:4], 4, 4)), "slide/a.png")
            while client.get("/api/session").json()["photographs"][0]["state"] != "done":
                time.sleep(0.02)
            for name in ("slide/b.png", "slide/c.png"):
                upload(client, png(PICTURE), name)
            answer = client.get("/api/downloads/counts.csv")
            assert "counts%20%281%20of%203%29.csv" in answer.headers["content-disposition"]
            errors = {row["image"]: row["error"] for row in table(client, "counts.csv")}
            assert errors["slide/a.png"] == ""
            assert errors["slide/b.png"] == errors["slide/c.png"] == "Not counted yet."
            assert table(client, "slides.csv")[0]["fields_failed"] == "2"
            client.post("/api/cancel")
            errors = {row["image"]: row["error"] for row in table(client, "counts.csv")}
            assert errors["slide/c.png"] == "Canceled before it was counted."
            report = client.get("/api/downloads/report.html").text
            assert "slide/c.png: Canceled before it was counted." in report
        finally:
            detector.gate.set()
        client.post("/api/resume")
        settled(client)
        answer = client.get("/api/downloads/counts.csv")
        assert 'filename="counts.csv"' in answer.headers["content-disposition"]


def test_a_photograph_left_out_is_in_no_total_and_named_as_such(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    with TestClient(create_app(folder, DiscDetector()), base_url="http://127.0.0.1") as client:
        junk = upload(client, png(PICTURE), "slide/junk.png")["id"]
        upload(client, png(smear(CELLS[:4], 4, 4)), "slide/b.png")
        settled(client)
        assert client.put(f"/api/photographs/{junk}/left-out", json={"left_out": True}).is_success
    with TestClient(create_app(folder, DiscDetector()), base_url="http://127.0.0.1") as client:
        rows = settled(client)
        assert {name: row["left_out"] for name, row in rows.items()} == {
            "slide/junk.png": True,
            "slide/b.png": False,
        }
        assert rows["slide/junk.png"]["automatic"]["counted"] == [1, 10, 1]  # still to be seen
        counts = {row["image"]: row for row in table(client, "counts.csv")}
        assert counts["slide/junk.png"]["RBC"] == ""
        assert counts["slide/junk.png"]["error"] == "Left out by hand."
        (slide,) = table(client, "slides.csv")
        assert [slide[key] for key in ("fields", "fields_failed", "RBC")] == ["1", "0", "4"]
        assert len(table(client, "cells.csv")) == 4
        assert "slide/junk.png: Left out by hand." in client.get("/api/downloads/report.html").text
        words = shlex.split(client.get("/api/downloads/command.txt").text)
        assert [Path(word).name for word in words[2:3]] == ["b.png"]
        client.put(f"/api/photographs/{junk}/left-out", json={"left_out": False})
        assert len(table(client, "cells.csv")) == 16


def test_the_command_counts_each_pixel_size_by_itself(client: TestClient) -> None:
    first = upload(client, png(PICTURE), "a/1.png")["id"]
    upload(client, png(smear(CELLS[:4], 4, 4)), "b/1.png")
    client.put("/api/pixel-size", json={"photographs": [first], "pixel_size_um": 0.2})
    settled(client)
    lines = client.get("/api/downloads/command.txt").text.splitlines()
    assert len(lines) == 2
    assert "--pixel-size 0.2" in lines[0]
    assert "a/1.png" in lines[0]
    assert "--pixel-size" not in lines[1]
