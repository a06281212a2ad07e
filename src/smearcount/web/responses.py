"""A photograph of the session as the page wants to see it."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from smearcount.classes import class_color
from smearcount.counts.edge_rule import is_counted
from smearcount.detections.detections import Detections
from smearcount.quality.flags import FLAG_EXPLANATIONS
from smearcount.results.corrections import apply, history
from smearcount.results.stored import StoredResult
from smearcount.settings import PIXEL_SIZES_UM, EdgeRule
from smearcount.web.photograph import Photograph
from smearcount.web.schema import (
    AddedCell,
    ClassRow,
    CorrectedBody,
    PhotographBody,
    PhotographRow,
    SessionBody,
    SettingsBody,
)
from smearcount.web.session import Session
from smearcount.web.tiles import TILE_SIDE, level_count


def session_body(session: Session, since: int, upload_limit_bytes: int) -> SessionBody:
    """Return what changed since a revision; everything for revision -1."""
    card, settings = session.card, session.settings
    with session.roll.changed:
        rows = [PhotographRow.of(session, p) for p in session.roll if p.revision > since]
        return SessionBody(
            revision=session.roll.revision,
            classes=[
                ClassRow(name=name, colour=class_color(label), threshold=threshold)
                for label, (name, threshold) in enumerate(
                    zip(card.classes, card.thresholds, strict=True), start=1
                )
            ],
            model=card.name,
            model_sha256=card.sha256,
            settings=SettingsBody(
                thresholds=None
                if settings.threshold is None
                else settings.thresholds(card.thresholds),
                edge=settings.edge,
                pixel_size_um=settings.pixel_size_um,
            ),
            photographs=rows,
            removed=session.roll.removed_since(since),
            upload_limit_bytes=upload_limit_bytes,
            pixel_sizes_um=PIXEL_SIZES_UM,
            flags=FLAG_EXPLANATIONS,
        )


def photograph_body(session: Session, photograph: Photograph, seen: StoredResult) -> PhotographBody:
    """Return everything about a photograph that was counted."""
    with session.roll.changed:
        return PhotographBody(
            **_corrections(session, photograph, seen),
            width=seen.width,
            height=seen.height,
            levels=level_count(seen.width, seen.height),
            tile_side=TILE_SIDE,
            boxes=seen.candidates.boxes_xyxy_px.tolist(),
            scores=seen.candidates.scores.tolist(),
            labels=seen.candidates.labels.tolist(),
            rbc_diameter_px=seen.scale.rbc_diameter_px,
            pixel_size_um=seen.scale.pixel_size_um,
            scale_source=seen.scale.source,
            notes=list(seen.notes),
        )


def corrected_body(session: Session, photograph: Photograph, seen: StoredResult) -> CorrectedBody:
    """Return what the corrections of a photograph amount to."""
    with session.roll.changed:
        return CorrectedBody(**_corrections(session, photograph, seen))


def _corrections(session: Session, photograph: Photograph, seen: StoredResult) -> dict[str, Any]:
    lines = session.lines(photograph)
    done, undone = history(lines)
    kept, added = apply(lines, seen.candidates, session.card.classes)
    return {
        "row": PhotographRow.of(session, photograph),
        "removed": np.flatnonzero(~kept).tolist(),
        "added": [AddedCell(box=box.tolist(), label=label) for box, _, label in added],
        "excluded": {
            rule: _excluded_by(rule, session, photograph, seen, added)
            for rule in get_args(EdgeRule)
        },
        "journal": len(lines),
        "can_undo": bool(done),
        "can_redo": bool(undone),
    }


def _excluded_by(
    rule: EdgeRule, session: Session, photograph: Photograph, seen: StoredResult, added: Detections
) -> list[int]:
    """Return which cells an edge rule leaves out, whatever their scores.

    Returns:
        indices of the candidates, then of the cells added by hand, counted on from the candidates.
    """
    file = session.folder.file(photograph)
    image = seen.restore(photograph.name, file, session.card, session.settings).image
    counted = [is_counted(rule, cells, image, seen.scale) for cells in (seen.candidates, added)]
    excluded: list[int] = np.flatnonzero(~np.concatenate(counted)).tolist()
    return excluded
