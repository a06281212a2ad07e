"""The photographs of a session: the state of each, and what changed since a revision."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from natsort import natsort_keygen, ns

from smearcount.errors import UsageError
from smearcount.results.stored import StoredResult

State = Literal["waiting", "counting", "done", "failed", "canceled"]

_natural = natsort_keygen(alg=ns.IGNORECASE)


class UnknownPhotographError(UsageError):
    """The session has no photograph of this id."""

    def __init__(self) -> None:
        super().__init__("There is no such photograph.")


@dataclass(eq=False)
class Photograph:
    """One photograph of the session.

    Attributes:
        id: of the name and the bytes, 16 hex digits; see :func:`identity_of`.
        name: relative path with ``/``, unique in the session.
        sha256: of the file.
        order: its place among the uploads.
        left_out: whether the user left it out of totals and exports.
        pixel_size_um: its own micrometers per pixel; None takes that of the session.
        state: whether it waits, is being counted, is done, failed or was canceled.
        reason: why it failed, one sentence; empty otherwise.
        stored: what the model found, once done.
        revision: of the session when this last changed.
    """

    id: str
    name: str
    sha256: str
    order: int
    left_out: bool = False
    pixel_size_um: float | None = None
    state: State = "waiting"
    reason: str = ""
    stored: StoredResult | None = None
    revision: int = 0


def identity_of(name: str, sha256: str) -> str:
    """Return the id of the photograph of this name and these bytes; every URL has it.

    Examples:
        >>> identity_of("slide 1/a.jpg", "00" * 32)
        '066ed0f37a243898'
    """
    return hashlib.sha256(f"{name}\0{sha256}".encode()).hexdigest()[:16]


def natural_order(name: str) -> tuple[object, ...]:
    """Return a sort key for names of photographs, by folder and then by file.

    Numbers are compared as numbers and letters without regard to case.

    Examples:
        >>> sorted(["b/1.jpg", "a/10.jpg", "a/2.jpg", "z.jpg"], key=natural_order)
        ['z.jpg', 'a/2.jpg', 'a/10.jpg', 'b/1.jpg']
    """
    *folders, file = name.split("/")
    return tuple(_natural(folder) for folder in folders), _natural(file), name


class Photographs:
    """The photographs of a session; a page that knows a revision can ask what changed since.

    Attributes:
        revision: grows with every change.
        changed: the lock of everything here; notified whenever a photograph starts to wait.
    """

    def __init__(self) -> None:
        """Begin without a photograph."""
        self.revision = 0
        self.changed = threading.Condition(threading.RLock())
        self._by_id: dict[str, Photograph] = {}
        self._removed: dict[str, int] = {}
        self._membership_revision = 0

    def __iter__(self) -> Iterator[Photograph]:
        """Go through the photographs in the order of their upload."""
        with self.changed:
            return iter(sorted(self._by_id.values(), key=lambda one: one.order))

    def in_natural_order(self) -> list[Photograph]:
        """Return the photographs as the page and every download list them."""
        with self.changed:
            return sorted(self._by_id.values(), key=lambda one: natural_order(one.name))

    def get(self, identity: str) -> Photograph:
        """Return one photograph.

        Raises:
            UnknownPhotographError: there is none.
        """
        with self.changed:
            try:
                return self._by_id[identity]
            except KeyError:
                raise UnknownPhotographError from None

    def __contains__(self, identity: str) -> bool:
        """Tell whether there is a photograph of this id."""
        return identity in self._by_id

    def add(self, photograph: Photograph) -> None:
        """Add a photograph."""
        with self.changed:
            self._by_id[photograph.id] = photograph
            self._removed.pop(photograph.id, None)
            self.change(photograph, photograph.state)
            self._membership_revision = self.revision

    def remove(self, photograph: Photograph) -> None:
        """Remove a photograph."""
        with self.changed:
            del self._by_id[photograph.id]
            self.revision += 1
            self._removed[photograph.id] = self._membership_revision = self.revision

    def change(self, photograph: Photograph, state: State | None = None) -> None:
        """Note that a photograph changed; where a state is given, this becomes its state."""
        with self.changed:
            self.revision += 1
            photograph.revision = self.revision
            photograph.state = state or photograph.state
            if state == "waiting":
                self.changed.notify_all()

    def removed_since(self, revision: int) -> list[str]:
        """Return the ids of the photographs removed after a revision."""
        with self.changed:
            return [identity for identity, at in self._removed.items() if at > revision]

    def order_since(self, revision: int) -> list[str] | None:
        """Return the ids in natural order; None if none was added or removed after a revision."""
        with self.changed:
            if self._membership_revision <= revision:
                return None
            return [photograph.id for photograph in self.in_natural_order()]
