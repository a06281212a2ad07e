"""One table says which image files can be read, and everything else asks it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smearcount.image import file_types, find, read
from smearcount.image.color import raster_of
from smearcount.image.file_types import (
    FILE_TYPES,
    MAGIC_BYTES,
    OTHER_IMAGE_SUFFIXES,
    SUFFIXES,
    FileType,
    file_type,
    readable_types,
)

PIXELS = np.full((32, 40, 3), 90, np.uint8)


@pytest.mark.parametrize("each", FILE_TYPES, ids=lambda each: each.name)
def test_what_pillow_writes_under_a_suffix_is_of_that_type(each: FileType) -> None:
    for suffix in each.suffixes:
        content = io.BytesIO()
        Image.fromarray(PIXELS).save(content, Image.registered_extensions()[suffix])
        assert file_type(content.getvalue()[:MAGIC_BYTES]) is each


@pytest.mark.parametrize("start", [b"", b"RIFF1234WAVE", b"II", b"GIF89a", b"%PDF-1.4", b"\0" * 33])
def test_other_files_are_of_no_type(start: bytes) -> None:
    assert file_type(start) is None


def test_sentences_and_suffixes_follow_the_table() -> None:
    assert readable_types() == "JPEG, PNG, TIFF, BMP or WebP"
    assert readable_types("and") == "JPEG, PNG, TIFF, BMP and WebP"
    assert {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp"} <= SUFFIXES
    assert not SUFFIXES & OTHER_IMAGE_SUFFIXES
    assert len(SUFFIXES) == sum(len(each.suffixes) for each in FILE_TYPES)


def test_a_new_type_is_one_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(handle: io.BytesIO) -> object:
        handle.read(4)
        return raster_of(Image.fromarray(PIXELS))

    new = FileType("Blot", (".blot",), rb"BLOT", decode)
    monkeypatch.setattr(file_types, "FILE_TYPES", (*FILE_TYPES, new))
    file = tmp_path / "a.blot"
    file.write_bytes(b"BLOT...")
    assert np.array_equal(read.open_image(file).pixels(), PIXELS)
    assert readable_types() == "JPEG, PNG, TIFF, BMP, WebP or Blot"
    monkeypatch.setattr(find, "SUFFIXES", {*SUFFIXES, ".blot"})
    assert find.find_images([str(tmp_path)]) == [str(file)]
