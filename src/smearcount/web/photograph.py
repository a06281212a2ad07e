"""One photograph of a session, from its upload to its count."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from smearcount.results.stored import StoredResult

State = Literal["waiting", "counting", "done", "failed", "cancelled"]


class UnknownPhotographError(KeyError):
    """There is no such photograph in the session."""


@dataclass(eq=False)
class Photograph:
    """One photograph of the session.

    Attributes:
        id: of the name and the bytes, 16 hex digits; see :func:`identity_of`.
        name: relative path with ``/``, unique in the session.
        sha256: of the file.
        order: its place among the uploads.
        state: what is going on with it.
        reason: why it failed, one sentence; empty otherwise.
        seen: what the model saw, once done.
        revision: of the session when this last changed.
    """

    id: str
    name: str
    sha256: str
    order: int
    state: State = "waiting"
    reason: str = ""
    seen: StoredResult | None = None
    revision: int = 0


def identity_of(name: str, sha256: str) -> str:
    """Return what names the photograph of this name and these bytes in every address."""
    return hashlib.sha256(f"{name}\0{sha256}".encode()).hexdigest()[:16]
