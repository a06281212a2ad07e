"""``smearcount serve`` prints where the page is, and names the option that helps."""

from __future__ import annotations

import socket
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from smearcount.errors import UsageError

pytest.importorskip("fastapi", reason="the extra 'web' is not installed")


def test_serve_prints_its_address_and_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import uvicorn

    from smearcount.cli.serve import serve

    servers: list[uvicorn.Server] = []
    run = uvicorn.Server.run

    def kept(server: uvicorn.Server, sockets: list[socket.socket] | None = None) -> None:
        servers.append(server)
        run(server, sockets)

    monkeypatch.setattr(uvicorn.Server, "run", kept)
    arguments = {"port": 0, "host": "127.0.0.1", "session": tmp_path / "session"}
    thread = threading.Thread(target=serve, kwargs=arguments | {"model": None, "browser": False})
    thread.start()
    while not (servers and servers[0].started):
        time.sleep(0.05)
    address = next(word for word in capsys.readouterr().out.split() if word.startswith("http"))
    with urllib.request.urlopen(address) as answer:
        assert b"<title>smearcount</title>" in answer.read()
    servers[0].should_exit = True
    thread.join()


def test_a_folder_that_another_server_uses_is_refused_with_the_option_to_change(
    tmp_path: Path,
) -> None:
    from doubles.disc_detector import DiscDetector
    from smearcount.cli.serve import serve
    from smearcount.web.app import create_app

    create_app(tmp_path / "session", DiscDetector())
    with pytest.raises(UsageError, match=r"another smearcount serve .* \(--session\)\.$"):
        serve(port=0, host="127.0.0.1", session=tmp_path / "session", model=None, browser=False)
