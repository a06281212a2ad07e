"""PNG files; large ones are decoded strip by strip.

Pillow decodes a whole PNG at four bytes per pixel. To save memory, the compressed stream of a large
one is inflated in pieces, and every few hundred rows are handed to Pillow as a small PNG of their
own. Its first row is the last row of the strip before, because a PNG filter refers to the row above
and to nothing else.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import IO, Final

import numpy as np
from PIL.PngImagePlugin import PngImageFile

from smearcount.image.color import (
    EMPTY_ALPHA_NOTE,
    has_empty_alpha,
    raster_of,
    to_rgb,
    upper_bits,
)
from smearcount.image.orientation import orientation_of
from smearcount.image.raster import (
    BAND_ROWS,
    LARGE_PIXELS,
    Raster,
    Spool,
    check_size,
    first_of,
)

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"

_BYTES_PER_PIXEL: Final = {2: 3, 4: 2, 6: 4}
"""By color type, of the 8-bit types that Pillow keeps at four bytes per pixel."""

_PIECE: Final = 1 << 20


def decode_png(handle: IO[bytes]) -> Raster:
    """Decode a PNG file; an interlaced or 16-bit RGB one within the memory that Pillow takes."""
    header = handle.read(33)
    width, height, bits, color_type, _, _, interlaced = struct.unpack(">IIBBBBB", header[16:29])
    handle.seek(0)
    image = PngImageFile(handle)
    by_strips = bits == 8 and color_type in _BYTES_PER_PIXEL and not interlaced
    if width * height > LARGE_PIXELS and by_strips:
        check_size(width, height)
        return first_of(image.n_frames, _decode_by_strips(handle, width, height, color_type))
    raster = first_of(image.n_frames, raster_of(image, orientation_of(image)))
    return upper_bits(raster) if bits == 16 and color_type in _BYTES_PER_PIXEL else raster


def _decode_by_strips(
    handle: IO[bytes], width: int, height: int, color_type: int, *, ignore_alpha: bool = False
) -> Raster:
    handle.seek(0)
    image = PngImageFile(handle)
    orientation = orientation_of(image) if "exif" in image.info else 1
    row_bytes = 1 + width * _BYTES_PER_PIXEL[color_type]
    spool = Spool(width, height)
    notes: tuple[str, ...] = ()
    empty_alpha = True
    before = b""
    stream = _Stream(handle)
    for top in range(0, height, BAND_ROWS):
        rows = min(BAND_ROWS, height - top)
        filtered = before + stream.take(rows * row_bytes)
        extra = len(before) // row_bytes
        strip = PngImageFile(_small_png(width, rows + extra, color_type, filtered))
        strip.load()
        before = b"\x00" + strip.crop((0, rows + extra - 1, width, rows + extra)).tobytes()
        new = strip.crop((0, extra, width, rows + extra))
        empty_alpha &= has_empty_alpha(new)
        if ignore_alpha:
            pixels, notes = np.array(new.convert("RGB")), (EMPTY_ALPHA_NOTE,)
        else:
            pixels, notes = to_rgb(new)
        spool.mapped()[top : top + rows] = pixels
    stream.finish()
    if empty_alpha and not ignore_alpha:
        return _decode_by_strips(handle, width, height, color_type, ignore_alpha=True)
    return Raster(width, height, spool.read, orientation, notes=notes)


class _Stream:
    """The filtered rows of a PNG, decompressed as they are asked for."""

    def __init__(self, handle: IO[bytes]) -> None:
        self._pieces = _compressed(handle)
        self._inflate = zlib.decompressobj()
        self._ready = bytearray()

    def take(self, size: int) -> bytes:
        while len(self._ready) < size:
            piece = self._inflate.unconsumed_tail or next(self._pieces, b"")
            if not piece or self._inflate.eof:
                raise ValueError("the pixels end too early")
            self._ready += self._inflate.decompress(piece, _PIECE)
        taken = bytes(self._ready[:size])
        del self._ready[:size]
        return taken

    def finish(self) -> None:
        """Read to the end of the stream, where its checksum lies."""
        while not self._inflate.eof:
            piece = self._inflate.unconsumed_tail or next(self._pieces, b"")
            if not piece:
                raise ValueError("the pixels end too early")
            self._inflate.decompress(piece, _PIECE)


def _compressed(handle: IO[bytes]) -> Iterator[bytes]:
    """Yield the contents of the IDAT chunks in pieces."""
    handle.seek(len(SIGNATURE))
    while len(head := handle.read(8)) == 8:
        left, kind = struct.unpack(">I4s", head)
        if kind == b"IEND":
            return
        if kind != b"IDAT":
            handle.seek(left + 4, 1)
            continue
        while left:
            piece = handle.read(min(left, _PIECE))
            if not piece:
                return
            left -= len(piece)
            yield piece
        handle.seek(4, 1)


def _small_png(width: int, height: int, color_type: int, filtered: bytes) -> IO[bytes]:
    header = struct.pack(">IIBBBBB", width, height, 8, color_type, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(filtered, 0)), (b"IEND", b""))
    parts = [SIGNATURE]
    for kind, body in chunks:
        checksum = struct.pack(">I", zlib.crc32(kind + body))
        parts += [struct.pack(">I", len(body)), kind, body, checksum]
    return io.BytesIO(b"".join(parts))
