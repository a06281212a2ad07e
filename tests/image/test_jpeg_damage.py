"""A JPEG that was cut short is refused, however it was closed; a whole one never is."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from smearcount.errors import ImageError
from smearcount.image.image import SmearImage
from smearcount.image.jpeg_damage import MISSING_END_NOTE
from smearcount.image.read import open_image
from smearcount.synthetic.smears import demo_smears

END = b"\xff\xd9"

KINDS = [
    ("RGB", {}),
    ("RGB", {"progressive": True}),
    ("RGB", {"optimize": True}),
    ("RGB", {"quality": 95, "subsampling": 0}),
    ("RGB", {"restart_marker_rows": 1}),
    ("L", {}),
    ("CMYK", {}),
]
SIZES = [(640, 480), (200, 150)]


def encoded(mode: str, options: dict[str, object], size: tuple[int, int]) -> bytes:
    stream = io.BytesIO()
    smear = Image.fromarray(demo_smears()[0].pixels).convert(mode).resize(size)
    smear.save(stream, "JPEG", **options)
    return stream.getvalue()


FILES = [encoded(mode, options, size) for mode, options in KINDS for size in SIZES]


def opened(tmp_path: Path, content: bytes) -> SmearImage:
    file = tmp_path / "a.jpg"
    file.write_bytes(content)
    return open_image(file)


@pytest.mark.parametrize("content", FILES)
def test_a_whole_file_is_opened(tmp_path: Path, content: bytes) -> None:
    assert MISSING_END_NOTE not in opened(tmp_path, content).notes


@pytest.mark.parametrize("content", FILES)
def test_a_file_that_lacks_only_its_end_marker_is_opened_with_a_note(
    tmp_path: Path, content: bytes
) -> None:
    whole = opened(tmp_path, content).pixels()
    image = opened(tmp_path, content.removesuffix(END))
    assert MISSING_END_NOTE in image.notes
    assert (image.pixels() == whole).all()


@pytest.mark.parametrize("closed_with", [END, b"", bytes(5000)])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("content", FILES)
def test_a_file_cut_short_is_refused(
    tmp_path: Path, content: bytes, share: float, closed_with: bytes
) -> None:
    with pytest.raises(ImageError, match=r"a\.jpg: the file is cut short"):
        opened(tmp_path, content[: int(share * len(content))] + closed_with)


def test_the_reason_says_how_much_is_missing(tmp_path: Path) -> None:
    content = FILES[0]
    with pytest.raises(ImageError, match=r"the lower 4\d % of the picture are missing"):
        opened(tmp_path, content[: int(0.6 * len(content))] + END)


@given(at=st.integers(2, 2000), value=st.integers(0, 255))
def test_changed_bytes_raise_nothing_but_image_errors(
    tmp_path_factory: pytest.TempPathFactory, at: int, value: int
) -> None:
    content = bytearray(FILES[1])
    content[at] = value
    with contextlib.suppress(ImageError):
        opened(tmp_path_factory.getbasetemp(), bytes(content))
