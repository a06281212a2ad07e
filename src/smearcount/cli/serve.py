"""``smearcount serve``: the page in the browser."""

from __future__ import annotations

import socket
import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from smearcount.cli.extras import require
from smearcount.errors import UsageError

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")] = 8765,
    host: Annotated[
        str, typer.Option(help="Where to listen; by default only this computer can see the page.")
    ] = "127.0.0.1",
    session: Annotated[
        Path, typer.Option(help="Folder for photographs, results and corrections.")
    ] = Path("smearcount-session"),
    model: Annotated[
        Path | None, typer.Option(help="A model file; without it the one that ships.")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
) -> None:
    """Open a page where photographs are dropped, counted, checked and corrected."""
    require("web", "fastapi", "uvicorn")
    import uvicorn

    from smearcount.detector.load import load_detector
    from smearcount.web.app import create_app

    # First the folder, so that a second server on it reports that, and not that the port is taken.
    hosts = (host, socket.gethostname())
    try:
        app = create_app(session, load_detector(model), hosts=hosts, model=model)
    except UsageError as error:
        raise UsageError(f"{str(error).removesuffix('.')} (--session).") from None
    listener = _listen(host, port)
    address = _address(host, listener.getsockname()[1])
    if host not in _LOOPBACK:
        print(
            "smearcount: anyone who reaches this computer over the network can see and change "
            "the photographs on this page.",
            file=sys.stderr,
        )
    print(f"smearcount is at {address} (Ctrl-C ends it; results are kept in {session})", flush=True)
    if browser:
        webbrowser.open(address)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", server_header=False))
    server.run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        raise UsageError(
            f"{host}:{port} cannot be listened on ({error.strerror}); choose another --port."
        ) from None
    return listener


def _address(host: str, port: int) -> str:
    shown = "localhost" if host in ("0.0.0.0", "::") else host
    return f"http://[{shown}]:{port}/" if ":" in shown else f"http://{shown}:{port}/"
