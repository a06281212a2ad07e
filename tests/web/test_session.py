"""What the page's session promises: counts as from Python, and nothing confirmed is lost."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from doubles.disc_detector import CARD, CELLS, PICTURE, DiscDetector, png, smear
from doubles.web_client import correct, settled, upload
from smearcount.analyze import analyze
from smearcount.errors import UsageError
from smearcount.image.read import open_image
from smearcount.settings import Settings
from smearcount.web.app import create_app


def test_a_photograph_is_counted_box_for_box_as_from_python(
    client: TestClient, tmp_path: Path
) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(png(PICTURE))
    row = upload(client, file.read_bytes(), "slide 1/a.png")
    settled(client)
    seen = client.get(f"/api/photographs/{row['id']}").json()
    expected = analyze(lambda: open_image(file), DiscDetector(), Settings())
    assert np.array_equal(np.float32(seen["boxes"]), expected.candidates.boxes_xyxy_px)
    assert np.array_equal(np.float32(seen["scores"]), expected.candidates.scores)
    assert seen["labels"] == expected.candidates.labels.tolist()
    assert seen["row"]["automatic"]["counted"] == list(expected.counts.values()) == [1, 10, 1]


def test_thresholds_and_edge_rule_change_every_count_at_once(client: TestClient) -> None:
    upload(client, png(PICTURE), "a.png")
    settled(client)
    body = {"thresholds": [0.5, 0.2, 0.9], "edge": "all", "pixel_size_um": None}
    assert client.put("/api/settings", json=body).status_code == 200
    assert settled(client)["a.png"]["automatic"]["counted"] == [1, 13, 0]
    assert client.put("/api/settings", json=body | {"thresholds": [0.5]}).status_code == 400


def test_flags_follow_the_thresholds_as_from_python(client: TestClient, tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(png(PICTURE))
    upload(client, file.read_bytes(), "a.png")
    assert settled(client)["a.png"]["flags"] == []
    for limits in ((0.95, 0.95, 0.95), (0.5, 0.62, 0.5), (0.5, 0.5, 0.5)):
        client.put("/api/settings", json={"thresholds": limits})
        expected = analyze(lambda: open_image(file), DiscDetector(), Settings(limits))
        assert settled(client)["a.png"]["flags"] == list(expected.flags)
        assert (limits[0] == 0.95) == ("nothing found" in expected.flags)


def test_a_restart_after_a_crash_finds_everything_that_was_confirmed(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    app = create_app(folder, DiscDetector())
    with TestClient(app, base_url="http://127.0.0.1") as client:
        identity = upload(client, png(PICTURE), "a.png")["id"]
        settled(client)
        correct(client, identity, 0, add=[{"box": [1, 201, 30, 230], "label": "WBC"}])
        client.put("/api/settings", json={"thresholds": [0.5, 0.6, 0.7], "edge": "inside"})
        before = settled(client)
        journal = (folder / "corrections.jsonl").read_bytes()
    # What a power cut in the middle of a write and of an upload leaves behind.
    with (folder / "corrections.jsonl").open("ab") as file:
        file.write(b'{"image": "00')
    (folder / "incoming" / "half").write_bytes(b"half a photograph")
    kept = folder / "seen" / identity / "count.json"
    kept.write_bytes(kept.read_bytes()[:300])
    with TestClient(create_app(folder, DiscDetector()), base_url="http://127.0.0.1") as client:
        assert settled(client) == {
            name: row | {"seconds": settled(client)[name]["seconds"]}
            for name, row in before.items()
        }
        correct(client, identity, 1, kind="undo")
    lines = (folder / "corrections.jsonl").read_bytes()
    assert lines.startswith(journal)
    assert [json.loads(line)["kind"] for line in lines.splitlines()] == ["edit", "undo"]
    assert not list((folder / "incoming").iterdir())


def test_corrections_in_classes_that_the_model_lacks_are_not_opened(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    with TestClient(create_app(folder, DiscDetector()), base_url="http://127.0.0.1") as client:
        identity = upload(client, png(PICTURE), "a.png")["id"]
        settled(client)
        correct(client, identity, 0, add=[{"box": [1, 201, 30, 230], "label": "Platelets"}])

    others = CARD.model_copy(update={"classes": ("WBC", "RBC"), "thresholds": (0.5, 0.5)})
    with pytest.raises(UsageError, match=r"corrections.jsonl: .*Platelets.*another folder"):
        create_app(folder, DiscDetector(others))
    create_app(folder, DiscDetector())  # it was let go of, and is as it was


def test_the_same_photograph_twice_is_one_and_its_name_leaves_no_folder(
    client: TestClient, tmp_path: Path
) -> None:
    first = upload(client, png(PICTURE), "../../../etc/passwd.png")
    again = upload(client, png(PICTURE), "../../../etc/passwd.png")
    other = upload(client, png(smear(CELLS[:2])), "../../../etc/passwd.png")
    assert first["id"] == again["id"]
    assert (first["name"], other["name"]) == ("etc/passwd.png", "etc/passwd (2).png")
    outside = [path for path in tmp_path.rglob("*.png") if "photographs" not in str(path)]
    assert not outside


def test_a_photograph_named_as_a_folder_does_not_stand_in_its_way(client: TestClient) -> None:
    upload(client, png(PICTURE), "slide")
    names = [upload(client, png(smear(CELLS[:n])), f"slide/{n}.png")["name"] for n in (1, 2)]
    assert names == ["slide (2)/1.png", "slide (2)/2.png"]
    assert {row["state"] for row in settled(client).values()} == {"done"}


def test_a_removed_photograph_is_gone_and_its_corrections_return_with_it(
    client: TestClient,
) -> None:
    identity = upload(client, png(PICTURE), "a.png")["id"]
    settled(client)
    correct(client, identity, 0, add=[{"box": [1, 201, 30, 230], "label": "WBC"}])
    revision = client.get("/api/session").json()["revision"]
    assert client.delete(f"/api/photographs/{identity}").status_code == 204
    assert client.get("/api/session", params={"since": revision}).json()["removed"] == [identity]
    assert client.get(f"/api/photographs/{identity}").status_code == 404
    upload(client, png(PICTURE), "a.png")
    assert settled(client)["a.png"]["corrected"]["counted"] == [2, 10, 1]


def test_settings_that_cannot_be_written_are_refused_and_do_not_count(
    client: TestClient, tmp_path: Path
) -> None:
    before = client.get("/api/session").json()["settings"]
    (tmp_path / "session" / "settings.json").mkdir()
    answer = client.put("/api/settings", json={"edge": "inside"})
    assert answer.status_code == 507
    assert "settings.json" in answer.json()["detail"]
    assert client.get("/api/session").json()["settings"] == before


def test_a_pixel_size_is_that_of_one_photograph_or_folder_or_of_all(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    with TestClient(create_app(folder, DiscDetector()), base_url="http://127.0.0.1") as client:
        pictures = {
            "a/1.png": CELLS[:2],
            "a/2.png": CELLS[:3],
            "b/1.png": CELLS[:4],
        }
        ids = {
            name: upload(client, png(smear(cells)), name)["id"] for name, cells in pictures.items()
        }
        before = settled(client)
        body = {"photographs": [ids["a/1.png"], ids["a/2.png"]], "pixel_size_um": 0.2}
        assert client.put("/api/pixel-size", json=body).status_code == 204
        after = settled(client)
        assert after["b/1.png"] == before["b/1.png"]  # it was not counted again
        # A further photograph of the folder is taken by the same microscope.
        ids["a/3.png"] = upload(client, png(smear(CELLS[:5])), "a/3.png")["id"]
        client.put("/api/settings", json={"pixel_size_um": 0.1})
        settled(client)
        assert client.put("/api/pixel-size", json=body | {"pixel_size_um": 99}).status_code == 400
        sizes = {"a/1.png": 0.2, "a/2.png": 0.2, "a/3.png": 0.2, "b/1.png": 0.1}
        assert pixel_sizes(client, ids) == sizes
    with TestClient(create_app(folder, DiscDetector()), base_url="http://127.0.0.1") as client:
        assert {row["state"] for row in client.get("/api/session").json()["photographs"]} == {
            "done"
        }
        assert pixel_sizes(client, ids) == sizes


def pixel_sizes(client: TestClient, ids: dict[str, str]) -> dict[str, float]:
    return {
        name: client.get(f"/api/photographs/{identity}").json()["pixel_size_um"]
        for name, identity in ids.items()
    }


def test_all_photographs_are_removed_at_once(client: TestClient, tmp_path: Path) -> None:
    for name in ("a.png", "b/c.png"):
        upload(client, png(PICTURE), name)
    settled(client)
    assert client.delete("/api/photographs").status_code == 204
    assert client.get("/api/session").json()["photographs"] == []
    assert not list((tmp_path / "session" / "seen").iterdir())
