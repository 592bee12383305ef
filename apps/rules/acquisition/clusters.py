"""k-means in numpy, small and seeded: enough to say which examples are of a kind."""

import math

import numpy as np
from numpy.typing import NDArray

from apps.rules.acquisition.geometry import SAME, squared_lengths

Floats = NDArray[np.floating]
Places = NDArray[np.intp]
FLAT = 128  # clusters made in one go; more are made within the square root of as many groups, 10 times as fast
ROUNDS = 10  # the order of a batch no longer moves after about as many (measured on four sets)


def k_means(vectors: Floats, k: int, *, weights: Floats | None = None, seed: int) -> tuple[Floats, Places]:
    """Centers (at most k, dim) and the center of each row (m,), from a k-means++ start (Arthur, Vassilvitskii 2007).

    `weights` (m,), at least 0, say how strongly a row pulls. Fewer centers come back where fewer rows differ.
    """
    if not len(vectors) or k < 1:
        return vectors[:0], np.zeros(len(vectors), np.intp)
    weights = np.ones(len(vectors), vectors.dtype) if weights is None else weights.astype(vectors.dtype)
    if not weights.sum() > 0:
        weights = np.ones_like(weights)
    if k > FLAT:
        return _within_groups(vectors, k, weights, seed)
    centers = vectors[spread_start(vectors, k, weights, np.random.default_rng(seed))]
    home = home_of(vectors, centers)
    for _ in range(ROUNDS):
        centers = _means(vectors, weights, home, centers)
        moved = home_of(vectors, centers)
        if (moved == home).all():
            break
        home = moved
    return centers, home


def _within_groups(vectors: Floats, k: int, weights: Floats, seed: int) -> tuple[Floats, Places]:
    """Groups first, then clusters in each, as many as its weight deserves."""
    _, group_of = k_means(vectors, math.isqrt(k), weights=weights, seed=seed)
    heaps, sizes = np.bincount(group_of, weights=weights), np.bincount(group_of)
    centers, home = [np.empty((0, vectors.shape[1]), vectors.dtype)], np.zeros(len(vectors), np.intp)
    for group, share in enumerate(shares(np.asarray(heaps), sizes, k)):
        rows = np.flatnonzero(group_of == group)
        clusters = max(int(share), 1) if len(sizes) > 1 else FLAT  # one group is no smaller than the whole: stop there
        found, home_in_group = k_means(vectors[rows], clusters, weights=weights[rows], seed=seed)
        home[rows] = home_in_group + sum(map(len, centers))
        centers.append(found)
    return np.concatenate(centers), home


def spread_start(vectors: Floats, k: int, weights: Floats, rng: np.random.Generator) -> Places:
    """Up to k places, each drawn with a chance of weight times squared distance to those drawn before."""
    lengths = squared_lengths(vectors)
    nearest = np.ones(len(vectors), vectors.dtype)
    drawn: list[int] = []
    while len(drawn) < min(k, len(vectors)):
        place = draw(weights * nearest, rng)
        if place is None:
            break
        drawn.append(place)
        gap = lengths - 2 * (vectors @ vectors[place]) + lengths[place]
        gap[gap < SAME] = 0
        nearest = gap if len(drawn) == 1 else np.minimum(nearest, gap)
        nearest[place] = 0
    return np.asarray(drawn, np.intp)


def draw(chances: Floats, rng: np.random.Generator) -> int | None:
    """One place with a chance proportional to its value; None where all are zero."""
    heap = np.cumsum(chances, dtype=np.float64)
    if not len(heap) or not heap[-1] > 0:
        return None
    return min(int(np.searchsorted(heap, rng.random() * heap[-1], side="right")), len(heap) - 1)


def home_of(vectors: Floats, centers: Floats) -> Places:
    """The nearest center of each row: (m, dim), (k, dim) -> (m,). Equal ones go to the first."""
    table = vectors @ centers.T
    table *= -2
    table += squared_lengths(centers)
    return np.asarray(table.argmin(axis=1))


def _means(vectors: Floats, weights: Floats, home: Places, centers: Floats) -> Floats:
    """Weighted mean of each center's rows; a center without any stays where it is."""
    order = np.argsort(home, kind="stable")
    starts = np.flatnonzero(np.diff(home[order], prepend=-1))
    sums = np.add.reduceat(vectors[order] * weights[order, None], starts, axis=0)
    totals = np.add.reduceat(weights[order], starts)
    moved = centers.copy()
    some = totals > 0
    moved[home[order][starts][some]] = sums[some] / totals[some, None]
    return moved


def middles(vectors: Floats, weights: Floats, k: int, seed: int) -> Places:
    """The row in the middle of each of k weighted clusters, the heaviest cluster first: (m, dim) -> (at most k,)."""
    centers, home = k_means(vectors, k, weights=weights, seed=seed)
    if not len(centers):
        return np.empty(0, np.intp)
    gaps = squared_lengths(centers)[home] - 2 * np.einsum("md,md->m", vectors, centers[home]) + squared_lengths(vectors)
    nearest = np.lexsort((gaps, home))
    inhabited, first = np.unique(home[nearest], return_index=True)
    heaps = np.bincount(home, weights=weights, minlength=len(centers))[inhabited]
    return np.asarray(nearest[first][np.argsort(-heaps, kind="stable")])


def shares(weights: Floats, most: Places, total: int) -> Places:
    """`total` divided over groups in proportion to weight, no group above its `most`: (g,), (g,) -> (g,) integers."""
    weights = np.where(weights.sum() > 0, weights, 1.0)
    exact = total * weights / weights.sum()
    share = np.minimum(np.floor(exact), most)
    order = np.argsort(share - exact, kind="stable")  # the largest remainder first
    for group in order:
        share[group] += min(total - share.sum(), 1, most[group] - share[group])
    return np.asarray(share, dtype=np.intp)
