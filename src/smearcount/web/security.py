"""Only the page itself, in a browser that means this very server, may send requests.

A local server can be reached by every site that the user's browser visits. Two checks keep them
out: the ``Host`` must be this server's (a foreign name that was made to resolve to this machine is
refused), and a request from another site's page is refused by its ``Origin`` and
``Sec-Fetch-Site``.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY_BYTES = 16 * 1024 * 1024
"""Of any request but an upload, which has its own limit."""

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SecurityMiddleware:
    """Refuse requests that do not come from our own page; add security headers to every answer."""

    def __init__(
        self, app: ASGIApp, hosts: Iterable[str], upload_path: str, session_id: str
    ) -> None:
        """Wrap an application.

        Args:
            app: the application behind the checks.
            hosts: host names under which this server may be addressed, besides the loopback's;
                ``0.0.0.0`` or ``::`` lets any numeric address in, since a rebound name is never
                numeric.
            upload_path: the one path whose bodies may be large.
            session_id: of the session served; a page that shows another one is refused, so that
                its photographs never mix with these.
        """
        self._app = app
        self._hosts = {"localhost", "127.0.0.1", "::1", *(host.lower() for host in hosts)}
        self._numeric = bool(self._hosts & {"0.0.0.0", "::"})
        self._upload_path = upload_path
        self._session_id = session_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with a refusal."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-cache")
            await send(message)

        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send_with_headers)
        else:
            await _answer(send_with_headers, *refusal)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_own_host(host):
            return 403, "This server answers only under its own address."
        origin = headers.get("origin")
        if origin is not None and origin.lower() != f"{scope['scheme']}://{host}".lower():
            return 403, "This request comes from another site."
        foreign = headers.get("sec-fetch-site", "none") not in ("same-origin", "none")
        navigating = headers.get("sec-fetch-mode") == "navigate" and scope["method"] == "GET"
        if foreign and not (navigating and scope["path"] == "/"):
            return 403, "This request comes from another site."
        if headers.get("smearcount-session", self._session_id) != self._session_id:
            return 412, "This page shows another session than is open now; reload it."
        if scope["path"] != self._upload_path:
            length = headers.get("content-length", "0")
            if "transfer-encoding" in headers:
                return 411, "This request must say how long it is."
            if not length.isdecimal() or int(length) > LARGEST_BODY_BYTES:
                return 413, "This request is too large."
        return None

    def _is_own_host(self, host: str) -> bool:
        name = host.lower()
        ends_at = "]" if name.startswith("[") else ":"
        name = name.removeprefix("[").partition(ends_at)[0]
        if name in self._hosts:
            return True
        if not self._numeric:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


async def _answer(send: Send, status: int, sentence: str) -> None:
    body = json.dumps({"detail": sentence}).encode()
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
