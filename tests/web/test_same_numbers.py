"""The page, the command and Python give the same boxes; the page's command repeats its count."""

from __future__ import annotations

import csv
import io
import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from typer.testing import CliRunner

import smearcount
from doubles.web_client import correct, settled, upload
from smearcount.cli import app as command_line
from smearcount.detector.load import load_detector
from smearcount.synthetic.smears import SmearStyle, render
from smearcount.web.app import create_app


@pytest.fixture(scope="module")
def photograph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("smear") / "smear.png"
    Image.fromarray(render(SmearStyle(width=320, height=240, rbc_px=60)).pixels).save(path)
    return path


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The page with the model that ships."""
    app = create_app(tmp_path_factory.mktemp("page") / "session", load_detector())
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


def test_page_command_and_python_agree_box_for_box(page: TestClient, photograph: Path) -> None:
    identity = upload(page, photograph.read_bytes(), "slide/smear.png")["id"]
    assert settled(page)["slide/smear.png"]["state"] == "done"
    from_python = smearcount.count(photograph)
    printed = CliRunner().invoke(command_line, ["count", str(photograph), "--json"])
    from_command = json.loads(printed.stdout)["images"][0]
    from_page = page.get(f"/api/photographs/{identity}").json()

    assert len(from_python.detections) > 5
    thresholds = np.float32(from_python.card.thresholds)
    scores, labels = np.float32(from_page["scores"]), np.array(from_page["labels"])
    counted = scores >= thresholds[labels - 1]
    boxes = np.float32(from_page["boxes"])[counted]
    assert np.array_equal(boxes, from_python.detections.boxes_xyxy_px)
    assert np.array_equal(scores[counted], from_python.detections.scores)
    shown = from_page["row"]["automatic"]["counted"]
    assert shown == list(from_python.counts.values()) == list(from_command["counts"].values())
    assert from_page["row"]["flags"] == list(from_python.flags)


def test_the_command_that_the_page_names_repeats_its_numbers(
    page: TestClient, photograph: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = upload(page, photograph.read_bytes(), "slide/smear.png")["id"]
    settled(page)
    seen = page.get(f"/api/photographs/{identity}").json()
    page.put("/api/settings", json={"thresholds": [0.6, 0.35, 0.5], "edge": "two-edges"})
    removed = {"box": seen["boxes"][0], "label": page_class(page, seen["labels"][0])}
    added = {"box": [100, 100, 150, 150], "label": "WBC"}
    correct(page, identity, seen["log_length"], remove=[removed], add=[added])
    command = page.get("/api/downloads/command.txt").text
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(command_line, shlex.split(command)[1:])
    assert done.exit_code == 0, done.output
    expected = page.get("/api/downloads/counts.csv").content.decode("utf-8-sig")
    of_page = list(csv.DictReader(io.StringIO(expected)))
    text = (tmp_path / "counted" / "counts.csv").read_text(encoding="utf-8-sig")
    of_command = list(csv.DictReader(io.StringIO(text)))
    for ours, theirs in zip(of_page, of_command, strict=True):
        assert theirs["image"].endswith(ours["image"])
        for column in ours.keys() - {"image", "picture", "seconds"}:
            assert ours[column] == theirs[column], column
    assert of_page[0]["corrections"] == "1"
    for name in ("report.html", "slides.csv"):
        assert page.get(f"/api/downloads/{name}").status_code == 200


def page_class(page: TestClient, label: int) -> str:
    return str(page.get("/api/session").json()["classes"][label - 1]["name"])
