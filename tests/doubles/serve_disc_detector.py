"""Serves the page with the disc detector: ``serve_disc_detector.py FOLDER``; prints its port."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import uvicorn

sys.path.insert(0, str(Path(__file__).parents[1]))

from doubles.disc_detector import DiscDetector
from smearcount.web.app import create_app

if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    print(listener.getsockname()[1], flush=True)
    app = create_app(Path(sys.argv[1]), DiscDetector())
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])
