"""An evaluation as the sections of a page: plain sentences first, then figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from smearcount.classes import class_color
from smearcount.evaluation.count_agreement import CountAgreement, Estimate
from smearcount.evaluation.evaluation import CountEvaluation, Evaluation
from smearcount.evaluation.report import figures
from smearcount.evaluation.report.html import as_html, embedded, table
from smearcount.evaluation.report.sentences import (
    class_sentences,
    error_sentence,
    figure,
    headline,
    percent,
    robustness_sentence,
    slide_sentence,
    terms,
)
from smearcount.evaluation.report.worst_images import WorstImage
from smearcount.evaluation.robustness import USABLE_ERROR, Curve

MAX_SLIDE_ROWS: Final = 40
"""More slides than this are not listed on the page; ``slides.csv`` has them all."""

_AGREEMENT_ROWS: Final = (
    "annotated, all images",
    "counted, all images",
    "bias",
    "MAE",
    "MAE of the constant guess",
    "RMSE",
    "sampling error",
    "MAPE",
    "exact counts",
    "R²",
    "Lin's ρ<sub>c</sub>",
    "lower limit of agreement",
    "upper limit of agreement",
    "Deming slope",
    "Deming intercept",
)


def evaluation_sections(evaluation: Evaluation, worst: Sequence[WorstImage]) -> list[str]:
    """Return the sections of a page on an evaluation.

    Args:
        evaluation: what was measured.
        worst: the images to show.
    """
    return [
        _summary(evaluation),
        _counts(evaluation),
        _slides(evaluation),
        _errors(evaluation, worst),
        _boxes(evaluation),
        _method(evaluation),
    ]


def robustness_section(model: str, curves: Sequence[Curve]) -> str:
    """Return the section of a page on drawn smears.

    Args:
        model: the name of the model.
        curves: what was counted along each sweep.
    """
    sentences = "".join(f"<li>{as_html(robustness_sentence(curve))}</li>" for curve in curves)
    return "\n".join(
        [
            f"<h2>Where {as_html(model)} breaks</h2>",
            f"<p>{int(sum(len(c.true) * c.true.shape[1] for c in curves)):,} drawn smears, of "
            "which every cell is known, get harder in one respect at a time. The total count is "
            f"off by at most {as_html(percent(USABLE_ERROR))} here:</p><ul>{sentences}</ul>",
            embedded(
                figures.robustness_figure(curves),
                "error of the total count along each sweep",
                "Error of the total count against what gets harder; shaded in colour: 95 % "
                "intervals over the drawn smears; grey: ±10 %; errors beyond ±60 % lie on the "
                "rim. Drawn smears are not photographs: part of an error may come from the "
                "drawing, and what works here need not work there; the curves tell what the "
                "counter is sensitive to.",
            ),
        ]
    )


def _summary(evaluation: Evaluation) -> str:
    cards = []
    for k, name in enumerate(evaluation.classes):
        sentences = class_sentences(name, evaluation.at_model_thresholds.agreement[name])
        lines = "".join(f"<p>{as_html(each)}</p>" for each in sentences)
        cards.append(
            f'<div class="card" style="--colour: {class_color(k + 1)}">'
            f"<h3>{as_html(name)}</h3>{lines}</div>"
        )
    return (
        f"<h1>How well does {as_html(evaluation.card.name)} count?</h1>\n"
        f'<p class="lead">{as_html(headline(evaluation))}</p>\n'
        f'<div class="cards">{"".join(cards)}</div>'
    )


def _counts(evaluation: Evaluation) -> str:
    parts = [
        "<h2>Counted against annotated</h2>",
        embedded(
            figures.scatter_figure(evaluation),
            "counted against annotated cells per image, by class",
            "Each point is one image and one class; on the grey line the count is right, above it "
            "too many were counted, below it too few.",
        ),
        embedded(
            figures.bland_altman_figure(evaluation),
            "Bland-Altman plots, one per class",
            "Bland-Altman plots: the error of each image against the number of cells. The solid "
            "line is the mean error (bias); 95 % of images are expected between the dashed lines, "
            "the limits of agreement. Shaded: 95 % intervals.",
        ),
        embedded(
            figures.noise_figure(evaluation),
            "error of counting beside sampling error, by class",
            "Two reasons why a count is not the truth about the blood: the counter errs, and the "
            "field holds a chance sample of the cells. Where the light bar is the longer one, "
            "photograph more fields; a better counter would not help.",
        ),
        "<p><small>Small grey figures are 95 % intervals; the terms are explained below.</small>"
        "</p>",
        _agreement_table("At the model's own thresholds", evaluation.at_model_thresholds),
        "<details><summary>The same at a score of 0.5, as in the exercise</summary>",
        _agreement_table("At a score of 0.5", evaluation.at_fixed_threshold),
        "</details>",
    ]
    return "\n".join(parts)


def _agreement_table(title: str, counting: CountEvaluation) -> str:
    columns = [_agreement_cells(each) for each in counting.agreement.values()]
    rows = [[name, *cells] for name, *cells in zip(_AGREEMENT_ROWS, *columns, strict=True)]
    head = ["per image", *map(as_html, counting.agreement)]
    return f"<div><h3>{as_html(title)}</h3>{table(head, rows)}</div>"


def _agreement_cells(agreement: CountAgreement) -> list[str]:
    """Return the cells of one class, in the order of the rows."""

    def plain(estimate: Estimate, sign: bool = False) -> str:
        value, low, high = (figure(each, sign=sign) for each in estimate)
        return f"{value}<small>{low} … {high}</small>"

    def share(estimate: Estimate) -> str:
        value, low, high = (percent(each) for each in estimate)
        return f"{value}<small>{low} … {high}</small>"

    return [
        f"{agreement.true_total:,}",
        f"{agreement.counted_total:,}<small>{percent(agreement.total_error.value, True)}</small>",
        plain(agreement.bias, sign=True),
        plain(agreement.mae),
        figure(agreement.constant_guess_mae),
        plain(agreement.rmse),
        f"±{figure(agreement.sampling_error)}",
        share(agreement.mape),
        share(agreement.exact_share),
        plain(agreement.r_squared),
        plain(agreement.concordance),
        plain(agreement.limit_low, sign=True),
        plain(agreement.limit_high, sign=True),
        plain(agreement.slope),
        plain(agreement.intercept, sign=True),
    ]


def _slides(evaluation: Evaluation) -> str:
    every = evaluation.at_model_thresholds.slides
    sentences = "".join(
        f"<li>{as_html(slide_sentence(name, each, evaluation.allowed[name]))}</li>"
        for name, each in every.items()
    )
    names = {slide.name: slide for each in every.values() for slide in each}
    listed = ""
    if 1 < len(names) <= MAX_SLIDE_ROWS:
        rows = []
        for name, of in names.items():
            slide = {kind: next(s for s in each if s.name == name) for kind, each in every.items()}
            cells = [
                f"{s.counted:,} of {s.true:,} {'✓' if s.within_allowed else '✗'}"
                for s in slide.values()
            ]
            rows.append([as_html(name), f"{of.images:,}", *cells])
        listed = table(["Slide", "images", *map(as_html, every)], rows)
    return (
        "<h2>Slides</h2><p>Fields that belong together, summed, and judged by the error that "
        "United States law allows laboratories in proficiency testing (42 CFR 493.941), unless "
        f"other limits were set.</p><ul>{sentences}</ul>{listed}"
    )


def _errors(evaluation: Evaluation, worst: Sequence[WorstImage]) -> str:
    parts = [
        "<h2>Where the errors come from</h2>",
        f"<p>{as_html(error_sentence(evaluation))}</p>",
        '<div class="pair">',
        embedded(
            figures.error_figure(evaluation),
            "number of errors of each kind, by class",
            "Missed: a marked cell without a detection. Extra: a detection without a cell. "
            "Doubled: a cell counted once more. Badly placed: a box that fits its cell poorly, "
            "which leaves the count right.",
        ),
        embedded(
            figures.confusion_figure(evaluation),
            "confusion matrix",
            "Rows: what a cell is; columns: what it was counted as.",
        ),
        "</div>",
    ]
    if worst:
        parts.append(
            "<h3>The images with the most errors</h3><p>Left: the marked cells, those that were "
            "missed in thick lines. Right: what was counted, extra ones in thick lines.</p>"
        )
    for each in worst:
        name = each.field.path.name
        caption = f"{name}: {each.missed} missed, {each.extra} extra."
        parts.append(embedded(each.picture, f"{name}, truth and prediction", caption))
    return "\n".join(parts)


def _boxes(evaluation: Evaluation) -> str:
    scores = evaluation.scores
    head = ("Class", "mAP", "AP50", "AP75", "recall (all)", "recall (100)")
    keys = ("map", "map_50", "map_75", "mar_all", "mar_100")
    rows = [
        [as_html(name), *(figure(of[key], 3) for key in keys)]
        for name, of in scores.per_class.items()
    ]
    rows.append(["All", *(figure(scores.overall[key], 3) for key in keys)])
    others = ", ".join(
        f"{key} {figure(value, 3)}" for key, value in scores.overall.items() if key not in keys
    )
    return "\n".join(
        [
            "<h2>Boxes, whatever the threshold</h2>",
            embedded(
                figures.precision_recall_figure(evaluation),
                "precision-recall curves by class",
                "Precision against recall at an overlap (IoU) of 0.5.",
            ),
            table(head, rows),
            f"<p><small>Further: {as_html(others)}. Every detection counts; map_capped and mar_100 "
            "look at 100 per image and class, as COCO does. Small is under 32², large over 96² "
            "pixels.</small></p>",
        ]
    )


def _method(evaluation: Evaluation) -> str:
    listed = "".join(
        f"<dt>{as_html(k)}</dt><dd>{as_html(v)}</dd>" for k, v in terms(evaluation).items()
    )
    return f"<h2>How this was measured</h2><dl>{listed}</dl>"
