"""The magnification estimator: how wide a red cell is, before anything has been detected.

A human red cell measures about 7.5 µm, so every smear shows an object of known size. A tiny network
estimates its diameter from the whole image at thumbnail size. Where the cells come out too small to
be sure, it runs again on enlarged windows. :mod:`smearcount.detector.detect` corrects the estimate
by the cells that are then detected.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from smearcount.detector.onnx_session import open_session
from smearcount.errors import ModelError
from smearcount.image.image import Region, SmearImage
from smearcount.image.resample import crop_and_resize, resample_fast

MIN_RBC_PX: Final = 4.0
"""The smallest diameter in a view that the network was trained on, in pixels of the view."""

MAX_RBC_PX: Final = 128.0
"""The largest one."""

VIEW_PX: Final = 256
"""The longer side of a view, which is what the network takes as input."""

MIN_CLEAR_RBC_PX: Final = 14.0
"""If the diameter in the view is below this, the network runs again on enlarged windows."""

TARGET_RBC_PX: Final = 28.0
"""The diameter that an enlarged window should show."""

SIDE_MULTIPLE: Final = 16
"""Sides of a view are multiples of this."""

MAX_PASSES: Final = 3
"""How often the network runs at most."""

FIRST_WINDOW_PX: Final = 1024
"""Of images four times as long, only windows of this side are read, so that memory stays
bounded."""

AGREEMENT_LOG2: Final = 0.25
"""Two estimates that differ by less than this, in log2, agree."""


class MagnificationCard(BaseModel):
    """What is known about the network's file: data, command, error, SHA-256."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    architecture: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    training: dict[str, Any]
    metrics: dict[str, Any]


@dataclass(frozen=True)
class MagnificationEstimate:
    """The estimated diameter of a red cell.

    Attributes:
        rbc_px: diameter of a red cell in image pixels.
        log2_error: the expected size of the error of its base-2 logarithm.
    """

    rbc_px: float
    log2_error: float


def estimate_magnification(image: SmearImage, threads: int = 1) -> MagnificationEstimate:
    """Estimate the diameter of a red cell in an image of unknown magnification.

    Args:
        image: any smear; only its pixels are used.
        threads: CPU threads that the network takes.

    Raises:
        ModelError: the file of the network is missing or damaged.
    """
    side = float(max(image.width, image.height))
    windows = [(0, 0, image.width, image.height)]
    if side > 4 * FIRST_WINDOW_PX:
        side = float(FIRST_WINDOW_PX)
        windows = _windows(image.width, image.height, side)
    session = _session(threads)
    estimate = _estimate(session, image, windows)
    for _ in range(MAX_PASSES - 1):
        if estimate.rbc_px * VIEW_PX / side >= MIN_CLEAR_RBC_PX:
            break
        side = max(VIEW_PX * estimate.rbc_px / TARGET_RBC_PX, 32.0)
        enlarged = _estimate(session, image, _windows(image.width, image.height, side))
        agreed = abs(np.log2(enlarged.rbc_px / estimate.rbc_px)) < AGREEMENT_LOG2
        estimate = enlarged
        if agreed:
            break
    return estimate


def _windows(width: int, height: int, side: float) -> list[Region]:
    """Return five windows of about ``side`` pixels: one in the middle, four around it."""
    w, h = int(min(side, width)), int(min(side, height))
    centers = [(0.5, 0.5), (0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)]
    windows = []
    for share_x, share_y in centers:
        left = int(min(max(share_x * width - w / 2, 0), width - w))
        top = int(min(max(share_y * height - h / 2, 0), height - h))
        windows.append((left, top, left + w, top + h))
    return windows


def _estimate(session: Any, image: SmearImage, windows: list[Region]) -> MagnificationEstimate:
    """Run the network on windows of equal size and return the median of the surer half."""
    left, top, right, bottom = windows[0]
    zoom = VIEW_PX / max(right - left, bottom - top)
    size = (
        max(1, round((right - left) * zoom / SIDE_MULTIPLE)) * SIDE_MULTIPLE,
        max(1, round((bottom - top) * zoom / SIDE_MULTIPLE)) * SIDE_MULTIPLE,
    )
    views = np.stack([crop_and_resize(image, window, size, resample_fast) for window in windows])
    log2_px, log2_error = session.run(["log2_px", "doubt"], {"views": views})
    surest = np.argsort(log2_error)[: (len(windows) + 1) // 2]
    return MagnificationEstimate(
        2 ** float(np.median(log2_px[surest])) / zoom, float(np.median(log2_error[surest]))
    )


@functools.cache
def _session(threads: int) -> Any:
    folder = resources.files("smearcount.detector") / "model"
    try:
        payload = (folder / "ruler.onnx").read_bytes()
        text = (folder / "ruler.json").read_text(encoding="utf-8")
        card = MagnificationCard.model_validate_json(text)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"The magnification estimator of the package is missing ({error}); reinstall it."
        ) from None
    if hashlib.sha256(payload).hexdigest() != card.sha256:
        raise ModelError("ruler.onnx does not match its card; reinstall the package.")
    return open_session(payload, threads)
