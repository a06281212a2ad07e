"""Uploads from a crowd, uploads without end, and a server that is killed amid them."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from doubles.disc_detector import png, smear
from smearcount.web.upload import UPLOAD_LIMIT_BYTES

BROWSERS, PHOTOGRAPHS = 50, 20


class Server:
    """The page's server in its own process, so that it can be killed."""

    def __init__(self, folder: Path) -> None:
        script = Path(__file__).parents[1] / "doubles" / "serve_disc_detector.py"
        self.process = subprocess.Popen(
            [sys.executable, str(script), str(folder)], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            kind = "json" if path.endswith("/corrections") else "octet-stream"
            connection.request(method, path, body, {"Content-Type": f"application/{kind}"})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()

    def rows(self) -> dict[str, dict[str, Any]]:
        return {row["name"]: row for row in self.ask("GET", "/api/session")[1]["photographs"]}

    def memory_mb(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) // 1024

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def test_a_crowd_uploads_the_server_is_killed_and_nothing_confirmed_is_lost(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "session"
    server = Server(folder)
    confirmed: list[str] = []
    enough = threading.Event()

    def send(browser: int) -> None:
        for number in range(PHOTOGRAPHS):
            cells = [("RBC", 0.9)] * (1 + (browser + number) % 40)
            name = f"{browser}/{number}.png"
            try:
                status, row = server.ask(
                    "POST", f"/api/photographs?name={name}", png(smear(cells, 8, 5))
                )
            except (OSError, http.client.HTTPException):
                return  # the server is dead, and said nothing of this one
            assert status == 201
            confirmed.append(row["name"])
            if len(confirmed) >= BROWSERS * PHOTOGRAPHS // 8:
                enough.set()

    try:
        with ThreadPoolExecutor(BROWSERS) as crowd:
            work = [crowd.submit(send, browser) for browser in range(BROWSERS)]
            assert enough.wait(240)
            corrected = correct_one(server)
            if sys.platform == "linux":
                assert server.memory_mb() < 400
            server.kill()
            for one in work:
                one.result()
    finally:
        server.kill()

    server = Server(folder)
    try:
        rows = server.rows()
        assert set(confirmed) <= set(rows)
        assert rows[corrected]["corrections"] == 1
        while any(row["state"] in ("waiting", "counting") for row in rows.values()):
            time.sleep(0.2)
            rows = server.rows()
        for name in confirmed:
            browser, number = (int(part.removesuffix(".png")) for part in name.split("/"))
            assert rows[name]["automatic"]["counted"][1] == 1 + (browser + number) % 40
    finally:
        server.kill()


def correct_one(server: Server) -> str:
    """Correct the first photograph that is counted; return its name."""
    while True:
        done = next((row for row in server.rows().values() if row["state"] == "done"), None)
        if done is not None:
            break
        time.sleep(0.1)
    body = {"after": 0, "add": [{"box": [200.5, 150, 230, 190], "label": "WBC"}]}
    path = f"/api/photographs/{done['id']}/corrections"
    status, _ = server.ask("POST", path, json.dumps(body).encode())
    assert status == 200
    return str(done["name"])


def test_an_upload_without_end_is_stopped_and_leaves_nothing(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smearcount.web.upload.UPLOAD_LIMIT_BYTES", 1_000_000)
    answer = client.post(
        "/api/photographs?name=a.png", content=(bytes(100_000) for _ in range(1000))
    )
    assert answer.status_code == 413
    assert not list((tmp_path / "session" / "incoming").iterdir())
    assert client.get("/api/session").json()["photographs"] == []


@pytest.mark.parametrize("length", [UPLOAD_LIMIT_BYTES + 1, 2 * 10**9])
def test_a_huge_upload_is_refused_before_it_is_read(client: TestClient, length: int) -> None:
    answer = client.post(
        "/api/photographs?name=a.png", content=b"", headers={"Content-Length": str(length)}
    )
    assert answer.status_code == 413
    assert "MB" in answer.json()["detail"]
