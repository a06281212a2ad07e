"""An evaluation on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from smearcount.evaluation.count_agreement import Estimate
from smearcount.evaluation.evaluation import CountEvaluation, Evaluation
from smearcount.evaluation.report.sentences import (
    error_sentence,
    format_number,
    format_percent,
    headline,
    robustness_sentence,
    slide_sentence,
)
from smearcount.evaluation.robustness import Curve

if TYPE_CHECKING:
    from rich.table import Table


_COUNT_COLUMNS: Final = (
    "annotated",
    "counted",
    "error",
    "bias",
    "MAE",
    "(95 %)",
    "constant guess",
    "RMSE",
    "sampling",
    "MAPE",
    "R²",
    "Lin",
    "exact",
)


def print_evaluation(evaluation: Evaluation) -> None:
    """Print the count errors at both kinds of thresholds, and average precision."""
    _print(headline(evaluation))
    _print(_count_table("Counts at the model's own thresholds", evaluation.at_model_thresholds))
    _print(
        _count_table("Counts at a score of 0.5, as in the exercise", evaluation.at_fixed_threshold)
    )
    for name, slides in evaluation.at_model_thresholds.slides.items():
        _print(slide_sentence(name, slides, evaluation.allowed[name]))
    _print(error_sentence(evaluation))
    _print(_box_table(evaluation))
    _print(
        "All keys: "
        + ", ".join(f"{k} {format_number(v, 3)}" for k, v in evaluation.scores.overall.items())
    )


def print_robustness(curves: Sequence[Curve]) -> None:
    """Print at which values of each sweep the counts are usable."""
    _print("On drawn smears the total count is off by at most 10 %:")
    for curve in curves:
        _print(robustness_sentence(curve))


def _count_table(title: str, counting: CountEvaluation) -> Table:
    table = _table(title, _COUNT_COLUMNS)
    for name, agreement in counting.agreement.items():
        table.add_row(
            name,
            f"{agreement.true_total:,}",
            f"{agreement.counted_total:,}",
            format_percent(agreement.total_error.value, sign=True),
            format_number(agreement.bias.value, sign=True),
            format_number(agreement.mae.value),
            _range(agreement.mae),
            format_number(agreement.constant_guess_mae),
            format_number(agreement.rmse.value),
            f"±{format_number(agreement.sampling_error)}",
            format_percent(agreement.mape.value),
            format_number(agreement.r_squared.value),
            format_number(agreement.concordance.value),
            format_percent(agreement.exact_share.value),
        )
    return table


def _box_table(evaluation: Evaluation) -> Table:
    keys = ("map", "map_50", "map_75", "mar_100", "mar_all")
    table = _table("Boxes", ["mAP", "AP50", "AP75", "recall of 100", "recall of all"])
    overall = {key: evaluation.scores.overall[key] for key in keys}
    for name, values in (evaluation.scores.per_class | {"All": overall}).items():
        table.add_row(name, *(format_number(values[key], 3) for key in keys))
    return table


def _table(title: str, columns: Sequence[str]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _print(what: str | Table) -> None:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=isinstance(what, str), markup=False)
    if not console.is_terminal:
        console.width = 160
    console.print(what)


def _range(estimate: Estimate) -> str:
    return f"{format_number(estimate.low)}–{format_number(estimate.high)}"
