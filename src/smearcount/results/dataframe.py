"""Counts as pandas tables, for those who have pandas; this package works without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smearcount.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from smearcount.results.batch_result import BatchResult
    from smearcount.results.image_outcome import ImageOutcome
    from smearcount.results.result import CountResult


def detections_dataframe(result: CountResult) -> pd.DataFrame:
    """Return one row per detection: image, class, score, box in pixels, and whether it counts.

    Raises:
        UsageError: pandas is not installed.
    """
    found = result.detections
    columns: dict[str, Any] = {
        "image": result.image.name,
        "class": [result.card.classes[label - 1] for label in found.labels],
        "score": found.scores,
    }
    for place, side in enumerate(("x0", "y0", "x1", "y1")):
        columns[side] = found.boxes_xyxy_px[:, place]
    return _dataframe({**columns, "counted": result.counted})


def batch_dataframe(batch: BatchResult) -> pd.DataFrame:
    """Return one row per image, with the columns of ``counts.csv`` that speak of the count.

    Raises:
        UsageError: pandas is not installed.
    """
    rows = [_row(outcome, batch.card.classes) for outcome in batch.outcomes]
    return _dataframe({name: [row[name] for row in rows] for name in rows[0]} if rows else {})


def _row(outcome: ImageOutcome, classes: tuple[str, ...]) -> dict[str, Any]:
    result = outcome.result
    intervals = (result.intervals if result else None) or {}
    low_high = {name: intervals.get(name, (None, None)) for name in classes}
    return {
        "image": outcome.name,
        **{name: result.counts[name] if result else None for name in classes},
        **{f"{name}_low": low_high[name][0] for name in classes},
        **{f"{name}_high": low_high[name][1] for name in classes},
        **{f"{name}_excluded": result.excluded[name] if result else None for name in classes},
        "rbc_diameter_px": result.scale.rbc_diameter_px if result else None,
        "pixel_size_um": result.scale.pixel_size_um if result else None,
        "pixel_size_source": result.scale.source if result else None,
        "flags": "; ".join(result.flags) if result else None,
        "status": outcome.status,
        "error": outcome.error,
    }


def _dataframe(columns: dict[str, Any]) -> pd.DataFrame:
    try:
        import pandas as pd
    except ModuleNotFoundError:
        raise UsageError(
            'a table for pandas needs pandas; install it: pip install "pandas".'
        ) from None
    return pd.DataFrame(columns)
