"""The JSON that the page and the server send each other."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from smearcount.results.corrections import Cell
from smearcount.settings import EdgeRule, Settings
from smearcount.web.photographs import State

Score = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Problem(BaseModel):
    """Why a request was refused, in one sentence."""

    detail: str


class SettingsBody(BaseModel):
    """The settings as the page shows and sends them.

    Attributes:
        thresholds: one score per class in label order; None takes the model's own.
        edge: which cells at the border count.
        pixel_size_um: micrometers per pixel; None takes the file's where it has a plausible one,
            else estimates it from the red cells.
    """

    model_config = ConfigDict(extra="forbid")

    thresholds: tuple[Score, ...] | None = None
    edge: EdgeRule = "all"
    pixel_size_um: float | None = None

    def settings(self) -> Settings:
        """Return them as the package's settings."""
        return Settings(self.thresholds, self.edge, self.pixel_size_um)


class CorrectionBody(BaseModel):
    """A correction as the page sends it.

    Attributes:
        after: how many corrections of this photograph the user has seen.
        kind: an edit, an undo or a redo.
        remove: cells that are not there.
        add: cells that were missing.
    """

    model_config = ConfigDict(extra="forbid")

    after: int = Field(ge=0)
    kind: Literal["edit", "undo", "redo"] = "edit"
    remove: tuple[Cell, ...] = ()
    add: tuple[Cell, ...] = ()


class LeftOutBody(BaseModel):
    """Whether a photograph is left out of totals and exports."""

    model_config = ConfigDict(extra="forbid")

    left_out: bool


class PixelSizeBody(BaseModel):
    """A pixel size of their own for some photographs; None gives them that of the session.

    Attributes:
        photographs: their ids.
        pixel_size_um: micrometers per pixel.
    """

    model_config = ConfigDict(extra="forbid")

    photographs: tuple[str, ...]
    pixel_size_um: float | None


class FieldOfViewBody(BaseModel):
    """The part of a photograph that shows the smear.

    Attributes:
        edge: line segments between what shows smear and what does not: x0, y0, x1, y1 in pixels.
        covered: the share of the photograph that shows no smear.
    """

    edge: list[tuple[float, float, float, float]]
    covered: float


class Tally(BaseModel):
    """Cells of one kind of count.

    Attributes:
        counted: cells counted, by class, in label order.
        excluded: cells left out by the edge rule, by class.
    """

    counted: list[int]
    excluded: list[int]


class PhotographRow(BaseModel):
    """One photograph in the list.

    Attributes:
        id: names it in every address.
        name: relative path with ``/``; the folder groups the photographs of a slide.
        state: whether it waits, is being counted, is done, failed or was canceled.
        reason: why it failed.
        automatic: what the model counts; None before it is done.
        corrected: the same with the corrections.
        corrections: how many corrections stand.
        log_length: how many there are, undone ones included.
        intervals: the 95 % interval of the automatic count, by class; None where the model has no
            calibration.
        flags: short warnings.
        left_out: whether the user left it out of totals and exports.
        pixel_size_um: its own micrometers per pixel; None takes that of the session.
        seconds: how long the count took.
    """

    id: str
    name: str
    state: State
    reason: str
    automatic: Tally | None
    corrected: Tally | None
    corrections: int
    log_length: int
    intervals: list[tuple[int, int]] | None
    flags: list[str]
    left_out: bool
    pixel_size_um: float | None
    seconds: float


class ClassRow(BaseModel):
    """One class of cells.

    Attributes:
        name: such as ``RBC``.
        color: ``#rrggbb``.
        threshold: the model's own.
    """

    name: str
    color: str
    threshold: float


class SessionBody(BaseModel):
    """The state of the page, or what changed of it.

    Attributes:
        session: which session this is; see :class:`smearcount.web.storage.SessionFolder`.
        run: which run of the server this is; revisions of another run mean nothing.
        revision: ask for what changed since by sending it back.
        classes: in label order.
        model: the name of the model.
        model_sha256: of its file.
        settings: the present settings.
        photographs: those that changed since.
        removed: ids of those removed since.
        order: ids of all photographs in the order to show them; None if it is as before.
        upload_limit_bytes: larger files are refused.
        pixel_sizes_um: the least and the greatest pixel size that is taken.
        flags: what each flag means and what to do, in English.
        suffixes: of the names of pictures that can be read, such as ``.jpg``.
    """

    session: str
    run: str
    revision: int
    classes: list[ClassRow]
    model: str
    model_sha256: str
    settings: SettingsBody
    photographs: list[PhotographRow]
    removed: list[str]
    order: list[str] | None
    upload_limit_bytes: int
    pixel_sizes_um: tuple[float, float]
    flags: dict[str, str]
    suffixes: list[str]


class AddedCell(BaseModel):
    """A cell added by hand: its box in image pixels and its 1-based label."""

    box: tuple[float, float, float, float]
    label: int


class CorrectedBody(BaseModel):
    """The state of a photograph after its corrections.

    Attributes:
        row: its row in the list.
        removed: indices of the detections removed by hand.
        added: cells added by hand.
        excluded: which cells each edge rule leaves out: indices of the detections; the cells added
            by hand are counted on from them.
        log_length: how many corrections there are, undone ones included.
        can_undo: whether there is a correction to take back.
        can_redo: whether there is one to bring back.
    """

    row: PhotographRow
    removed: list[int]
    added: list[AddedCell]
    excluded: dict[EdgeRule, list[int]]
    log_length: int
    can_undo: bool
    can_redo: bool


class PhotographBody(CorrectedBody):
    """Everything about one photograph that was counted.

    Attributes:
        width: in pixels.
        height: in pixels.
        levels: of the tile pyramid.
        tile_side: in pixels.
        boxes: every detection from the score floor on, xyxy in pixels, best first.
        scores: of each.
        labels: of each, 1-based.
        rbc_diameter_px: of a red cell, or None.
        pixel_size_um: micrometers per pixel, or None.
        scale_source: where the pixel size comes from.
        notes: what was done to the pixels.
        field_of_view: the part that shows the smear; None if that is all of it.
    """

    width: int
    height: int
    levels: int
    tile_side: int
    boxes: list[list[float]]
    scores: list[float]
    labels: list[int]
    rbc_diameter_px: float | None
    pixel_size_um: float | None
    scale_source: str
    notes: list[str]
    field_of_view: FieldOfViewBody | None
