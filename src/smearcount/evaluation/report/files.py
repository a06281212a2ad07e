"""An evaluation as files for programs: ``evaluation.json``, and tables as CSV."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from smearcount import __version__
from smearcount.atomic_write import write_text
from smearcount.classes import CLASS_NAMES
from smearcount.csv_writer import write_csv
from smearcount.evaluation.count_agreement import CountAgreement, Estimate
from smearcount.evaluation.error_types import ERROR_TYPES
from smearcount.evaluation.evaluation import CountEvaluation, Evaluation
from smearcount.evaluation.robustness import Curve

SCHEMA_VERSION: Final = 1
"""Raised when a key changes its meaning or is removed; new keys may come at any time."""

_AGREEMENT_KEYS: Final = {"images": "fields", "counted_total": "found_total"}
"""Names in the files of schema 1 where they differ from those of ``CountAgreement``."""

_ERROR_KEYS: Final = dict(
    zip(ERROR_TYPES, ("missed", "extra", "wrong class", "doubled", "badly placed"), strict=True)
)
"""Names of the error types in the files of schema 1."""


def write_evaluation(evaluation: Evaluation, folder: Path) -> None:
    """Write ``evaluation.json``, ``agreement.csv``, ``fields.csv`` and ``slides.csv``.

    Args:
        evaluation: the evaluation.
        folder: an existing folder; files of these names are replaced.
    """
    text = json.dumps(
        evaluation_document(evaluation), indent=2, ensure_ascii=False, allow_nan=False
    )
    write_text(folder / "evaluation.json", text + "\n")
    _write_csv(folder / "agreement.csv", _agreement_rows(evaluation))
    _write_csv(folder / "fields.csv", _field_rows(evaluation))
    _write_csv(folder / "slides.csv", _slide_rows(evaluation))


def write_robustness(curves: Sequence[Curve], folder: Path) -> None:
    """Write ``stress.csv``: a row per step of a sweep and class, errors as shares of the total."""
    _write_csv(folder / "stress.csv", _robustness_rows(curves))


def evaluation_document(evaluation: Evaluation) -> dict[str, Any]:
    """Return the whole evaluation, ready for ``json.dumps``; null stands for "not defined"."""
    scores = evaluation.scores
    document = {
        "schema_version": SCHEMA_VERSION,
        "smearcount": __version__,
        "model": {
            "name": evaluation.card.name,
            "architecture": evaluation.card.architecture,
            "sha256": evaluation.card.sha256,
        },
        "data": {
            "source": evaluation.source,
            "images": len(evaluation.images),
            "classes": evaluation.classes,
        },
        "seconds_per_image": sum(image.seconds for image in evaluation.images)
        / len(evaluation.images),
        "average_precision": scores.overall,
        "average_precision_per_class": scores.per_class,
        "precision_at_iou_50": {
            "recall": scores.recall_levels.tolist(),
            "precision": dict(zip(evaluation.classes, scores.precision_50.tolist(), strict=True)),
        },
        "allowed_error": evaluation.allowed,
        "counts": {
            name: _count_evaluation(counts, evaluation.classes)
            for name, counts in count_evaluations(evaluation).items()
        },
    }
    without_nan: dict[str, Any] = _without_nan(document)
    return without_nan


def count_evaluations(evaluation: Evaluation) -> dict[str, CountEvaluation]:
    """Return the counts at both kinds of thresholds, by their names in the files."""
    return {
        "model_thresholds": evaluation.at_model_thresholds,
        "threshold_0.5": evaluation.at_fixed_threshold,
    }


def _count_evaluation(counts: CountEvaluation, classes: Sequence[str]) -> dict[str, Any]:
    return {
        "thresholds": dict(zip(classes, counts.thresholds, strict=True)),
        "agreement": {name: _agreement(of_class) for name, of_class in counts.agreement.items()},
        "slides_within_allowed_error": {
            name: {"slides": len(slides), "within": sum(slide.within_allowed for slide in slides)}
            for name, slides in counts.slides.items()
        },
        "errors": {
            _ERROR_KEYS[error_type]: dict(zip(classes, row.tolist(), strict=True))
            for error_type, row in zip(ERROR_TYPES, counts.error_types.errors, strict=True)
        },
        "confusion": counts.error_types.confusion.tolist(),
    }


def _agreement(agreement: CountAgreement) -> dict[str, Any]:
    values = {field.name: getattr(agreement, field.name) for field in fields(agreement)}
    return {
        _AGREEMENT_KEYS.get(name, name): value._asdict() if isinstance(value, Estimate) else value
        for name, value in values.items()
    }


def _agreement_rows(evaluation: Evaluation) -> Iterable[Mapping[str, Any]]:
    for thresholds, counts in count_evaluations(evaluation).items():
        for name, agreement in counts.agreement.items():
            row: dict[str, Any] = {"counted_at": thresholds, "class": name}
            for key, value in _agreement(agreement).items():
                if isinstance(value, dict):
                    row |= {key: value["value"]}
                    row |= {f"{key}_{end}_95": value[end] for end in ("low", "high")}
                else:
                    row[key] = value
            yield row


def _field_rows(evaluation: Evaluation) -> Iterable[Mapping[str, Any]]:
    for k, image in enumerate(evaluation.images):
        for c, name in enumerate(evaluation.classes):
            row: dict[str, Any] = {"image": str(image.path), "slide": image.slide, "class": name}
            row["true"] = int(evaluation.at_model_thresholds.true[k, c])
            for thresholds, counts in count_evaluations(evaluation).items():
                row[thresholds] = int(counts.counted[k, c])
            yield row


def _slide_rows(evaluation: Evaluation) -> Iterable[Mapping[str, Any]]:
    for thresholds, counts in count_evaluations(evaluation).items():
        for name, slides in counts.slides.items():
            for slide in slides:
                error = (slide.counted - slide.true) / slide.true if slide.true else math.nan
                yield {
                    "counted_at": thresholds,
                    "class": name,
                    "slide": slide.name,
                    "fields": slide.images,
                    "true": slide.true,
                    "found": slide.counted,
                    "within": slide.within_allowed,
                    "error": error,
                    "allowed_error": evaluation.allowed[name],
                }


def _robustness_rows(curves: Sequence[Curve]) -> Iterable[Mapping[str, Any]]:
    for curve in curves:
        for k, name in enumerate(CLASS_NAMES):
            for row, (value, error) in enumerate(
                zip(curve.sweep.values, curve.errors(k), strict=True)
            ):
                yield {
                    "sweep": curve.sweep.parameter,
                    "value": value,
                    "class": name,
                    "smears": curve.true.shape[1],
                    "true": int(curve.true[row, :, k].sum()),
                    "found": int(curve.counted[row, :, k].sum()),
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
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
