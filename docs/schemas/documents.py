"""The JSON files that smearcount writes, described; a test holds real files against this.

Settings and slides are the package's own values.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from smearcount.counts.slides import Slide
from smearcount.settings import Settings

Interval = tuple[int, int]
Box = tuple[float, float, float, float]


class Written(BaseModel):
    """A part of a file; a key that is not described here fails the test."""

    model_config = ConfigDict(extra="forbid")


class Model(Written):
    """The model that counted."""

    name: str
    sha256: str = Field(description="Of the model file.")
    classes: list[str] = Field(description="Class names in label order.")


class Detection(Written):
    """One detection that reaches its threshold."""

    class_name: str = Field(alias="class")
    score: float
    box_xyxy_px: Box = Field(description="Left, top, right, bottom in pixels, upright image.")
    counted: bool = Field(description="Whether the edge rule lets it count.")


class FailedImage(Written):
    """An input that could not be counted."""

    image: str
    status: Literal["error"]
    error: str
    counts: None


class CountedImage(Written):
    """An image that was counted."""

    image: str
    status: Literal["counted"]
    error: None
    counts: dict[str, int] = Field(description="By class name.")
    intervals: dict[str, Interval] | None = Field(
        description="The 95 % interval of each count; null if corrected by hand."
    )
    excluded: dict[str, int] = Field(description="Cells that the edge rule left out.")
    rbc_diameter_px: float | None
    pixel_size_um: float | None
    pixel_size_source: Literal["user", "file", "estimated", "assumed"]
    flags: list[str]
    notes: list[str] = Field(description="What was done to the pixels.")
    visible_share: float = Field(
        description="The share of the picture that shows smear, without surround, bars and text."
    )
    width: int
    height: int
    sha256: str = Field(description="Of the image file.")
    seconds: float
    detections: list[Detection]


class Total(Written):
    """Sums over all images."""

    images_counted: int
    images_failed: int
    counts: dict[str, int]
    intervals: dict[str, Interval] | None


class Document(Written):
    """What ``smearcount count --json`` prints."""

    schema_version: Literal[1] = Field(
        description="Raised when a key changes its meaning or goes; new keys may come."
    )
    smearcount: str = Field(description="Version.")
    model: Model
    settings: Settings
    images: list[CountedImage | FailedImage]
    total: Total
    slides: list[Slide]


class RecordedModel(Written):
    """The model that counted, and what of its card decides a count."""

    name: str
    architecture: str
    sha256: str
    thresholds: dict[str, float]
    cut_odds: float = Field(description="Odds ratio of red cells that the border cuts.")
    iou_threshold: float


class RecordedImage(Written):
    """An image that was counted."""

    image: str
    status: Literal["counted"]
    sha256: str
    width: int
    height: int
    notes: list[str]
    corrections: int
    picture: str | None = Field(description="Its annotated picture.")


class RecordedFailure(Written):
    """An input that could not be counted."""

    image: str
    status: Literal["error"]
    error: str


class Run(Written):
    """``run.json``: enough to repeat a run."""

    schema_version: Literal[1]
    finished: str = Field(description="When, ISO 8601 with time zone.")
    command: list[str] = Field(description="Word by word; empty when called from Python.")
    settings: Settings
    corrections_sha256: str | None
    model: RecordedModel
    versions: dict[str, str]
    images: list[RecordedImage | RecordedFailure]


class CocoCategory(Written):
    """A class."""

    id: int
    name: str


class CocoImage(Written):
    """An image that was counted; its id is its place among the inputs, from 1."""

    id: int
    file_name: str
    width: int
    height: int


class CocoAnnotation(Written):
    """A detection that reaches its threshold."""

    id: int
    image_id: int
    category_id: int
    bbox: Box = Field(description="Left, top, width, height in pixels.")
    area: float
    iscrowd: Literal[0]
    score: float
    counted: bool


class Detections(Written):
    """``detections.json``: COCO with scores."""

    categories: list[CocoCategory]
    images: list[CocoImage]
    annotations: list[CocoAnnotation]
