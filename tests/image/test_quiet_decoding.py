"""Odd metadata says nothing to the user, and other warnings are left as they were."""

from __future__ import annotations

import threading
import warnings

import pytest

from smearcount.image.read import _WITHOUT_WARNINGS


def test_silence_ends_with_the_last_thread_that_asked_for_it() -> None:
    before = list(warnings.filters)
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with _WITHOUT_WARNINGS:
            inside.set()
            leave.wait(20)

    with _WITHOUT_WARNINGS:
        thread = threading.Thread(target=other)
        thread.start()
        assert inside.wait(20)
    warnings.warn("nobody hears this", stacklevel=1)  # the other thread still decodes
    leave.set()
    thread.join()
    assert list(warnings.filters) == before
    with pytest.warns(UserWarning, match="heard"):
        warnings.warn("heard", stacklevel=1)
