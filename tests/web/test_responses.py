"""The answers of the server hold what the page needs to show the same numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel

from doubles.disc_detector import PICTURE, DiscDetector, png, smear
from doubles.web_client import correct, settled, upload
from smearcount.image.draw import EXCLUDED_COLOR
from smearcount.image.file_types import SUFFIXES
from smearcount.image.image import FieldOfView
from smearcount.quality.flags import FLAG_EXPLANATIONS
from smearcount.results.result import CountResult
from smearcount.results.stored import StoredResult
from smearcount.web.app import create_app
from smearcount.web.responses import edge_segments
from smearcount.web.schema import (
    AddedCell,
    ClassRow,
    CorrectedBody,
    CorrectionBody,
    FieldOfViewBody,
    PhotographBody,
    PhotographRow,
    SessionBody,
    SettingsBody,
    Tally,
)


def test_the_page_is_told_which_cells_each_edge_rule_leaves_out(tmp_path: Path) -> None:
    # Cells 129 px wide that end 2 px from the border: it is near enough for cells of this size.
    cells = [("RBC", 0.9)] * 5 + [("WBC", 0.8), ("RBC", 0.3)] * 4
    app = create_app(tmp_path / "session", DiscDetector(square=133))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        identity = upload(client, png(smear(cells, 4, 3, square=133, radius=64)), "a.png")["id"]
        settled(client)
        near, far = [2.2, 140, 90, 230], [200, 140, 300, 230]
        correct(client, identity, 0, add=[{"box": box, "label": "WBC"} for box in (near, far)])
        for limits in ([0.5, 0.5, 0.5], [0.5, 0.2, 0.5]):
            for rule in ("all", "inside", "two-edges"):
                client.put("/api/settings", json={"thresholds": limits, "edge": rule})
                seen = client.get(f"/api/photographs/{identity}").json()
                scores = seen["scores"] + [1.0] * len(seen["added"])
                labels = seen["labels"] + [cell["label"] for cell in seen["added"]]
                found = [i for i, label in enumerate(labels) if scores[i] >= limits[label - 1]]
                counted = [labels[i] for i in found if i not in seen["excluded"][rule]]
                expected = seen["row"]["corrected"]["counted"]
                assert [counted.count(label) for label in (1, 2, 3)] == expected
        assert seen["excluded"]["all"] == []
        assert len(scores) - 2 not in seen["excluded"]["two-edges"]
        assert len(scores) - 2 in seen["excluded"]["inside"]


def test_every_flag_is_explained_in_both_languages(client: TestClient) -> None:
    assert client.get("/api/session").json()["flags"] == FLAG_EXPLANATIONS
    japanese = client.get("/flags.js").text
    assert all(f'"{flag}": [' in japanese for flag in FLAG_EXPLANATIONS)


def test_a_row_is_counted_once(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    upload(client, png(PICTURE), "a.png")
    settled(client)
    applied = 0
    result = StoredResult.restore

    def counting(stored: StoredResult, *arguments: Any) -> CountResult:
        nonlocal applied
        applied += 1
        return result(stored, *arguments)

    monkeypatch.setattr(StoredResult, "restore", counting)
    assert len(client.get("/api/session").json()["photographs"]) == 1
    assert applied == 1


def test_excluded_cells_have_one_color_in_pictures_and_on_the_page(client: TestClient) -> None:
    assert f'"{EXCLUDED_COLOR}"' in client.get("/class_marks.js").text


def test_the_edge_of_the_field_of_view_is_told_in_image_pixels(client: TestClient) -> None:
    covered = np.ones((6, 8), dtype=np.bool_)
    covered[1:4, 2:7] = False
    covered[2, 3] = True
    edge = edge_segments(FieldOfView(80, 30, (20, 5, 70, 20), covered)).tolist()
    hole = [[30, 10, 40, 10], [30, 15, 40, 15], [30, 10, 30, 15], [40, 10, 40, 15]]
    outer = [[20, 5, 70, 5], [20, 20, 70, 20], [20, 5, 20, 20], [70, 5, 70, 20]]
    assert sorted(edge) == sorted(hole + outer)
    framed = np.zeros((280, 400, 3), dtype=np.uint8)
    framed[20:260, 40:360] = PICTURE
    for name, picture in (("framed.png", framed), ("whole.png", PICTURE)):
        identity = upload(client, png(picture), name)["id"]
        settled(client)
        field = client.get(f"/api/photographs/{identity}").json()["field_of_view"]
        assert (field is not None) == (name == "framed.png")
        if field is not None:
            x = [side for segment in field["edge"] for side in segment[::2]]
            assert min(x) == pytest.approx(40, abs=4)
            assert max(x) == pytest.approx(360, abs=4)


def test_the_page_is_told_which_files_can_be_read(client: TestClient) -> None:
    body = client.get("/api/session").json()
    assert set(body["suffixes"]) == SUFFIXES


@pytest.mark.parametrize(
    ("described", "model"),
    [
        (("SettingsBody",), SettingsBody),
        (("Tally",), Tally),
        (("PhotographRow",), PhotographRow),
        (("ClassRow",), ClassRow),
        (("SessionBody",), SessionBody),
        (("AddedCell",), AddedCell),
        (("CorrectedBody",), CorrectedBody),
        (("CorrectedBody", "DetectionsOfPhotograph"), PhotographBody),
        (("CorrectionBody",), CorrectionBody),
        (("FieldOfView",), FieldOfViewBody),
    ],
)
def test_the_types_of_the_page_name_the_fields_of_the_server(
    client: TestClient, described: tuple[str, ...], model: type[BaseModel]
) -> None:
    script = client.get("/api.js").text
    fields = set()
    for name in described:
        comment = re.search(rf"@typedef {{object}} {name}\b.*?\*/", script, re.DOTALL)
        assert comment is not None
        fields |= set(re.findall(r"@property {.*?} (\w+)", comment[0]))
    assert fields == set(model.model_fields)
