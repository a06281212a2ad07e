"""Fit the reference statistics of the training images: the limits of every quality flag."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from smearcount.calibration.corruptions import blur
from smearcount.classes import RBC
from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.detections.boxes import area, diameter
from smearcount.detector.reference_statistics import ReferenceStatistics, quadratic_terms
from smearcount.image.read import open_image
from smearcount.quality.measures import Measures, center_crop, measure

BLUR_SIGMAS_RBC: Final = (0.03, 0.03, 0.045, 0.07, 0.12)
"""Blurs to learn from: the standard deviation in red-cell diameters (0.03 is 3 px of 100)."""

BLUR_NOISES: Final = (0.0, 2.0, 1.0, 2.0, 2.0)
"""Camera noise added to each of them, in gray levels, so that noise is not taken for detail."""

MAX_CLUSTERS: Final = 16
"""Clusters of similar images that are distinguished in the training data, at most."""

MIN_IMAGES: Final = 20
"""Fewer images do not tell what usual images look like."""

_UNFLAGGED_SHARE: Final = 0.995
"""Share of the training images that each limit leaves without a flag."""

_DEFAULT_RBC_PX: Final = 90.0
"""Diameter of a red cell assumed in an image without any."""


def fit_reference_statistics(dataset: Dataset, seed: int = 0) -> ReferenceStatistics:
    """Fit the reference statistics on the images that a model was trained on.

    Args:
        dataset: with its RBC boxes, whose size gives the magnification.
        seed: of noise and clustering.

    Returns:
        what goes into ``card.reference_statistics``.

    Raises:
        ImageError: an image cannot be read.
    """
    rng = np.random.default_rng(seed)
    sharp: list[Measures] = []
    blurred: list[Measures] = []
    covered: list[float] = []
    diameters: list[float] = []
    for annotated in dataset.images:
        image = open_image(annotated.path)
        boxes = annotated.boxes_xyxy_px.astype(np.float32)
        rbc_px = median_rbc_px(annotated, dataset)
        diameters.append(rbc_px)
        covered.append(float(area(boxes).sum()) / (image.width * image.height))
        sharp.append(measure(center_crop(image, rbc_px)))
        chosen = int(rng.integers(len(BLUR_SIGMAS_RBC)))
        for k in {0, chosen}:
            pixels = blur(image.pixels(), BLUR_SIGMAS_RBC[k] * rbc_px, BLUR_NOISES[k], rng)
            blurred.append(measure(center_crop(open_image(pixels), rbc_px)))
    focus = np.stack([m.focus for m in sharp])
    mean, deviation = focus.mean(axis=0), focus.std(axis=0) + 1e-6
    blurred_focus = np.stack([m.focus for m in blurred])
    weights = _focus_weights((focus - mean) / deviation, (blurred_focus - mean) / deviation)
    centers, whitening, distances = _clusters(np.stack([m.appearance for m in sharp]), seed)
    return ReferenceStatistics(
        focus_mean=_row(mean, 4),
        focus_std=_row(deviation, 4),
        focus_weights=_row(weights, 4),
        cluster_centers=tuple(_row(center, 2) for center in centers),
        whitening=tuple(_row(line, 5) for line in whitening),
        ood_threshold=round(float(np.quantile(distances, _UNFLAGGED_SHARE)) * 1.1, 3),
        min_background=round(min(m.background for m in sharp) * 0.95, 1),
        max_saturated_share=round(max(0.1, *(1.5 * m.saturated_share for m in sharp)), 3),
        coverage_range=(
            round(float(np.quantile(covered, 0.001)), 4),
            round(float(np.quantile(covered, 0.999)), 4),
        ),
        about={
            "images": len(sharp),
            "source": dataset.source,
            "rbc_px": [round(min(diameters), 1), round(max(diameters), 1)],
        },
    )


def median_rbc_px(annotated: AnnotatedImage, dataset: Dataset) -> float:
    """Return the median diameter in pixels of the annotated red cells, 90 where there is none."""
    boxes = annotated.boxes_xyxy_px[annotated.labels == dataset.classes.index(RBC) + 1]
    diameters = diameter(boxes.astype(np.float32))
    return float(np.median(diameters)) if len(diameters) else _DEFAULT_RBC_PX


def _focus_weights(sharp: NDArray[np.float64], blurred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weights of the focus terms, their constant set by what sharp images reach."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    terms = quadratic_terms(np.concatenate([sharp, blurred]))[:, :-1]
    is_blurred = np.arange(len(terms)) >= len(sharp)
    model = LogisticRegression(C=1.0, max_iter=5000, class_weight="balanced")
    # Each image is scored by a model not fitted on it, so that the limit is not too optimistic.
    scores = cross_val_predict(model, terms, is_blurred, cv=5, method="decision_function")
    limit = np.quantile(scores[: len(sharp)], _UNFLAGGED_SHARE)
    fitted = model.fit(terms, is_blurred)
    return np.append(fitted.coef_[0], fitted.intercept_[0] - max(limit, 0.0))


def _clusters(
    appearances: NDArray[np.float64], seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return centers, the whitening matrix and the distance of each image to its center."""
    from sklearn.cluster import KMeans
    from sklearn.covariance import LedoitWolf

    deviation = appearances.std(axis=0) + 1e-6
    n_clusters = min(MAX_CLUSTERS, max(1, len(appearances) // 8))
    clusters = KMeans(n_clusters, n_init=4, random_state=seed).fit(appearances / deviation)
    centers = clusters.cluster_centers_ * deviation
    residuals = appearances - centers[clusters.labels_]
    covariance = LedoitWolf(assume_centered=True).fit(residuals / deviation).covariance_
    values, vectors = np.linalg.eigh(covariance)
    whitening = (vectors / np.sqrt(values)) / deviation[:, None]
    offsets = (appearances[:, None] - centers[None]) @ whitening
    return centers, whitening, np.sqrt(np.square(offsets).sum(axis=2)).min(axis=1)


def _row(values: NDArray[np.float64], digits: int) -> tuple[float, ...]:
    return tuple(float(value) for value in np.round(values, digits))
