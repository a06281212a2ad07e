"""The types of image files that can be read, in one table.

A new type is one module with its decoder and one entry of :data:`FILE_TYPES`. The search of
folders, the upload of the web page and the error messages read the table.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Final

from PIL.BmpImagePlugin import BmpImageFile
from PIL.WebPImagePlugin import WebPImageFile

from smearcount.image.color import raster_of
from smearcount.image.jpeg import decode_jpeg
from smearcount.image.orientation import orientation_of
from smearcount.image.png import decode_png
from smearcount.image.raster import Raster, first_of
from smearcount.image.tiff import decode_tiff

MAGIC_BYTES: Final = 33
"""How many bytes at the start of a file tell its type, with room to spare."""


@dataclass(frozen=True)
class FileType:
    """One type of image files.

    Attributes:
        name: as sentences call it, such as ``JPEG``.
        suffixes: of file names, in lower case, with the dot.
        magic: a regular expression for the bytes with which such a file starts.
        decode: decodes a file opened for reading bytes.
    """

    name: str
    suffixes: tuple[str, ...]
    magic: bytes
    decode: Callable[[IO[bytes]], Raster]


def _decode_bmp(handle: IO[bytes]) -> Raster:
    return raster_of(BmpImageFile(handle))


def _decode_webp(handle: IO[bytes]) -> Raster:
    image = WebPImageFile(handle)
    return first_of(image.n_frames, raster_of(image, orientation_of(image)))


FILE_TYPES: Final = (
    FileType("JPEG", (".jpg", ".jpeg", ".jfif"), rb"\xff\xd8\xff", decode_jpeg),
    FileType("PNG", (".png",), rb"\x89PNG\r\n\x1a\n", decode_png),
    FileType("TIFF", (".tif", ".tiff"), rb"(II[*+]\x00)|(MM\x00[*+])", decode_tiff),
    FileType("BMP", (".bmp",), rb"BM", _decode_bmp),
    FileType("WebP", (".webp",), rb"RIFF....WEBP", _decode_webp),
)
"""Every type that can be read."""

SUFFIXES: Final = frozenset(suffix for each in FILE_TYPES for suffix in each.suffixes)
"""Files in folders count as images if they end in one of these, in any case."""

OTHER_IMAGE_SUFFIXES: Final = frozenset({
    ".arw", ".avif", ".bif", ".cr2", ".cr3", ".czi", ".dcm", ".dng", ".gif", ".heic", ".heif",
    ".ims", ".j2k", ".jp2", ".jpx", ".jxl", ".jxr", ".lif", ".lsm", ".mrxs", ".nd2", ".ndpi",
    ".nef", ".oib", ".oif", ".oir", ".orf", ".raf", ".rw2", ".scn", ".svs", ".svslide", ".vsi",
    ".zvi",
})  # fmt: skip
"""Suffixes of images that phones and microscopes make and that cannot be read."""


PREVIEW_SUFFIXES: Final = frozenset({".mrxs", ".vsi"})
"""Suffixes of files that look like a JPEG or TIFF, and hold only a preview of a slide."""


def file_type(start: bytes) -> FileType | None:
    """Return the type of a file by its first ``MAGIC_BYTES`` bytes; None if it is none of ours."""
    return next((each for each in FILE_TYPES if re.match(each.magic, start, re.DOTALL)), None)


def readable_types(conjunction: str = "or") -> str:
    """Return the names of all types in words: ``JPEG, PNG, TIFF, BMP or WebP``."""
    *names, last = (each.name for each in FILE_TYPES)
    return f"{', '.join(names)} {conjunction} {last}"


def readable_suffixes() -> str:
    """Return all suffixes in words: ``bmp, jfif, jpeg ...``."""
    return ", ".join(sorted(suffix[1:] for suffix in SUFFIXES))
