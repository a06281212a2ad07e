"""The photographs of a session by their ids, with a number for every change to any of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from smearcount.web.photograph import Photograph, State, UnknownPhotographError


class Roll:
    """The photographs of a session; a page that knows a revision can ask what changed since.

    Attributes:
        revision: grows with every change.
        changed: the lock of everything here; notified whenever a photograph starts to wait.
    """

    def __init__(self) -> None:
        """Begin without a photograph."""
        self.revision = 0
        self.changed = threading.Condition(threading.RLock())
        self._photographs: dict[str, Photograph] = {}
        self._removed: dict[str, int] = {}

    def __iter__(self) -> Iterator[Photograph]:
        """Go through the photographs in the order of their upload."""
        with self.changed:
            return iter(sorted(self._photographs.values(), key=lambda one: one.order))

    def get(self, identity: str) -> Photograph:
        """Return one photograph.

        Raises:
            UnknownPhotographError: there is none.
        """
        with self.changed:
            try:
                return self._photographs[identity]
            except KeyError:
                raise UnknownPhotographError(identity) from None

    def holds(self, identity: str) -> bool:
        """Tell whether there is a photograph of this id."""
        return identity in self._photographs

    def add(self, photograph: Photograph) -> None:
        """Add a photograph."""
        with self.changed:
            self._photographs[photograph.id] = photograph
            self._removed.pop(photograph.id, None)
            self.change(photograph, photograph.state)

    def drop(self, photograph: Photograph) -> None:
        """Remove a photograph."""
        with self.changed:
            del self._photographs[photograph.id]
            self.revision += 1
            self._removed[photograph.id] = self.revision

    def change(self, photograph: Photograph, state: State | None = None) -> None:
        """Note that something about a photograph changed, its state perhaps."""
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
