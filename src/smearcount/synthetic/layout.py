"""Place the cells of a smear: push them apart until they only touch, except those that overlap.

Lengths are in diameters of the average red cell, so that one layout serves every magnification.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""Centers, shape (n, 2), x and y."""

Radii = NDArray[np.float64]
"""Radii, shape (n,)."""

_GAP = 1.03
_SWEEPS = 60


def spread_red_cells(
    rng: np.random.Generator,
    radii: Radii,
    size: tuple[float, float],
    overlap: float,
    obstacles: Points,
    obstacle_radii: Radii,
) -> Points:
    """Place the red cells on a field that reaches one diameter beyond the picture.

    Args:
        rng: draws the places.
        radii: of the cells.
        size: width and height of the picture.
        overlap: the share of the cells that lie partly over a neighbor, in [0, 1].
        obstacles: centers of the white cells, which push red cells aside but do not move.
        obstacle_radii: their radii.

    Returns:
        the centers, in the order of ``radii``.
    """
    n = len(radii)
    low, high = np.full(2, -1.0), np.asarray(size) + 1
    points = rng.uniform(low, high, (n, 2))
    host, depth = _hosts(rng, n, overlap)
    riders = np.flatnonzero(host >= 0)
    for i in riders:  # in order, so that a chain grows from its first cell
        turn = rng.uniform(0, 2 * np.pi)
        reach = depth[i] * (radii[i] + radii[host[i]])
        points[i] = points[host[i]] + reach * np.array([np.cos(turn), np.sin(turn)])

    everyone = np.concatenate([radii, obstacle_radii])
    mobile = np.arange(len(everyone)) < n
    for _ in range(_SWEEPS):
        places = np.concatenate([points, obstacles])
        push = np.zeros_like(places)
        for first, second in _neighbors(places, 2 * _GAP * everyone.max(initial=0)):
            _repel(push, places, first, second, everyone, mobile, host)
        if len(riders):
            _tether(push, places, riders, host[riders], depth[riders], everyone)
        points = np.clip(points + push[:n], low, high)
    return points


def place_apart(
    rng: np.random.Generator,
    radius: float,
    low: Points,
    high: Points,
    others: Points,
    other_radii: Radii,
) -> Points:
    """Return a free place for one more cell, shape (2,), or the least crowded of 60 places.

    Args:
        rng: draws the places that are tried.
        radius: of the cell.
        low: least x and y of its center, shape (2,).
        high: greatest x and y of its center, shape (2,).
        others: centers of the cells that are there already.
        other_radii: their radii.
    """
    tries = rng.uniform(low, high, (60, 2))
    away = np.hypot(*(tries[:, None] - others[None]).transpose(2, 0, 1)) - other_radii
    room = away.min(axis=1, initial=np.inf) - 1.15 * radius
    return np.asarray(tries[np.argmax(np.minimum(room, 0))])


def _hosts(
    rng: np.random.Generator, n: int, overlap: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Choose on which earlier cell each cell lies (-1: on none), and at what share of the reach.

    No cell has more than two partners, so they form the pairs and short rouleaux of real smears.
    """
    host = np.full(n, -1)
    partners = np.zeros(n, dtype=np.int64)
    riders = n - round(overlap * n)
    for i in range(max(riders, 1), n):
        free = np.flatnonzero(partners[:i] < 2)
        host[i] = free[rng.integers(len(free))]
        partners[[i, host[i]]] += 1
    return host, rng.uniform(0.5, 0.85, n)


def _neighbors(
    points: Points, reach: float
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield index arrays of pairs, each pair once, nearer to each other than ``reach`` or so."""
    row = np.floor(points[:, 1] / reach).astype(np.int64)
    order = np.lexsort((points[:, 0], row))
    starts = np.flatnonzero(np.diff(row[order], prepend=row[order[:1]] - 1))
    strips = np.split(order, starts[1:])
    for k, strip in enumerate(strips):
        below = k + 1 < len(strips) and row[strips[k + 1][0]] == row[strip[0]] + 1
        pool = np.concatenate([strip, strips[k + 1]]) if below else strip
        near = np.abs(points[strip, None] - points[None, pool]).max(axis=2) < reach
        near &= np.arange(len(pool)) > np.arange(len(strip))[:, None]
        i, j = np.nonzero(near)
        yield strip[i], pool[j]


def _repel(
    push: Points,
    points: Points,
    i: NDArray[np.int64],
    j: NDArray[np.int64],
    radii: Radii,
    mobile: NDArray[np.bool_],
    host: NDArray[np.int64],
) -> None:
    """Add to ``push`` the moves that part each pair i, j, unless one shall lie on the other."""
    free = mobile[i] | mobile[j]
    partner = np.append(host, np.full(len(radii) - len(host), -1))
    free &= (partner[i] != j) & (partner[j] != i)
    i, j = i[free], j[free]
    apart = points[i] - points[j]
    distance = np.maximum(np.hypot(apart[:, 0], apart[:, 1]), 1e-6)
    short = np.maximum(_GAP * (radii[i] + radii[j]) - distance, 0)
    step = (0.5 * short / distance)[:, None] * apart
    np.add.at(push, i, np.where(mobile[j], 1, 2)[:, None] * step)
    np.add.at(push, j, -np.where(mobile[i], 1, 2)[:, None] * step)


def _tether(
    push: Points,
    points: Points,
    rider: NDArray[np.int64],
    host: NDArray[np.int64],
    depth: NDArray[np.float64],
    radii: Radii,
) -> None:
    """Add to ``push`` the moves that keep each rider at its depth over its host."""
    apart = points[rider] - points[host]
    distance = np.maximum(np.hypot(apart[:, 0], apart[:, 1]), 1e-6)
    short = depth * (radii[rider] + radii[host]) - distance
    step = (0.5 * short / distance)[:, None] * apart
    np.add.at(push, rider, step)
    np.add.at(push, host, -step)
