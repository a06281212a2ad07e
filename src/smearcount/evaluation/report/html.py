"""An evaluation as one self-contained HTML page: plain sentences first, then figures and tables."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from PIL.Image import Image as PILImage

from smearcount import __version__
from smearcount.classes import class_color
from smearcount.evaluation.count_agreement import CountAgreement, Estimate
from smearcount.evaluation.evaluation import CountEvaluation, Evaluation
from smearcount.evaluation.report import figures
from smearcount.evaluation.report.sentences import (
    class_sentences,
    error_sentence,
    explained_terms,
    format_number,
    format_percent,
    headline,
    robustness_sentence,
    slide_sentence,
)
from smearcount.evaluation.report.worst_images import WorstImage
from smearcount.evaluation.robustness import USABLE_ERROR, Curve

if TYPE_CHECKING:
    from jinja2 import Template
    from matplotlib.figure import Figure

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
    "Lin's ρc",
    "lower limit of agreement",
    "upper limit of agreement",
    "Deming slope",
    "Deming intercept",
)


@dataclass(frozen=True)
class Cell:
    """A cell of a table: its text, and smaller text below it."""

    text: str
    small: str = ""


@dataclass(frozen=True)
class Picture:
    """A picture inside the page.

    Attributes:
        source: a ``data:`` address that holds it.
        alt: what it shows, for readers who cannot see it.
        caption: the text below it.
    """

    source: str
    alt: str
    caption: str


def html_page(
    model: str,
    evaluation: Evaluation | None = None,
    worst: Sequence[WorstImage] = (),
    curves: Sequence[Curve] = (),
) -> str:
    """Return an evaluation as a whole HTML page, its pictures inside.

    Args:
        model: the name of the model.
        evaluation: on annotated images; None leaves that part out.
        worst: the images with the most errors.
        curves: the counts of drawn smears; empty leaves that part out.
    """
    return _template().render(
        version=__version__,
        model=model,
        evaluation=_evaluation_values(evaluation, worst) if evaluation else None,
        robustness=_robustness_values(curves) if curves else None,
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("smearcount.evaluation.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # A percent sign stays on the line of its number.
    environment.filters["units"] = lambda text: text.replace(" %", "\N{NO-BREAK SPACE}%")
    return environment.get_template("page.html")


def _evaluation_values(evaluation: Evaluation, worst: Sequence[WorstImage]) -> dict[str, Any]:
    """Return the variables of ``evaluation.html``."""
    scores = evaluation.scores
    keys = ("map", "map_50", "map_75", "mar_all", "mar_100")
    agreement = evaluation.at_model_thresholds.agreement
    slide_head, slide_rows = _slide_table(evaluation)
    return {
        "headline": headline(evaluation),
        "cards": [
            {
                "name": name,
                "color": class_color(name, label),
                "sentences": class_sentences(name, agreement[name]),
            }
            for label, name in enumerate(evaluation.classes, start=1)
        ],
        **_pictures(evaluation),
        "agreement_head": ["per image", *agreement],
        "at_model_thresholds": _agreement_rows(evaluation.at_model_thresholds),
        "at_fixed_threshold": _agreement_rows(evaluation.at_fixed_threshold),
        "slide_sentences": [
            slide_sentence(name, slides, evaluation.allowed[name])
            for name, slides in evaluation.at_model_thresholds.slides.items()
        ],
        "slide_head": slide_head,
        "slide_rows": slide_rows,
        "error_sentence": error_sentence(evaluation),
        "worst_images": [_worst_picture(image) for image in worst],
        "box_head": ["Class", "mAP", "AP50", "AP75", "recall (all)", "recall (100)"],
        "box_rows": [
            [Cell(name), *(Cell(format_number(values[key], 3)) for key in keys)]
            for name, values in (scores.per_class | {"All": scores.overall}).items()
        ],
        "other_scores": ", ".join(
            f"{key} {format_number(value, 3)}"
            for key, value in scores.overall.items()
            if key not in keys
        ),
        "terms": explained_terms(evaluation),
    }


def _robustness_values(curves: Sequence[Curve]) -> dict[str, Any]:
    """Return the variables of ``robustness.html``."""
    return {
        "smears": f"{sum(len(curve.true) * curve.true.shape[1] for curve in curves):,}",
        "usable_error": format_percent(USABLE_ERROR),
        "sentences": [robustness_sentence(curve) for curve in curves],
        "curves": _picture(
            figures.robustness_figure(curves),
            "error of the total count along each sweep",
            "Error of the total count against what gets harder; shaded in color: 95 % "
            "intervals over the drawn smears; gray: ±10 %; errors beyond ±60 % are drawn at the "
            "edge. Drawn smears are not photographs: part of an error may come from the "
            "drawing, and what works here need not work there; the curves tell what the "
            "counter is sensitive to.",
        ),
    }


def _pictures(evaluation: Evaluation) -> dict[str, Picture]:
    return {
        "scatter": _picture(
            figures.scatter_figure(evaluation),
            "counted against annotated cells per image, by class",
            "Each point is one image and one class; on the gray line of equality the count is "
            "exact, above it too many were counted, below it too few. Equal points are moved apart "
            "along that line.",
        ),
        "bland_altman": _picture(
            figures.bland_altman_figure(evaluation),
            "Bland-Altman plots, one per class",
            "Bland-Altman plots: the error of each image against the number of cells. The solid "
            "line is the mean error (bias), the gray one the line of equality; 95 % of images are "
            "expected between the dashed lines, the limits of agreement. Shaded: 95 % intervals.",
        ),
        "sampling": _picture(
            figures.sampling_figure(evaluation),
            "error of counting beside sampling error, by class",
            "Two reasons why a count is not the truth about the blood: the counter errs, and the "
            "field holds a random sample of the cells. Where the light bar is the longer one, "
            "photograph more fields; a better counter would not help.",
        ),
        "error_types": _picture(
            figures.error_figure(evaluation),
            "number of errors of each type, by class",
            "Missed: an annotated cell without a detection. Background: a detection where no cell "
            "is. Classification: a cell found as another class. Duplicate: a cell counted once "
            "more. Localization: a box that fits its cell poorly, which leaves the count right.",
        ),
        "confusion": _picture(
            figures.confusion_figure(evaluation),
            "confusion matrix",
            "Rows: the true class; columns: the class that was counted.",
        ),
        "precision_recall": _picture(
            figures.precision_recall_figure(evaluation),
            "precision-recall curves by class",
            "Precision against recall at an IoU of 0.5.",
        ),
    }


def _worst_picture(image: WorstImage) -> Picture:
    name = image.image.path.name
    caption = f"{name}: {image.missed} missed, {image.extra} extra."
    return _picture(image.picture, f"{name}, ground truth and detections", caption)


def _agreement_rows(counts: CountEvaluation) -> list[list[Cell]]:
    """Return a row per statistic, a column per class."""
    columns = [_agreement_column(agreement) for agreement in counts.agreement.values()]
    return [[Cell(title), *cells] for title, *cells in zip(_AGREEMENT_ROWS, *columns, strict=True)]


def _agreement_column(agreement: CountAgreement) -> list[Cell]:
    """Return the cells of one class, in the order of the rows."""

    def cells(estimate: Estimate, sign: bool = False) -> Cell:
        value, low, high = (format_number(number, sign=sign) for number in estimate)
        return Cell(value, f"{low} … {high}")

    def percent(estimate: Estimate) -> Cell:
        value, low, high = (format_percent(share) for share in estimate)
        return Cell(value, f"{low} … {high}")

    total_error = format_percent(agreement.total_error.value, sign=True)
    return [
        Cell(f"{agreement.true_total:,}"),
        Cell(f"{agreement.counted_total:,}", total_error),
        cells(agreement.bias, sign=True),
        cells(agreement.mae),
        Cell(format_number(agreement.constant_guess_mae)),
        cells(agreement.rmse),
        Cell(f"±{format_number(agreement.sampling_error)}"),
        percent(agreement.mape),
        percent(agreement.exact_share),
        cells(agreement.r_squared),
        cells(agreement.concordance),
        cells(agreement.limit_low, sign=True),
        cells(agreement.limit_high, sign=True),
        cells(agreement.slope),
        cells(agreement.intercept, sign=True),
    ]


def _slide_table(evaluation: Evaluation) -> tuple[list[str], list[list[Cell]]]:
    """Return titles and rows of the slides; no row where there is one slide or too many."""
    by_class = evaluation.at_model_thresholds.slides
    images = {slide.name: slide.images for slides in by_class.values() for slide in slides}
    head = ["Slide", "images", *by_class]
    if not 1 < len(images) <= MAX_SLIDE_ROWS:
        return head, []
    rows = []
    for name, n_images in images.items():
        row = [Cell(name), Cell(f"{n_images:,}")]
        for slides in by_class.values():
            slide = next(slide for slide in slides if slide.name == name)
            mark = "✓" if slide.within_allowed else "✗"
            row.append(Cell(f"{slide.counted:,} of {slide.true:,} {mark}"))
        rows.append(row)
    return head, rows


def _picture(drawn: Figure | PILImage, alt: str, caption: str) -> Picture:
    """Return a figure (as PNG) or a photograph (as JPEG) as part of the page itself."""
    stream = io.BytesIO()
    if isinstance(drawn, PILImage):
        drawn.save(stream, "JPEG", quality=85)
        kind = "jpeg"
    else:
        drawn.savefig(stream, format="png")
        kind = "png"
    data = base64.b64encode(stream.getvalue()).decode("ascii")
    return Picture(f"data:image/{kind};base64,{data}", alt, caption)
