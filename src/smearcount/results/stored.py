"""What was seen in a photograph, kept on disk so that a restart need not look again."""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from smearcount.detections.detections import Detections
from smearcount.detector.model_card import ModelCard
from smearcount.detector.scale import Scale
from smearcount.image.image import SmearImage
from smearcount.quality.flags import IMAGE_FLAG_NAMES
from smearcount.results.image_outcome import reader
from smearcount.results.result import CountResult, apply_settings
from smearcount.settings import Settings


@dataclass(frozen=True, eq=False)
class StoredResult:
    """What one model saw in one photograph, whatever the thresholds.

    Attributes:
        width: of the image in pixels.
        height: of the image in pixels.
        sha256: of the image file.
        notes: what was done to the pixels.
        file_pixel_size_um: what the file says, or None.
        candidates: every detection from the score floor on.
        scale: the magnification.
        picture_flags: warnings that no threshold changes; the others follow the settings.
        seconds: how long it took.
        asked_pixel_size_um: the pixel size that was asked for, or None.
        model_sha256: of the model that looked.
    """

    width: int
    height: int
    sha256: str
    notes: tuple[str, ...]
    file_pixel_size_um: float | None
    candidates: Detections
    scale: Scale
    picture_flags: tuple[str, ...]
    seconds: float
    asked_pixel_size_um: float | None
    model_sha256: str

    @classmethod
    def of(cls, result: CountResult) -> StoredResult:
        """Return what is to be kept of a result."""
        image = result.image
        return cls(
            width=image.width,
            height=image.height,
            sha256=image.sha256,
            notes=image.notes,
            file_pixel_size_um=image.pixel_size_um,
            candidates=result.candidates,
            scale=result.scale,
            picture_flags=tuple(flag for flag in result.flags if flag in IMAGE_FLAG_NAMES),
            seconds=result.seconds,
            asked_pixel_size_um=result.settings.pixel_size_um,
            model_sha256=result.card.sha256,
        )

    def result(self, name: str, path: Path, card: ModelCard, settings: Settings) -> CountResult:
        """Return the result under some settings, without looking again.

        Args:
            name: what to call the image.
            path: its file, read only when its pixels are asked for.
            card: the card of the model that looked.
            settings: threshold and edge rule.
        """
        image = SmearImage(
            name=name,
            width=self.width,
            height=self.height,
            sha256=self.sha256,
            read=reader(str(path)),
            pixel_size_um=self.file_pixel_size_um,
            notes=self.notes,
        )
        result = apply_settings(
            image, self.candidates, self.scale, card, settings, self.picture_flags
        )
        return replace(result, seconds=self.seconds)


def write_stored(path: Path, seen: StoredResult) -> None:
    """Write what was seen; the file appears only when it is complete."""
    facts = {key: value for key, value in vars(seen).items() if key != "candidates"}
    facts["scale"] = asdict(seen.scale)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(
            file,
            boxes_xyxy_px=seen.candidates.boxes_xyxy_px,
            scores=seen.candidates.scores,
            labels=seen.candidates.labels,
            facts=np.array(json.dumps(facts)),
        )
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def read_stored(path: Path) -> StoredResult | None:
    """Read what was seen, or return None where there is nothing readable yet."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            facts = json.loads(str(arrays["facts"]))
            candidates = Detections(arrays["boxes_xyxy_px"], arrays["scores"], arrays["labels"])
        facts["scale"] = Scale(**facts["scale"])
        for key in ("picture_flags", "notes"):
            facts[key] = tuple(facts[key])
        return StoredResult(candidates=candidates, **facts)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None
