"""Where to begin: the examples that stand for many others (TypiClust, Hacohen, Dekel and Weinshall 2022)."""

import numpy as np
from numpy.typing import NDArray

from apps.rules.acquisition.clusters import k_means
from apps.rules.acquisition.geometry import slices, squared_lengths, usable

Floats = NDArray[np.floating]
Places = NDArray[np.intp]
NEIGHBORS = 20  # as in the paper
MOST_CLUSTERS = 500  # as in the paper: more would split what belongs together
FAR = 1e-5  # keeps the inverse of a distance of zero finite, as in the paper's code


def typical_first(vectors: Floats, labeled: Floats, wanted: int, batch: int, seed: int) -> Places:
    """The most typical example of each cluster without a label, the biggest first, then the second of each, and so on.

    vectors (m, dim), labeled (l, dim) -> places (wanted,). There are as many clusters as labels after this batch.
    Rows of zeros or NaN come last.
    """
    vectors, there = usable(vectors)
    places = np.flatnonzero(there)
    covering = usable(labeled)[0] if len(labeled) else vectors[:0]
    both = np.concatenate([vectors[places], covering])
    _, home = k_means(both, min(len(covering) + batch, MOST_CLUSTERS), seed=seed)
    here = home[: len(places)]
    sizes = np.bincount(home, minlength=int(home.max(initial=0)) + 1)
    covered = np.bincount(home[len(places) :], minlength=len(sizes))
    turn = np.zeros(len(places), np.intp)
    for cluster in np.unique(here):
        members = np.flatnonzero(here == cluster)
        density = typicality(both[members], NEIGHBORS)
        turn[members[np.argsort(-density, kind="stable")]] = np.arange(len(members))
    order = np.lexsort((here, -sizes[here], turn + covered[here]))
    return np.concatenate([places[order], np.flatnonzero(~there)])[:wanted]


def typicality(vectors: Floats, neighbors: int) -> Floats:
    """One over the mean distance to the nearest `neighbors` others: (m, dim) -> (m,)."""
    k = min(neighbors, len(vectors) - 1)
    if k < 1:
        return np.ones(len(vectors))
    lengths = squared_lengths(vectors)
    found = np.empty(len(vectors))
    for rows in slices(len(vectors), 1024):
        gaps = lengths[rows, None] + lengths[None, :] - 2 * (vectors[rows] @ vectors.T)
        nearest = np.partition(gaps, k, axis=1)[:, : k + 1]  # the row itself is one of them, at 0
        found[rows] = np.sqrt(nearest.clip(0)).sum(axis=1) / k
    return np.asarray(1 / (found + FAR))
