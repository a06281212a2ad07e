"""A count as JSON that is read back later and put under other settings, without the model.

The journal of a batch and the session folder of the page store counts in this one form.
"""

from __future__ import annotations

import base64
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from smearcount.atomic_write import write_text
from smearcount.detections.detections import Detections
from smearcount.detector.model_card import ModelCard
from smearcount.detector.scale import Scale, ScaleSource
from smearcount.errors import DataError, UsageError
from smearcount.image.image import FieldOfView, SmearImage
from smearcount.image.read import FileReader
from smearcount.quality.flags import IMAGE_FLAG_NAMES
from smearcount.results.json_document import shortest_decimals
from smearcount.results.result import CountResult, apply_settings
from smearcount.settings import Settings

_MaskSide = Annotated[int, Field(ge=1, le=4096)]


@dataclass(frozen=True, eq=False)
class StoredResult:
    """What one model found in one image, whatever the thresholds and the edge rule.

    Attributes:
        width: of the image in pixels.
        height: of the image in pixels.
        sha256: of the image file.
        notes: what was done to the pixels.
        file_pixel_size_um: micrometers per pixel as the file says, or None.
        candidates: every detection from the score floor on.
        scale: the magnification.
        picture_flags: warnings about the picture, which no threshold changes.
        seconds: how long the count took.
        asked_pixel_size_um: micrometers per pixel as the user asked for, or None.
        model_sha256: of the model.
        field_of_view: the part of the image that shows the smear; None if that is all of it.
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
    field_of_view: FieldOfView | None = None

    @classmethod
    def of(cls, result: CountResult) -> StoredResult:
        """Return what is to be stored of a result; corrections by hand are not part of it."""
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
            field_of_view=image.field_of_view,
            seconds=result.seconds,
            asked_pixel_size_um=result.settings.pixel_size_um,
            model_sha256=result.card.sha256,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the stored form: values that ``json.dumps`` takes.

        Floats of the detections are written with as few digits as read back the same float32.
        """
        found = self.candidates
        return {
            "width": self.width,
            "height": self.height,
            "sha256": self.sha256,
            "notes": list(self.notes),
            "file_pixel_size_um": self.file_pixel_size_um,
            "boxes_xyxy_px": shortest_decimals(found.boxes_xyxy_px.reshape(-1)),
            "scores": shortest_decimals(found.scores),
            "labels": found.labels.tolist(),
            "scale": {
                "rbc_diameter_px": self.scale.rbc_diameter_px,
                "pixel_size_um": self.scale.pixel_size_um,
                "source": self.scale.source,
                "pixel_size_contradicted": self.scale.pixel_size_contradicted,
            },
            "picture_flags": list(self.picture_flags),
            "field_of_view": _packed(self.field_of_view),
            "seconds": self.seconds,
            "asked_pixel_size_um": self.asked_pixel_size_um,
            "model_sha256": self.model_sha256,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> StoredResult:
        """Return the result that :meth:`to_dict` described; keys that it does not know are ignored.

        Raises:
            DataError: a value is missing or of the wrong kind.
        """
        try:
            fields = _Stored.model_validate(stored)
            candidates = Detections(
                np.array(fields.boxes_xyxy_px, dtype=np.float32).reshape(-1, 4),
                np.array(fields.scores, dtype=np.float32),
                np.array(fields.labels, dtype=np.int64),
            )
        except (ValidationError, UsageError) as error:
            raise DataError(
                f"a stored count is damaged ({error}); count the image again."
            ) from None
        return cls(
            width=fields.width,
            height=fields.height,
            sha256=fields.sha256,
            notes=fields.notes,
            file_pixel_size_um=fields.file_pixel_size_um,
            candidates=candidates,
            scale=Scale(**fields.scale.model_dump()),
            picture_flags=tuple(flag for flag in fields.picture_flags if flag in IMAGE_FLAG_NAMES),
            field_of_view=_unpacked(fields),
            seconds=fields.seconds,
            asked_pixel_size_um=fields.asked_pixel_size_um,
            model_sha256=fields.model_sha256,
        )

    def restore(self, name: str, path: Path, card: ModelCard, settings: Settings) -> CountResult:
        """Return the result under some settings, as if the image were counted again.

        Args:
            name: what to call the image.
            path: the image file, opened only when its pixels are needed.
            card: the card of the model that found the cells.
            settings: threshold and edge rule.
        """
        reader = FileReader(str(path))
        image = SmearImage(
            name=name,
            width=self.width,
            height=self.height,
            sha256=self.sha256,
            read=reader,
            reread=reader,
            pixel_size_um=self.file_pixel_size_um,
            notes=self.notes,
            field_of_view=self.field_of_view,
        )
        result = apply_settings(
            image, self.candidates, self.scale, card, settings, self.picture_flags
        )
        return replace(result, seconds=self.seconds)


def write_stored(path: Path, stored: StoredResult) -> None:
    """Write a result as a JSON file; when this returns, it survives a power cut.

    Raises:
        WriteError: the disk is full or not writable.
    """
    write_text(path, json.dumps(stored.to_dict()), fsync=True)


def read_stored(path: Path) -> StoredResult | None:
    """Read a result that :func:`write_stored` wrote.

    Where there is none, the file ``seen.npz`` beside it is read, in which earlier sessions kept it.

    Returns:
        None where nothing readable is stored yet.
    """
    try:
        if path.exists():
            return StoredResult.from_dict(json.loads(path.read_bytes()))
        with np.load(path.with_name("seen.npz"), allow_pickle=False) as arrays:
            facts = json.loads(str(arrays["facts"]))
            for key in ("boxes_xyxy_px", "scores", "labels"):
                facts[key] = arrays[key].reshape(-1).tolist()
        return StoredResult.from_dict(facts)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, DataError):
        return None


