"""A result with a person's corrections in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from smearcount.counts.edge_rule import is_counted
from smearcount.detections.detections import Detections
from smearcount.results.corrections import Correction, apply, history
from smearcount.results.result import CountResult


def corrected(result: CountResult, lines: Iterable[Correction]) -> CountResult:
    """Return the result as a person left it.

    Cells removed by hand are gone whatever their score; cells added by hand have score 1 and obey
    the edge rule like any other. ``candidates`` stays what the model saw.

    Args:
        result: what the model found.
        lines: the corrections of this image, in order.

    Raises:
        DataError: a correction names a class that the model does not know.
    """
    # Removals are matched among all candidates, so that no threshold changes whom they mean.
    lines = tuple(lines)
    standing_edits, _ = history(lines)
    kept, added = apply(lines, result.candidates, result.card.classes)
    limits = np.asarray(
        result.settings.thresholds(result.card.thresholds, result.card.classes), dtype=np.float32
    )
    seen = result.candidates
    standing = seen[kept & (seen.scores >= limits[seen.labels - 1])]
    cells = Detections(
        np.concatenate([standing.boxes_xyxy_px, added.boxes_xyxy_px]),
        np.concatenate([standing.scores, added.scores]),
        np.concatenate([standing.labels, added.labels]),
    )
    counted = is_counted(result.settings.edge, cells, result.image, result.scale)
    return replace(result, detections=cells, counted=counted, corrections=len(standing_edits))
