"""What the page's server promises, asked over HTTP."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import threading
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from doubles.disc_detector import CARD, DiscDetector, png, smear
from doubles.web_client import correct, settled, upload
from smearcount.analyze import analyze
from smearcount.detections.detections import Detections
from smearcount.errors import UsageError
from smearcount.image.find import find_images
from smearcount.image.image import Pixels
from smearcount.image.read import open_image
from smearcount.quality.flags import FLAG_EXPLANATIONS
from smearcount.results.corrected import corrected
from smearcount.results.corrections import read_corrections
from smearcount.settings import Settings
from smearcount.web.app import create_app
from smearcount.web.upload import UPLOAD_LIMIT_BYTES

CELLS = [("RBC", 0.9)] * 10 + [("RBC", 0.3)] * 3 + [("WBC", 0.8), ("Platelets", 0.7)]
PICTURE = smear(CELLS)


def table(client: TestClient, name: str) -> list[dict[str, str]]:
    text = client.get(f"/api/takeaway/{name}").content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


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


def test_a_bad_file_is_a_row_with_its_reason_and_the_others_are_counted(
    client: TestClient,
) -> None:
    upload(client, b"this is no picture", "bad.jpg")
    upload(client, b"", "empty.jpg")
    upload(client, png(PICTURE), "good.png")
    rows = settled(client)
    assert rows["bad.jpg"]["state"] == rows["empty.jpg"]["state"] == "failed"
    assert "not an image" in rows["bad.jpg"]["reason"]
    assert "session" not in rows["bad.jpg"]["reason"]
    assert rows["good.png"]["state"] == "done"


def test_thresholds_and_edge_rule_change_every_count_at_once(client: TestClient) -> None:
    upload(client, png(PICTURE), "a.png")
    settled(client)
    body = {"thresholds": [0.5, 0.2, 0.9], "edge": "all", "pixel_size_um": None}
    assert client.put("/api/settings", json=body).status_code == 200
    assert settled(client)["a.png"]["automatic"]["counted"] == [1, 13, 0]
    assert client.put("/api/settings", json=body | {"thresholds": [0.5]}).status_code == 400


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


def test_a_second_server_on_the_folder_is_told_so_in_one_sentence(
    client: TestClient, tmp_path: Path
) -> None:
    folder = tmp_path / "session"
    with pytest.raises(UsageError, match=re.escape(str(folder))) as refusal:
        create_app(folder, DiscDetector())
    assert "--session" in str(refusal.value)
    assert client.get("/api/session").status_code == 200


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
    coco = client.get("/api/takeaway/detections.json").json()
    shown = sum(sum(row["corrected"]["counted"]) for row in rows.values() if row["corrected"])
    assert len(cells) == len(coco["annotations"]) == shown
    # The list of corrections gives the same numbers without the page.
    file = tmp_path / "corrections.jsonl"
    file.write_bytes(client.get("/api/takeaway/corrections.jsonl").content)
    photograph = tmp_path / "again.png"
    photograph.write_bytes(png(PICTURE))
    settings = Settings(threshold=(0.5, 0.2, 0.5))
    result = analyze(lambda: open_image(photograph), DiscDetector(), settings)
    result = corrected(result, read_corrections(file)[result.image.sha256])
    assert list(result.counts.values()) == rows["slide 1/a.png"]["corrected"]["counted"]
    picture = client.get(f"/api/photographs/{identity}/annotated.png")
    assert picture.headers["content-type"] == "image/png"


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
    with pytest.raises(UsageError, match=r"corrections.jsonl: .*Platelets.*--session"):
        create_app(folder, DiscDetector(others))
    create_app(folder, DiscDetector())  # it was let go of, and is as it was


def test_the_command_names_every_photograph_and_every_digit(client: TestClient) -> None:
    upload(client, png(PICTURE), "no suffix")
    client.put("/api/settings", json={"edge": "all", "pixel_size_um": 0.06451613})
    settled(client)
    words = shlex.split(client.get("/api/takeaway/command.txt").text)
    assert "0.06451613" in words
    assert find_images([word for word in words if "photographs" in word]) == [words[2]]
    assert Path(words[2]).read_bytes() == png(PICTURE)


def test_the_command_names_the_model_that_looked(tmp_path: Path) -> None:
    model = tmp_path / "my own.onnx"
    app = create_app(tmp_path / "session", DiscDetector(), model=model)
    with TestClient(app, base_url="http://127.0.0.1:8765") as client:
        words = shlex.split(client.get("/api/takeaway/command.txt").text)
    assert words[words.index("--model") + 1] == str(model)


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


def test_a_photograph_removed_while_it_is_counted_leaves_nothing(tmp_path: Path) -> None:
    begun, removed = threading.Event(), threading.Event()

    class Slow(DiscDetector):
        def detect(self, pixels: Pixels) -> Detections:
            if pixels.shape == PICTURE.shape:
                begun.set()
                removed.wait(10)
            return super().detect(pixels)

    app = create_app(tmp_path / "session", Slow())
    with TestClient(app, base_url="http://127.0.0.1:8765") as client:
        identity = upload(client, png(PICTURE), "a.png")["id"]
        assert begun.wait(10)
        assert client.delete(f"/api/photographs/{identity}").status_code == 204
        removed.set()
        upload(client, png(smear(CELLS[:2], 4, 4)), "b.png")
        settled(client)
        seen = {path.name for path in (tmp_path / "session" / "seen").iterdir()}
    assert len(seen) == 1
    assert identity not in seen


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


@pytest.mark.parametrize("length", [UPLOAD_LIMIT_BYTES + 1, 2 * 10**9])
def test_a_huge_upload_is_refused_before_it_is_read(client: TestClient, length: int) -> None:
    answer = client.post(
        "/api/photographs?name=a.png", content=b"", headers={"Content-Length": str(length)}
    )
    assert answer.status_code == 413
    assert "MB" in answer.json()["detail"]


def test_tiles_cover_the_picture_and_nothing_else_is_served(client: TestClient) -> None:
    identity = upload(client, png(PICTURE), "a.png")["id"]
    settled(client)
    base = f"/api/photographs/{identity}"
    assert client.get(f"{base}/tiles/0/0_0.jpg").headers["content-type"] == "image/jpeg"
    assert client.get(f"{base}/thumbnail.jpg").status_code == 200
    for path in ("tiles/0/1_0.jpg", "tiles/9/0_0.jpg"):
        assert client.get(f"{base}/{path}").status_code == 404
    for path in ("tiles/0/..%2f..%2fphotograph.json.jpg", "tiles/0/%2e%2e.jpg"):
        assert client.get(f"{base}/{path}").status_code in (404, 422)
    assert client.get("/..%2f..%2fpyproject.toml").status_code == 404


def test_every_flag_is_explained_in_both_languages(client: TestClient) -> None:
    assert client.get("/api/session").json()["flags"] == FLAG_EXPLANATIONS
    japanese = client.get("/flags.js").text
    assert all(f'"{flag}": [' in japanese for flag in FLAG_EXPLANATIONS)
