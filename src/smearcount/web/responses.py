"""The answers of the server, in the form of :mod:`smearcount.web.schema`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from smearcount.classes import class_color
from smearcount.counts.edge_rule import is_counted
from smearcount.detections.detections import Detections
from smearcount.image.file_types import SUFFIXES
from smearcount.image.image import FieldOfView
from smearcount.quality.flags import FLAG_EXPLANATIONS
from smearcount.results.corrections import apply_corrections, correct_detections, history
from smearcount.results.result import CountResult
from smearcount.results.stored import StoredResult
from smearcount.settings import PIXEL_SIZES_UM, EdgeRule
from smearcount.web.photographs import Photograph
from smearcount.web.schema import (
    AddedCell,
    ClassRow,
    CorrectedBody,
    FieldOfViewBody,
    PhotographBody,
    PhotographRow,
    SessionBody,
    SettingsBody,
    Tally,
)
from smearcount.web.session import Session
from smearcount.web.tiles import TILE_SIDE, level_count


def session_body(session: Session, since: int, upload_limit_bytes: int) -> SessionBody:
    """Return what changed since a revision; everything for revision -1."""
    card, settings, photographs = session.card, session.settings, session.photographs
    with photographs.changed:
        return SessionBody(
            session=session.folder.id,
            run=session.run,
            revision=photographs.revision,
            classes=[
                ClassRow(name=name, color=class_color(name, label), threshold=threshold)
                for label, (name, threshold) in enumerate(
                    zip(card.classes, card.thresholds, strict=True), start=1
                )
            ],
            model=card.name,
            model_sha256=card.sha256,
            settings=SettingsBody(
                thresholds=None
                if settings.threshold is None
                else settings.thresholds(card.thresholds, card.classes),
                edge=settings.edge,
                pixel_size_um=settings.pixel_size_um,
            ),
            photographs=[photograph_row(session, p) for p in photographs if p.revision > since],
            removed=photographs.removed_since(since),
            order=photographs.order_since(since),
            upload_limit_bytes=upload_limit_bytes,
            pixel_sizes_um=PIXEL_SIZES_UM,
            flags=FLAG_EXPLANATIONS,
            suffixes=sorted(SUFFIXES),
        )


def photograph_row(session: Session, photograph: Photograph) -> PhotographRow:
    """Return the row of a photograph in the list."""
    with session.photographs.changed:  # so that the counts belong to the state
        return _row(session, photograph)


def _row(session: Session, photograph: Photograph) -> PhotographRow:
    automatic = session.automatic_result(photograph)
    corrections = session.corrections(photograph)
    counted = None if automatic is None else apply_corrections(automatic, corrections)
    intervals = None if automatic is None else automatic.intervals
    return PhotographRow(
        id=photograph.id,
        name=photograph.name,
        state=photograph.state,
        reason=photograph.reason,
        automatic=None if automatic is None else _tally(automatic),
        corrected=None if counted is None else _tally(counted),
        corrections=len(history(corrections)[0]),
        log_length=len(corrections),
        intervals=None if intervals is None else list(intervals.values()),
        flags=[] if counted is None else list(counted.flags),
        left_out=photograph.left_out,
        pixel_size_um=photograph.pixel_size_um,
        seconds=0 if counted is None else counted.seconds,
    )


def photograph_body(
    session: Session, photograph: Photograph, stored: StoredResult
) -> PhotographBody:
    """Return everything about a photograph that was counted."""
    with session.photographs.changed:
        return PhotographBody(
            **_corrections(session, photograph, stored),
            width=stored.width,
            height=stored.height,
            levels=level_count(stored.width, stored.height),
            tile_side=TILE_SIDE,
            boxes=stored.candidates.boxes_xyxy_px.tolist(),
            scores=stored.candidates.scores.tolist(),
            labels=stored.candidates.labels.tolist(),
            rbc_diameter_px=stored.scale.rbc_diameter_px,
            pixel_size_um=stored.scale.pixel_size_um,
            scale_source=stored.scale.source,
            notes=list(stored.notes),
            field_of_view=_field_of_view(stored.field_of_view),
        )


def corrected_body(session: Session, photograph: Photograph, stored: StoredResult) -> CorrectedBody:
    """Return the state of a photograph after its corrections."""
    with session.photographs.changed:
        return CorrectedBody(**_corrections(session, photograph, stored))


def _field_of_view(field: FieldOfView | None) -> FieldOfViewBody | None:
    if field is None:
        return None
    edge = edge_segments(field).tolist()
    return FieldOfViewBody(edge=edge, covered=float(np.mean(field.covered)))


def edge_segments(field: FieldOfView) -> NDArray[np.float64]:
    """Return the edge of a field of view as line segments, the longest possible ones.

    Returns:
        shape (n, 4), x0, y0, x1, y1 in image pixels; each segment is upright or level, and covered
        pixels lie on one side of it.
    """
    h, w = field.covered.shape
    size = np.array([field.width / w, field.height / h] * 2)
    level = [(left, y, right, y) for y, left, right in _runs(field.covered)]
    upright = [(x, top, x, bottom) for x, top, bottom in _runs(field.covered.T)]
    segments: NDArray[np.float64] = np.array(level + upright).reshape(-1, 4) * size
    return segments


def _runs(covered: NDArray[np.bool_]) -> Iterator[tuple[int, int, int]]:
    """Yield the level parts of the edge of a mask: row above which it runs, first, last column."""
    changes = np.diff(covered.astype(np.int8), axis=0)  # 1 or -1, by the side that is covered
    bordered = np.pad(changes, ((0, 0), (1, 1)))
    for row in np.flatnonzero(changes.any(axis=1)):
        ends = np.flatnonzero(np.diff(bordered[row]))
        for first, last in pairwise(ends):
            if changes[row, first]:
                yield int(row) + 1, int(first), int(last)


def _tally(result: CountResult) -> Tally:
    return Tally(counted=list(result.counts.values()), excluded=list(result.excluded.values()))


def _corrections(session: Session, photograph: Photograph, stored: StoredResult) -> dict[str, Any]:
    corrections = session.corrections(photograph)
    done, undone = history(corrections)
    kept, added = correct_detections(corrections, stored.candidates, session.card.classes)
    return {
        "row": photograph_row(session, photograph),
        "removed": np.flatnonzero(~kept).tolist(),
        "added": [AddedCell(box=box.tolist(), label=label) for box, _, label in added],
        "excluded": {
            rule: _excluded_by(rule, session, photograph, stored, added)
            for rule in get_args(EdgeRule)
        },
        "log_length": len(corrections),
        "can_undo": bool(done),
        "can_redo": bool(undone),
    }


def _excluded_by(
    rule: EdgeRule,
    session: Session,
    photograph: Photograph,
    stored: StoredResult,
    added: Detections,
) -> list[int]:
    """Return which cells an edge rule leaves out, whatever their scores.

    Returns:
        indices of the candidates, then of the cells added by hand, counted on from the candidates.
    """
    file = session.folder.file(photograph)
    image = stored.restore(photograph.name, file, session.card, session.settings).image
    counted = [is_counted(rule, cells, image, stored.scale) for cells in (stored.candidates, added)]
    excluded: list[int] = np.flatnonzero(~np.concatenate(counted)).tolist()
    return excluded
