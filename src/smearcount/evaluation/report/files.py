"""An evaluation as files for programs: ``evaluation.json``, and tables as CSV."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from smearcount import __version__
from smearcount.atomic_write import write_csv, write_text
from smearcount.classes import CLASS_NAMES
from smearcount.evaluation.count_agreement import Agreement, Estimate
from smearcount.evaluation.error_types import ERROR_KINDS
from smearcount.evaluation.measure import Counting, Evaluation
from smearcount.evaluation.robustness import Curve

SCHEMA_VERSION = 1
"""Raised when a key changes its meaning or goes; new keys may come at any time."""


def write_results(evaluation: Evaluation, folder: Path) -> None:
    """Write ``evaluation.json``, ``agreement.csv``, ``fields.csv`` and ``slides.csv``.

    Args:
        evaluation: what was measured.
        folder: an existing folder; files of these names are replaced.
    """
    text = json.dumps(document(evaluation), indent=2, ensure_ascii=False, allow_nan=False)
    write_text(folder / "evaluation.json", text + "\n")
    _write_csv(folder / "agreement.csv", _agreement_rows(evaluation))
    _write_csv(folder / "fields.csv", _field_rows(evaluation))
    _write_csv(folder / "slides.csv", _slide_rows(evaluation))


def write_stress(curves: Sequence[Curve], folder: Path) -> None:
    """Write ``stress.csv``: a row per step of a sweep and class, errors as shares of the total."""
    _write_csv(folder / "stress.csv", _stress_rows(curves))


def document(evaluation: Evaluation) -> dict[str, Any]:
    """Return everything measured, ready for ``json.dumps``; null stands for "not defined"."""
    scores = evaluation.scores
    whole = {
        "schema_version": SCHEMA_VERSION,
        "smearcount": __version__,
        "model": {
            "name": evaluation.card.name,
            "architecture": evaluation.card.architecture,
            "sha256": evaluation.card.sha256,
        },
        "data": {
            "source": evaluation.source,
            "images": len(evaluation.fields),
            "classes": evaluation.classes,
        },
        "seconds_per_image": sum(f.seconds for f in evaluation.fields) / len(evaluation.fields),
        "average_precision": scores.overall,
        "average_precision_per_class": scores.per_class,
        "precision_at_iou_50": {
            "recall": scores.recall_levels.tolist(),
            "precision": dict(zip(evaluation.classes, scores.precision_50.tolist(), strict=True)),
        },
        "allowed_error": evaluation.allowed,
        "counts": {
            name: _counting(counting, evaluation.classes)
            for name, counting in countings(evaluation).items()
        },
    }
    cleaned: dict[str, Any] = _without_nan(whole)
    return cleaned


def countings(evaluation: Evaluation) -> dict[str, Counting]:
    """Return the two ways of counting by the names that they have in the files."""
    return {"model_thresholds": evaluation.at_model, "threshold_0.5": evaluation.at_exercise}


def _counting(counting: Counting, classes: Sequence[str]) -> dict[str, Any]:
    return {
        "thresholds": dict(zip(classes, counting.thresholds, strict=True)),
        "agreement": {name: _agreement(each) for name, each in counting.agreement.items()},
        "slides_within_allowed_error": {
            name: {"slides": len(each), "within": sum(slide.within for slide in each)}
            for name, each in counting.slides.items()
        },
        "errors": {
            kind: dict(zip(classes, row.tolist(), strict=True))
            for kind, row in zip(ERROR_KINDS, counting.breakdown.errors, strict=True)
        },
        "confusion": counting.breakdown.confusion.tolist(),
    }


def _agreement(agreement: Agreement) -> dict[str, Any]:
    return {
        name: value._asdict() if isinstance(value, Estimate) else value
        for name, value in ((f.name, getattr(agreement, f.name)) for f in fields(agreement))
    }


def _agreement_rows(evaluation: Evaluation) -> Iterable[Mapping[str, Any]]:
    for way, counting in countings(evaluation).items():
        for name, agreement in counting.agreement.items():
            row: dict[str, Any] = {"counted_at": way, "class": name}
            for key, value in _agreement(agreement).items():
                if isinstance(value, dict):
                    row |= {key: value["value"]}
                    row |= {f"{key}_{end}_95": value[end] for end in ("low", "high")}
                else:
                    row[key] = value
            yield row


def _field_rows(evaluation: Evaluation) -> Iterable[Mapping[str, Any]]:
    for k, field in enumerate(evaluation.fields):
        for c, name in enumerate(evaluation.classes):
            row: dict[str, Any] = {"image": str(field.path), "slide": field.slide, "class": name}
            row["true"] = int(evaluation.at_model.true[k, c])
            for way, counting in countings(evaluation).items():
                row[way] = int(counting.found[k, c])
            yield row


def _slide_rows(evaluation: Evaluation) -> Iterable[Mapping[str, Any]]:
    for way, counting in countings(evaluation).items():
        for name, each in counting.slides.items():
            for slide in each:
                error = (slide.found - slide.true) / slide.true if slide.true else math.nan
                row = {"counted_at": way, "class": name, "slide": slide.name}
                row |= {key: value for key, value in asdict(slide).items() if key != "name"}
                yield row | {"error": error, "allowed_error": evaluation.allowed[name]}


def _stress_rows(curves: Sequence[Curve]) -> Iterable[Mapping[str, Any]]:
    for curve in curves:
        for k, name in enumerate(CLASS_NAMES):
            for row, (value, error) in enumerate(
                zip(curve.sweep.values, curve.errors(k), strict=True)
            ):
                yield {
                    "sweep": curve.sweep.field,
                    "value": value,
                    "class": name,
                    "smears": curve.true.shape[1],
                    "true": int(curve.true[row, :, k].sum()),
                    "found": int(curve.found[row, :, k].sum()),
                    "error": error.value,
                    "error_low_95": error.low,
                    "error_high_95": error.high,
                }


def _write_csv(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    table = list(rows)
    titles = list(table[0]) if table else []
    head = [titles] if table else []
    write_csv(path, [*head, *([_cell(row[title]) for title in titles] for row in table)])


def _cell(value: Any) -> Any:
    return "" if isinstance(value, float) and math.isnan(value) else value


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
