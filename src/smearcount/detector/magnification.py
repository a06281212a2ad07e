"""How wide a red cell is in an image, before anything has been detected.

A human red cell measures about 7.5 µm, so every field holds its own ruler. A tiny network reads the
diameter from the whole picture at thumbnail size; where the cells come out too small to be sure, it
looks again at enlarged windows. :mod:`.field` lets the detector itself correct the answer.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from smearcount.detector.onnx_session import cpu_session
from smearcount.errors import ModelError
from smearcount.image.image import SmearImage
from smearcount.image.resample import glance, part

SMALLEST_PX: Final = 4.0
"""The smallest diameter in a view that the ruler has learned to read."""

LARGEST_PX: Final = 128.0
"""The largest one."""

VIEW_PX: Final = 256
"""The longer side of a view."""

CLEAR_PX: Final = 14.0
"""Below this diameter in the view, windows are enlarged for a second look."""

WANTED_PX: Final = 28.0
"""The diameter that an enlarged window should show."""

SIDE_MULTIPLE: Final = 16
"""Sides of a view are multiples of this."""

ROUNDS: Final = 3

GLANCE_PX: Final = 1024
"""Larger images are not read whole but in windows of this side, so that memory stays bounded."""


class RulerCard(BaseModel):
    """What is known about the ruler's file: data, command, error, SHA-256."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    architecture: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    training: dict[str, Any]
    metrics: dict[str, Any]


@dataclass(frozen=True)
class Reading:
    """What the ruler says of an image.

    Attributes:
        rbc_px: diameter of a red cell in image pixels.
        doubt_octaves: the expected size of the error of its base-2 logarithm.
    """

    rbc_px: float
    doubt_octaves: float


def read_ruler(image: SmearImage, threads: int = 1) -> Reading:
    """Estimate the diameter of a red cell in an image of unknown magnification.

    Args:
        image: any smear; only its pixels are looked at.
        threads: CPU threads that the network takes.

    Raises:
        ModelError: the ruler's file is missing or damaged.
    """
    side = float(max(image.width, image.height))
    windows = [(0, 0, image.width, image.height)]
    if side > 4 * GLANCE_PX:
        side = float(GLANCE_PX)
        windows = _windows(image.width, image.height, side)
    session = _session(threads)
    reading = _read(session, image, windows)
    for _ in range(ROUNDS - 1):
        if reading.rbc_px * VIEW_PX / side >= CLEAR_PX:
            break
        side = max(VIEW_PX * reading.rbc_px / WANTED_PX, 32.0)
        closer = _read(session, image, _windows(image.width, image.height, side))
        agreed = abs(np.log2(closer.rbc_px / reading.rbc_px)) < 0.25
        reading = closer
        if agreed:
            break
    return reading


def _windows(width: int, height: int, side: float) -> list[tuple[int, int, int, int]]:
    """Return five windows of about ``side`` pixels: one in the middle, four around it."""
    w, h = int(min(side, width)), int(min(side, height))
    centres = [(0.5, 0.5), (0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)]
    found = []
    for share_x, share_y in centres:
        left = int(min(max(share_x * width - w / 2, 0), width - w))
        top = int(min(max(share_y * height - h / 2, 0), height - h))
        found.append((left, top, left + w, top + h))
    return found


def _read(session: Any, image: SmearImage, windows: list[tuple[int, int, int, int]]) -> Reading:
    """Read equally large windows and return the median of the surer half."""
    left, top, right, bottom = windows[0]
    zoom = VIEW_PX / max(right - left, bottom - top)
    size = (
        max(1, round((right - left) * zoom / SIDE_MULTIPLE)) * SIDE_MULTIPLE,
        max(1, round((bottom - top) * zoom / SIDE_MULTIPLE)) * SIDE_MULTIPLE,
    )
    views = np.stack([part(image, window, size, glance) for window in windows])
    log2_px, doubt = session.run(["log2_px", "doubt"], {"views": views})
    surest = np.argsort(doubt)[: (len(windows) + 1) // 2]
    return Reading(2 ** float(np.median(log2_px[surest])) / zoom, float(np.median(doubt[surest])))


@functools.cache
def _session(threads: int) -> Any:
    folder = resources.files("smearcount.detector") / "model"
    try:
        payload = (folder / "ruler.onnx").read_bytes()
        card = RulerCard.model_validate_json((folder / "ruler.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"The ruler of the package is missing ({error}); reinstall it.") from None
    if hashlib.sha256(payload).hexdigest() != card.sha256:
        raise ModelError("ruler.onnx does not match its card; reinstall the package.")
    return cpu_session(payload, threads)
