"""The model card: everything that must be known about a model to use and to trust it.

Entries that had another name in cards written earlier are still read under it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator

from smearcount.atomic_write import write_text
from smearcount.detections.nms import DEFAULT_IOU_THRESHOLD
from smearcount.detector.interval_calibration import Calibration, Score
from smearcount.detector.reference_statistics import ReferenceStatistics
from smearcount.errors import ModelError

MAX_RBC_PX: Final = 512
"""A card that asks for larger red cells would have every image enlarged beyond all memory."""

MAX_RECEPTIVE_PX: Final = 4096


class ModelCard(BaseModel):
    """What is known about a model file, stored beside it as ``<model>.json``.

    Attributes:
        name: the model's name, such as ``smearcount-s``.
        architecture: the builder that made it, such as ``smearnet`` or ``ssd300_vgg16``.
        sha256: of the model file, in lower-case hex; checked at load.
        classes: class names in label order (label 1 first).
        thresholds: the score from which each class counts, in label order, chosen on validation
            data for count error.
        border_odds_ratio: what the odds of a red cell's score are multiplied by if the border cuts
            the cell, chosen on validation data; see :mod:`smearcount.detector.border_correction`.
        iou_threshold: overlap above which non-maximum suppression drops the weaker box.
        rbc_px: the diameter of a red cell, in pixels, to which images are resized for the network;
            None for a network that takes images as they are.
        source_rbc_px: the median diameter in the training images, in their own pixels; assumed
            if the magnification cannot be estimated.
        stride: input sides must be multiples of this.
        receptive_px: the radius of the receptive field in network pixels; tiles overlap by this
            much.
        training: data, licences, splits, seed, command, time: free-form facts.
        metrics: what was measured, on which data: free-form facts.
        calibration: what turns scores into intervals; None for a model measured on too few images.
        reference_statistics: what the training images look like; None for a model that was trained
            on too few of them.

    Example:
        >>> from smearcount import load_detector
        >>> card = load_detector().card
        >>> card.name, card.classes, card.rbc_px
        ('smearcount-s', ('WBC', 'RBC', 'Platelets'), 48.0)
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    architecture: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    classes: tuple[str, ...] = Field(min_length=1)
    thresholds: tuple[Score, ...]
    border_odds_ratio: float = Field(
        default=1.0, gt=0, le=1, validation_alias=AliasChoices("border_odds_ratio", "cut_odds")
    )
    iou_threshold: Score = DEFAULT_IOU_THRESHOLD
    rbc_px: float | None = Field(default=None, gt=0, le=MAX_RBC_PX)
    source_rbc_px: float | None = Field(default=None, gt=0)
    stride: int = Field(default=1, ge=1, le=MAX_RBC_PX)
    receptive_px: int = Field(default=0, ge=0, le=MAX_RECEPTIVE_PX)
    training: dict[str, Any] = {}
    metrics: dict[str, Any] = {}
    calibration: Calibration | None = None
    reference_statistics: ReferenceStatistics | None = Field(
        default=None, validation_alias=AliasChoices("reference_statistics", "scene")
    )

    @model_validator(mode="after")
    def _one_threshold_per_class(self) -> ModelCard:
        if len(self.thresholds) != len(self.classes):
            raise ValueError(f"{len(self.classes)} classes need as many thresholds")
        return self

    @model_validator(mode="after")
    def _calibrated_for_these_classes(self) -> ModelCard:
        calibrated = self.calibration.classes if self.calibration else ()
        if calibrated and tuple(each.name for each in calibrated) != self.classes:
            raise ValueError("the calibration is of other classes")
        return self

    @classmethod
    def read(cls, path: Path) -> ModelCard:
        """Read a card.

        Raises:
            ModelError: the card is missing, is not JSON or has unknown or missing entries.
        """
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ModelError(
                f"{path}: this model card is missing; keep the .json beside its model file."
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise ModelError(f"{path}: this model card cannot be read ({error}).") from None
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the file"
            why = first["msg"].removeprefix("Value error, ")
            raise ModelError(f"{path}: not a valid model card: {where}: {why}.") from None

    def write(self, path: Path) -> None:
        """Write the card as readable JSON.

        Raises:
            WriteError: the folder cannot be written to.
        """
        write_text(path, self.model_dump_json(indent=2) + "\n")
