"""Uploads: streamed to disk, hashed on the way, never held in memory."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.concurrency import run_in_threadpool

from smearcount.errors import UsageError

UPLOAD_LIMIT_BYTES = 500 * 1000 * 1000


class TooLargeError(UsageError):
    """The upload exceeds :data:`UPLOAD_LIMIT_BYTES`."""

    def __init__(self) -> None:
        super().__init__(f"Files above {UPLOAD_LIMIT_BYTES // 10**6} MB are not taken.")


async def receive(chunks: AsyncIterator[bytes], folder: Path) -> tuple[Path, str]:
    """Write an upload to a new file in ``folder``.

    Args:
        chunks: the bytes as they come.
        folder: on the file system where the file is to stay.

    Returns:
        the file, which is on the disk, and the SHA-256 of its bytes. After an error, a lost
        connection included, there is no file.

    Raises:
        TooLargeError: too many bytes came.
        OSError: the disk is full or not writable.
    """
    path = folder / uuid.uuid4().hex
    digest = hashlib.sha256()
    size = 0
    try:
        with path.open("xb") as file:
            async for chunk in chunks:
                size += len(chunk)
                if size > UPLOAD_LIMIT_BYTES:
                    raise TooLargeError
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            await run_in_threadpool(os.fsync, file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path, digest.hexdigest()
