"""Corrections over HTTP: undone and redone exactly, and never on top of unseen ones."""

from __future__ import annotations

from fastapi.testclient import TestClient

from doubles.disc_detector import PICTURE, png
from doubles.web_client import correct, settled, upload


def test_every_correction_then_undo_gives_the_identical_count(client: TestClient) -> None:
    identity = upload(client, png(PICTURE), "a.png")["id"]
    settled(client)
    seen = client.get(f"/api/photographs/{identity}").json()
    before = seen["row"]["corrected"]
    first = {"box": seen["boxes"][0], "label": "RBC"}
    new = {"box": [100.5, 200, 130, 235.25], "label": "Platelets"}
    edits = [
        {"add": [new]},
        {"remove": [first]},
        {"remove": [first], "add": [{**first, "label": "WBC"}]},
        {"remove": [first], "add": [{**first, "box": [20, 20, 50, 52]}]},
    ]
    for number, edit in enumerate(edits):
        changed = correct(client, identity, 2 * number, **edit)
        assert changed["row"]["corrections"] == 1
        undone = correct(client, identity, 2 * number + 1, kind="undo")
        assert undone["row"]["corrected"] == before
        assert undone["removed"] == undone["added"] == []
        assert undone["can_redo"]
    assert changed["row"]["automatic"] == before


def test_undo_and_redo_go_all_the_way_back_and_forth(client: TestClient) -> None:
    identity = upload(client, png(PICTURE), "a.png")["id"]
    settled(client)
    counts = [settled(client)["a.png"]["corrected"]["counted"]]
    for number in range(20):
        box = [5 + number, 205, 25 + number * 2, 230]
        answer = correct(client, identity, number, add=[{"box": box, "label": "RBC"}])
        counts.append(answer["row"]["corrected"]["counted"])
    for back in range(20):
        answer = correct(client, identity, 20 + back, kind="undo")
        assert answer["row"]["corrected"]["counted"] == counts[19 - back]
    assert not answer["can_undo"]
    for forth in range(20):
        answer = correct(client, identity, 40 + forth, kind="redo")
    assert answer["row"]["corrected"]["counted"] == counts[20]
    refused = client.post(
        f"/api/photographs/{identity}/corrections", json={"after": 60, "kind": "redo"}
    )
    assert refused.status_code == 400


def test_a_correction_of_an_outdated_view_is_refused(client: TestClient) -> None:
    identity = upload(client, png(PICTURE), "a.png")["id"]
    settled(client)
    edit = {"after": 0, "add": [{"box": [1, 1, 9, 9], "label": "RBC"}]}
    path = f"/api/photographs/{identity}/corrections"
    assert client.post(path, json=edit).status_code == 200
    assert client.post(path, json=edit).status_code == 409
    assert client.post(path, json=edit | {"after": 1, "add": []}).status_code == 400
    unknown = [{"box": [1, 1, 9, 9], "label": "Parasite"}]
    assert client.post(path, json=edit | {"after": 1, "add": unknown}).status_code == 400
    inverted = [{"box": [9, 1, 1, 9], "label": "RBC"}]
    assert client.post(path, json=edit | {"after": 1, "add": inverted}).status_code == 422
