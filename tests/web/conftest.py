from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra 'web' is not installed")
pytest.importorskip("httpx2", reason="httpx2, which drives the page's server, is not installed")

from fastapi.testclient import TestClient

from doubles.disc_detector import DiscDetector
from smearcount.web.app import create_app


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    app = create_app(tmp_path / "session", DiscDetector())
    with TestClient(app, base_url="http://127.0.0.1:8765") as client:
        yield client
