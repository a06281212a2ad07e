"""Other sites, foreign names and monsters get nothing from the page's server."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from doubles.disc_detector import DiscDetector
from smearcount.web.app import create_app
from smearcount.web.security import LARGEST_BODY_BYTES


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example:8765", "localhost.evil.example", "", "10.0.0.1"],
)
def test_a_name_that_was_made_to_point_here_is_refused(client: TestClient, host: str) -> None:
    for path in ("/", "/api/session", "/static.js"):
        assert client.get(path, headers={"Host": host}).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:1", "LOCALHOST", "[::1]:8765"])
def test_the_names_of_this_computer_are_served(client: TestClient, host: str) -> None:
    assert client.get("/api/session", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "https://127.0.0.1:8765"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_sites_page_can_neither_read_nor_write(
    client: TestClient, headers: dict[str, str]
) -> None:
    assert client.get("/api/session", headers=headers).status_code == 403
    assert client.post("/api/cancel", headers=headers).status_code == 403
    upload = client.post("/api/photographs?name=a.png", content=b"x", headers=headers)
    assert upload.status_code == 403
    assert client.get("/api/session").json()["photographs"] == []


def test_our_own_page_and_a_link_to_it_are_served(client: TestClient) -> None:
    own = {"Origin": "http://127.0.0.1:8765", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/api/cancel", headers=own).status_code == 204
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.get("/", headers=link).status_code == 200


def test_only_numeric_addresses_are_served_when_open_to_the_network(tmp_path) -> None:  # type: ignore[no-untyped-def]
    app = create_app(tmp_path / "session", DiscDetector(), hosts=("0.0.0.0", "Microscope-PC"))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        for host, status in (
            ("192.168.1.20:8765", 200),
            ("[fe80::1]:8765", 200),
            ("microscope-pc", 200),
            ("evil.example", 403),
        ):
            assert client.get("/api/session", headers={"Host": host}).status_code == status


def test_bodies_are_limited_before_they_are_read(client: TestClient) -> None:
    large = {"Content-Length": str(LARGEST_BODY_BYTES + 1)}
    assert client.put("/api/settings", content=b"", headers=large).status_code == 413
    chunked = client.put("/api/settings", content=iter([b"{", b"}"]))
    assert chunked.status_code == 411
    assert client.put("/api/settings", json={"edge": "diagonal"}).status_code == 422


def test_every_answer_forbids_foreign_content_and_frames(client: TestClient) -> None:
    for path in ("/", "/main.js", "/api/session", "/api/nowhere"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers


def test_a_page_that_shows_another_session_is_refused(tmp_path: Path) -> None:
    folders = [tmp_path / "first", tmp_path / "second"]
    ids, runs = [], []
    for folder in (*folders, folders[0]):
        app = create_app(folder, DiscDetector())
        with TestClient(app, base_url="http://127.0.0.1") as client:
            body = client.get("/api/session").json()
            ids.append(body["session"])
            runs.append(body["run"])
            stranger = {"Smearcount-Session": ids[0]}
            answers = [
                client.get("/api/session", headers=stranger),
                client.put("/api/settings", json={"edge": "inside"}, headers=stranger),
                client.post("/api/photographs?name=a", content=b"x", headers=stranger),
            ]
            refused = [answer.status_code == 412 for answer in answers]
            assert refused == [folder != folders[0]] * 3
    assert ids[0] == ids[2] != ids[1]
    assert len(set(runs)) == 3
