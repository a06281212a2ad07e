"""The page's requests, as tests make them: upload, wait, correct."""

from __future__ import annotations

import time
from typing import Any

from fastapi.testclient import TestClient


def upload(client: TestClient, content: bytes, name: str) -> dict[str, Any]:
    answer = client.post("/api/photographs", params={"name": name}, content=content)
    assert answer.status_code in (200, 201), answer.text
    row: dict[str, Any] = answer.json()
    return row


def settled(client: TestClient) -> dict[str, dict[str, Any]]:
    """Wait until nothing is being counted; return the rows by name."""
    while True:
        rows = client.get("/api/session").json()["photographs"]
        if not any(row["state"] in ("waiting", "counting") for row in rows):
            return {row["name"]: row for row in rows}
        time.sleep(0.02)


def correct(client: TestClient, identity: str, after: int, **body: Any) -> dict[str, Any]:
    answer = client.post(f"/api/photographs/{identity}/corrections", json={"after": after, **body})
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result
