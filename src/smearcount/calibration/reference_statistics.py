"""Fit what the training pictures look like: the limits of every quality flag, kept in the card."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.calibration.corruptions import blurred
from smearcount.classes import RBC
from smearcount.datasets.read import Dataset
from smearcount.detections.boxes import area, diameter
from smearcount.detector.reference_statistics import ReferenceStatistics, quadratic_terms
from smearcount.image.read import open_image
from smearcount.quality.measures import Measures, center_crop, measure

BLURS_RBC: Final = (0.03, 0.03, 0.045, 0.07, 0.12)
"""Blurs to learn from: the standard deviation in red-cell diameters (0.03 is 3 px of 100)."""

NOISES: Final = (0.0, 2.0, 1.0, 2.0, 2.0)
"""Camera noise laid over each of them, in grey levels, so that noise does not pass for detail."""

KINDS: Final = 16
"""Kinds of pictures told apart in the training data."""

_KEPT: Final = 0.995
"""Share of the training pictures that each limit leaves without a flag."""

_WITHOUT_CELLS_PX: Final = 90.0


def fit_scene(dataset: Dataset, seed: int = 0) -> ReferenceStatistics:
    """Fit the scene on the pictures that a model was trained on.

    Args:
        dataset: with its RBC boxes, whose size is the ruler.
        seed: of noise and clustering.

    Returns:
        what goes into ``card.reference_statistics``.
    """
    rng = np.random.default_rng(seed)
    clean: list[Measures] = []
    soft: list[Measures] = []
    covered: list[float] = []
    diameters: list[float] = []
    rbc = dataset.classes.index(RBC) + 1
    for annotated in dataset.images:
        image = open_image(annotated.path)
        boxes = annotated.boxes_xyxy_px.astype(np.float32)
        cells = boxes[annotated.labels == rbc]
        rbc_px = float(np.median(diameter(cells))) if len(cells) else _WITHOUT_CELLS_PX
        diameters.append(rbc_px)
        covered.append(float(area(boxes).sum()) / (image.width * image.height))
        clean.append(measure(center_crop(image, rbc_px)))
        chosen = int(rng.integers(len(BLURS_RBC)))
        for k in {0, chosen}:
            worse = blurred(image.pixels(), BLURS_RBC[k] * rbc_px, NOISES[k], rng)
            soft.append(measure(center_crop(open_image(worse), rbc_px)))
    focus = np.stack([m.focus for m in clean])
    mean, deviation = focus.mean(axis=0), focus.std(axis=0) + 1e-6
    softened = np.stack([m.focus for m in soft])
    weights = _focus_weights((focus - mean) / deviation, (softened - mean) / deviation)
    centres, whitening, distances = _kinds(np.stack([m.appearance for m in clean]), seed)
    return ReferenceStatistics(
        focus_mean=_row(mean, 4),
        focus_std=_row(deviation, 4),
        focus_weights=_row(weights, 4),
        cluster_centers=tuple(_row(centre, 2) for centre in centres),
        whitening=tuple(_row(line, 5) for line in whitening),
        ood_threshold=round(float(np.quantile(distances, _KEPT)) * 1.1, 3),
        min_background=round(min(m.background for m in clean) * 0.95, 1),
        max_saturated_share=round(max(0.1, *(1.5 * m.saturated_share for m in clean)), 3),
        coverage_range=(
            round(float(np.quantile(covered, 0.001)), 4),
            round(float(np.quantile(covered, 0.999)), 4),
        ),
        about={
            "images": len(clean),
            "source": dataset.source,
            "rbc_px": [round(min(diameters), 1), round(max(diameters), 1)],
        },
    )


def _focus_weights(sharp: NDArray[np.float64], soft: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weights of the focus terms, the constant set by what sharp pictures reach."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    terms = quadratic_terms(np.concatenate([sharp, soft]))[:, :-1]
    is_soft = np.arange(len(terms)) >= len(sharp)
    model = LogisticRegression(C=1.0, max_iter=5000, class_weight="balanced")
    # Each picture is judged by a model that has not seen it, so the limit is not too optimistic.
    judged = cross_val_predict(model, terms, is_soft, cv=5, method="decision_function")
    limit = np.quantile(judged[: len(sharp)], _KEPT)
    fitted = model.fit(terms, is_soft)
    return np.append(fitted.coef_[0], fitted.intercept_[0] - max(limit, 0.0))


def _kinds(
    looks: NDArray[np.float64], seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return centres, the whitening matrix and the distance of each picture to its centre."""
    from sklearn.cluster import KMeans
    from sklearn.covariance import LedoitWolf

    deviation = looks.std(axis=0) + 1e-6
    kinds = min(KINDS, max(1, len(looks) // 8))
    clusters = KMeans(kinds, n_init=4, random_state=seed).fit(looks / deviation)
    centres = clusters.cluster_centers_ * deviation
    within = looks - centres[clusters.labels_]
    covariance = LedoitWolf(assume_centered=True).fit(within / deviation).covariance_
    values, vectors = np.linalg.eigh(covariance)
    whitening = (vectors / np.sqrt(values)) / deviation[:, None]
    offsets = (looks[:, None] - centres[None]) @ whitening
    return centres, whitening, np.sqrt(np.square(offsets).sum(axis=2)).min(axis=1)


def _row(values: NDArray[np.float64], digits: int) -> tuple[float, ...]:
    return tuple(float(value) for value in np.round(values, digits))
