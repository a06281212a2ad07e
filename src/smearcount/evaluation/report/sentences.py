"""The results of an evaluation in sentences, for the person who will use the counts."""

from __future__ import annotations

import math
from collections.abc import Sequence

from smearcount.classes import CLASS_NAMES
from smearcount.evaluation.count_agreement import CountAgreement, Estimate, SlideCount
from smearcount.evaluation.error_types import ERROR_TYPES
from smearcount.evaluation.evaluation import Evaluation
from smearcount.evaluation.robustness import USABLE_ERROR, Curve
from smearcount.formatting import pluralize


def headline(evaluation: Evaluation) -> str:
    """Return what was counted, in one sentence."""
    images = len(evaluation.images)
    cells = int(evaluation.at_model_thresholds.true.sum())
    return (
        f"The counter {evaluation.card.name} counted {pluralize(images, 'image')} of "
        f"{evaluation.source}, on which people had marked {cells:,} cells."
    )


def class_sentences(name: str, agreement: CountAgreement) -> list[str]:
    """Return how well one class is counted, most important first.

    Args:
        name: of the class.
        agreement: of its counts.
    """
    if not agreement.true_total:
        counted = (
            f"but {agreement.counted_total:,} were" if agreement.counted_total else "and none was"
        )
        return [f"No {name} is marked, {counted} counted."]
    mean = agreement.true_total / agreement.images
    sentences = [
        f"An image holds {mean:.1f} {name} on average, and its count is off by "
        f"{agreement.mae.value:.2f} (95 % interval {_interval(agreement.mae)}); "
        f"{format_percent(agreement.exact_share.value)} of the counts are exact.",
        f"Over all images {agreement.counted_total:,} were counted instead of "
        f"{agreement.true_total:,}: {_total_error(agreement.total_error)}.",
    ]
    guess, mae = agreement.constant_guess_mae, agreement.mae.value
    if guess == 0:
        sentences.append("Every image holds the same number, so a constant guess is never wrong.")
    elif mae < guess:
        sentences.append(
            f"Always guessing the mean would be off by {guess:.2f}"
            + (f", {guess / mae:.1f} times as much." if mae else ".")
        )
    else:
        sentences.append(
            f"Always guessing the mean would be off by {guess:.2f}, no more than the counter: "
            "on such images its count tells nothing new."
        )
    sampling, rmse = agreement.sampling_error, agreement.rmse.value
    relation = "more" if sampling > rmse else "less"
    sentences.append(
        f"By chance alone, a neighboring field of the same blood would hold about "
        f"{sampling:.1f} more or fewer; that is {relation} than the error of counting "
        f"(RMSE {rmse:.1f})."
    )
    return sentences


def slide_sentence(name: str, slides: list[SlideCount], allowed: float) -> str:
    """Return how many slides are counted within the allowed error."""
    within = sum(slide.within_allowed for slide in slides)
    return (
        f"{name}: {within} of {pluralize(len(slides), 'slide')} counted within "
        f"±{format_percent(allowed)} of the marked cells."
    )


def error_sentence(evaluation: Evaluation) -> str:
    """Return how many errors of each type were made."""
    sums = evaluation.at_model_thresholds.error_types.errors.sum(axis=1)
    if not sums.any():
        return "Not a single error was made."
    parts = [f"{n:,} {name}" for name, n in zip(ERROR_TYPES, sums.tolist(), strict=True) if n]
    listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    annotated = int(evaluation.at_model_thresholds.true.sum())
    return f"Errors by type: {listed}, on {annotated:,} annotated cells."


def robustness_sentence(curve: Curve) -> str:
    """Return at which values of a sweep the count of each class is usable."""
    parts = []
    for k, name in enumerate(CLASS_NAMES):
        usable = [abs(error.value) <= USABLE_ERROR for error in curve.errors(k)]
        parts.append(f"{name} {_usable_values(usable, curve.sweep.values)}")
    return f"{curve.sweep.title}: {'; '.join(parts)}."


def format_percent(share: float, sign: bool = False) -> str:
    """Return a share as a percentage with a sensible number of digits, ``–`` for NaN."""
    if math.isnan(share):
        return "–"
    value = 100 * share
    digits = 0 if value == round(value) or abs(value) >= 20 else 1
    return f"{format_number(value, digits, sign)} %"


def format_number(value: float, digits: int = 2, sign: bool = False) -> str:
    """Return a number as text, ``–`` for NaN."""
    if math.isnan(value):
        return "–"
    value = round(value, digits) + 0.0  # never -0
    text = f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
    return text.replace("-", "−")


def _interval(estimate: Estimate) -> str:
    return f"{format_number(estimate.low)} to {format_number(estimate.high)}"


def _usable_values(usable: Sequence[bool], values: Sequence[float]) -> str:
    """Return the values that are usable, neighboring ones as a range."""
    if all(usable):
        return "at every step"
    ranges: list[tuple[float, float]] = []
    in_range = False
    for is_usable, value in zip(usable, values, strict=True):
        if is_usable and in_range:
            ranges[-1] = (ranges[-1][0], value)
        elif is_usable:
            ranges.append((value, value))
        in_range = is_usable
    if not ranges:
        return "at no step"
    return "at " + ", ".join(f"{a:g}" if a == b else f"{a:g} to {b:g}" for a, b in ranges)


def _total_error(error: Estimate) -> str:
    low, high = format_percent(error.low, sign=True), format_percent(error.high, sign=True)
    interval = f"(95 % interval {low} to {high})"
    if error.value == 0:
        return f"exactly right {interval}"
    direction = "many" if error.value > 0 else "few"
    return f"{format_percent(abs(error.value))} too {direction} {interval}"


def explained_terms(evaluation: Evaluation) -> dict[str, str]:
    """Return how an evaluation was made and what its terms mean, by term."""
    card = evaluation.card
    thresholds = ", ".join(
        f"{name} {value:.2f}" for name, value in zip(card.classes, card.thresholds, strict=True)
    )
    seconds = sum(image.seconds for image in evaluation.images) / len(evaluation.images)
    return {
        "Model": f"{card.name} ({card.architecture}), SHA-256 {card.sha256}; counts from a score "
        f"of {thresholds}. It took {seconds:.3f} s per image on this computer.",
        "Intervals": "95 %, bootstrap over images (2,000 draws, percentiles).",
        "Bias, MAE, RMSE": "mean, mean absolute and root mean squared error of the count of an "
        "image, in cells.",
        "MAPE": "mean absolute error as a share of the true count, over images that have such a "
        "cell.",
        "R²": "the share of the true counts' variance that the counts explain; 0 is what always "
        "guessing the mean reaches.",
        "Lin's ρc": "concordance correlation (Lin 1989): 1 where every count is right.",
        "Limits of agreement": "bias ± 1.96 standard deviations of the errors (Bland and Altman "
        "1986).",
        "Deming regression": "counted on annotated, both taken to be equally uncertain: slope 1 "
        "and intercept 0 are ideal. It means little where the count hardly varies.",
        "Sampling error": "√n (Poisson), averaged over the images: how much a count varies from "
        "field to field of the same blood.",
        "Same cell": "boxes of one class that overlap by at least half (IoU 0.5), one to one.",
    }
