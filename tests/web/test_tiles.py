"""The pictures of a photograph are served, and nothing else."""

from __future__ import annotations

from fastapi.testclient import TestClient

from doubles.disc_detector import PICTURE, png
from doubles.web_client import settled, upload


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
