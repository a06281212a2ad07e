"""Odd metadata says nothing to the user, and other warnings are left as they were."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smearcount.image.raster import suppress_warnings
from smearcount.image.read import open_image


def test_silence_ends_with_the_last_thread_that_asked_for_it() -> None:
    before = list(warnings.filters)
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with suppress_warnings():
            inside.set()
            leave.wait(20)

    with suppress_warnings():
        thread = threading.Thread(target=other)
        thread.start()
        assert inside.wait(20)
    warnings.warn("nobody hears this", stacklevel=1)  # the other thread still decodes
    leave.set()
    thread.join()
    assert list(warnings.filters) == before
    with pytest.warns(UserWarning, match="heard"):
        warnings.warn("heard", stacklevel=1)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_damaged_exif_is_as_good_as_none(tmp_path: Path, name: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (600, 600, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / name, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x09garbage")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_image(tmp_path / name).pixels().shape == (600, 600, 3)
