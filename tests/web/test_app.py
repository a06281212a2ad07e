"""No request that the description allows, and none that it forbids, makes the server fail."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, settings

from doubles.disc_detector import DiscDetector, png, smear
from smearcount.web.app import create_app

schemathesis = pytest.importorskip(
    "schemathesis", reason="schemathesis, which tries the server's description, is not installed"
)

_FOLDER = tempfile.TemporaryDirectory()
_APP = create_app(Path(_FOLDER.name), DiscDetector())
schema = schemathesis.openapi.from_dict(_APP.openapi())


@pytest.fixture(scope="module")
def served():  # type: ignore[no-untyped-def]
    with TestClient(_APP, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        client.post("/api/photographs?name=a.png", content=png(smear([("RBC", 0.9)] * 5)))
        yield client
    _FOLDER.cleanup()


@schema.parametrize()
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_breaks_the_server(case, served) -> None:  # type: ignore[no-untyped-def]
    sent = case.as_transport_kwargs(base_url="http://127.0.0.1")
    answer = served.request(
        **{k: v for k, v in sent.items() if k in ("method", "url", "params", "json", "headers")},
        content=sent.get("data"),
    )
    assert answer.status_code < 500, answer.text