def _packed(field: FieldOfView | None) -> dict[str, Any] | None:
    """Return a field of view as plain values; its mask as compressed bits in base64."""
    if field is None:
        return None
    bits = zlib.compress(np.packbits(field.covered).tobytes())
    return {
        "bounds": list(field.bounds),
        "mask_shape": list(field.covered.shape),
        "covered": base64.b64encode(bits).decode("ascii"),
    }


def _unpacked(stored: _Stored) -> FieldOfView | None:
    """Return the field of view that :func:`_packed` described.

    Raises:
        ValueError: its mask is damaged.
    """
    packed = stored.field_of_view
    if packed is None:
        return None
    h, w = packed.mask_shape
    # A mask that claims more bits than its shape has is not decompressed any further.
    bits = zlib.decompressobj().decompress(base64.b64decode(packed.covered), (h * w + 7) // 8)
    covered = np.unpackbits(np.frombuffer(bits, np.uint8), count=h * w).astype(np.bool_)
    return FieldOfView(stored.width, stored.height, packed.bounds, covered.reshape(h, w))


class _StoredField(BaseModel):
    bounds: tuple[int, int, int, int]
    mask_shape: tuple[_MaskSide, _MaskSide]
    covered: str


class _StoredScale(BaseModel):
    rbc_diameter_px: float | None
    pixel_size_um: float | None
    source: ScaleSource
    pixel_size_contradicted: bool = Field(
        default=False, validation_alias=AliasChoices("pixel_size_contradicted", "doubted")
    )


class _Stored(BaseModel):
    """The keys of the stored form; earlier journals had ``flags`` and ``doubted``."""

    model_config = ConfigDict(extra="ignore", protected_namespaces=())

    width: int
    height: int
    sha256: str
    notes: tuple[str, ...]
    file_pixel_size_um: float | None
    boxes_xyxy_px: list[float]
    scores: list[float]
    labels: list[int]
    scale: _StoredScale
    picture_flags: tuple[str, ...] = Field(
        validation_alias=AliasChoices("picture_flags", "flags"),
    )
    field_of_view: _StoredField | None = None
    seconds: float
    asked_pixel_size_um: float | None = None
    model_sha256: str = ""
