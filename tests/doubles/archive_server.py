"""A small archive of BCCD, and a server on this machine that answers as GitHub does."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from smearcount.datasets.public_sets import CHECKSUM_DIGITS

TOP = "BCCD_Dataset-d272fb1"
FILES = {
    f"BCCD/{folder}/{name}": (f"{folder} {name} ".encode() * 9000)
    for folder, name in (("Annotations", "a.xml"), ("JPEGImages", "a.jpg"), ("JPEGImages", "b.jpg"))
}
KNOWN = {
    path: hashlib.sha256(content).hexdigest()[:CHECKSUM_DIGITS] for path, content in FILES.items()
}


def archive(contents, comment=b"d272fb1" + b"0" * 33, compression=zipfile.ZIP_STORED):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as members:
        members.comment = comment
        for path, content in contents.items():
            member = path if isinstance(path, zipfile.ZipInfo) else f"{TOP}/{path}"
            members.writestr(member, content)
    return packed.getvalue()


class Server(ThreadingHTTPServer):
    """Serves one body; ``cut`` ends each answer early, ``ranges`` tells what was asked."""

    def __init__(self, body, cut=None, status=200, etag='"1"'):
        super().__init__(("127.0.0.1", 0), Handler)
        self.body, self.cut, self.status, self.etag = body, cut, status, etag
        self.ranges = []
        self.paths = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        wanted = self.headers.get("Range")
        server.ranges.append(wanted)
        server.paths.append(self.path)
        if server.status != 200:
            self.send_error(server.status)
            return
        same = self.headers.get("If-Range") == server.etag
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and same else 0
        if start and start >= len(server.body):
            self.send_error(416)
            return
        body = server.body[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", server.etag)
        self.end_headers()
        self.wfile.write(body[: server.cut])

    def log_message(self, *_):
        pass


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Run a server in a thread of its own."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
