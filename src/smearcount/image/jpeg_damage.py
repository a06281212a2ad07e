"""Missing pixels in JPEG files: files cut short, with or without an end marker put after the cut.

libjpeg paints what is missing in mid-gray, or leaves it coarse in a progressive file, and only
warns about it, which Pillow does not pass on. So a file is decoded twice, the second time with
random bytes after its last scan. A decoder that has all the pixels never looks at those bytes, so
that any difference tells that some are missing. The second decoding is spared where the first shows
gray in the last corner, for there a cut always shows. (CMYK has another gray, and is always
decoded twice; so is a progressive file.)
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL.JpegImagePlugin import JpegImageFile

from smearcount.errors import ImageError
from smearcount.image.image import Pixels

END_MARKER: Final = b"\xff\xd9"

MISSING_END_NOTE: Final = "the file lacks its end marker; no pixels are missing"

_MID_GRAY: Final = 128
_CORNER_PX: Final = 1
_CMYK: Final = 4
_PADDING_ZEROS: Final = 64
_FILLER: Final = np.random.default_rng(0).integers(1, 255, 2048, dtype=np.uint8).tobytes()
"""Bytes without 0xFF, so that none of them is a marker."""

_MARKER_IN_SCAN: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_START_OF_FRAME: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
_PROGRESSIVE: Final = frozenset({0xC2, 0xCA})
_START_OF_SCAN: Final = 0xDA


@dataclass(frozen=True)
class ScanLayout:
    """What the markers of a JPEG file tell about its scans.

    Attributes:
        scans: how many there are.
        components: how many colors there are.
        complete: whether they hold every coefficient of every component to the last bit.
        end: where the coded pixels of the last one end.
        has_end_marker: whether a marker follows there.
    """

    scans: int
    components: int
    complete: bool
    end: int
    has_end_marker: bool


def scan_layout(content: bytes) -> ScanLayout | None:
    """Read the markers of a JPEG file.

    Args:
        content: of the file.

    Returns:
        None if the markers cannot be followed.
    """
    try:
        return _follow_markers(content)
    except (IndexError, ValueError):  # a segment that is too short
        return None


def _follow_markers(content: bytes) -> ScanLayout | None:
    missing: dict[int, set[int]] = {}
    scans, at, end, progressive, marked = 0, 2, 0, False, False
    while at + 4 <= len(content):
        if content[at] != 0xFF:
            return None
        kind = content[at + 1]
        if kind == 0xFF:
            at += 1
            continue
        if kind == END_MARKER[1]:
            break
        size = int.from_bytes(content[at + 2 : at + 4], "big")
        body = content[at + 4 : at + 2 + size]
        at += 2 + size
        if kind in _START_OF_FRAME:
            progressive = kind in _PROGRESSIVE
            missing = {body[6 + 3 * k]: set(range(64)) for k in range(body[5])}
        elif kind == _START_OF_SCAN:
            scans += 1
            _take_scan(body, missing, progressive)
            found = _MARKER_IN_SCAN.search(content, at)
            marked = found is not None
            at = end = found.start() if found else len(content)
    if not scans:
        return None
    return ScanLayout(scans, len(missing), not any(missing.values()), end, marked)


def _take_scan(body: bytes, missing: dict[int, set[int]], progressive: bool) -> None:
    """Strike out the coefficients that a scan brings to their last bit."""
    count = body[0]
    first, last, bits = body[1 + 2 * count : 4 + 2 * count]
    if progressive and bits & 15:
        return
    brought = set(range(first, last + 1)) if progressive else set(range(64))
    for component in body[1 : 1 + 2 * count : 2]:
        missing.get(component, set()).difference_update(brought)


def check_complete(
    content: bytes, decoded: Pixels, decode: Callable[[JpegImageFile], Pixels]
) -> None:
    """Check that no pixels of a JPEG file are missing.

    Args:
        content: of the file, with its end marker.
        decoded: what ``decode`` made of it.
        decode: decodes the file, at any size.

    Raises:
        ImageError: some pixels are missing.
    """
    layout = scan_layout(content)
    if layout is None:
        return
    corner = decoded[-_CORNER_PX:, -_CORNER_PX:]
    gray = bool((corner == _MID_GRAY).all())
    if layout.complete and layout.scans == 1 and layout.components < _CMYK and not gray:
        return
    if not layout.complete:
        raise ImageError(_missing_sentence(decoded, gray))
    filled = content[: layout.end] + _FILLER + END_MARKER
    if not np.array_equal(decode(JpegImageFile(io.BytesIO(filled))), decoded):
        raise ImageError(_missing_sentence(decoded, gray))


def with_end_marker(content: bytes) -> bytes | None:
    """Return the content of a file that lacks its end marker with one; None if it has one.

    Zeros at the end, where an interrupted copy reserved room, are taken away.
    """
    layout = scan_layout(content)
    if layout is None or layout.has_end_marker:
        return None
    kept = content.rstrip(b"\x00")
    if len(content) - len(kept) < _PADDING_ZEROS:
        kept = content
    return kept.removesuffix(b"\xff") + END_MARKER


def _missing_sentence(decoded: Pixels, gray: bool) -> str:
    if not gray:
        return "the file is cut short and a part of the picture is missing; copy it again."
    rows = np.flatnonzero((decoded[:, -_CORNER_PX:] != _MID_GRAY).any(axis=(1, 2)))
    missing = 1 - (int(rows[-1]) + 1 if len(rows) else 0) / len(decoded)
    return (
        f"the file is cut short and the lower {max(1, round(100 * missing))} % of the picture are "
        "missing; copy it again."
    )
