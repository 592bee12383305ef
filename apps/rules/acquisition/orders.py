"""The order of a shortlist, one small function a strategy: (candidates, labeled, wanted, batch, seed) -> places (wanted,).

Every prefix of `batch` places should be a good batch, since the rest is chosen anew once the model is.
"""

import numpy as np
from numpy.typing import NDArray

from apps.rules.acquisition import clusters, diversity, gradients, typical
from apps.rules.acquisition.candidates import Candidates, LabeledVectors
from apps.rules.acquisition.geometry import usable
from apps.rules.acquisition.windows import in_windows

Floats = NDArray[np.floating]
Places = NDArray[np.intp]
# Batches of the least certain that an order looks at. Farthest-first runs after outliers from 10 on; for clusters, 20 was
# the best of 10, 15, 20 and 40 (both on train rows of four sets, tests/bench/efficiency.py).
SPREAD_OVER = 5
KINDS_AMONG = 20


def by_priority(candidates: Candidates, labeled: LabeledVectors, wanted: int, batch: int, seed: int) -> Places:
    """As the shortlist stands: best first."""
    return np.arange(min(wanted, len(candidates)))


def spread(candidates: Candidates, labeled: LabeledVectors, wanted: int, batch: int, seed: int) -> Places:
    """Farthest first within the least certain, from the least certain one on, a batch at a time."""
    vectors = _vectors(candidates)
    return in_windows(
        len(candidates),
        wanted,
        batch,
        SPREAD_OVER,
        lambda window, n: window[diversity.farthest_first(vectors[window], n)],
    )


def one_of_each_kind(candidates: Candidates, labeled: LabeledVectors, wanted: int, batch: int, seed: int) -> Places:
    """Clusters the least certain, as many as a batch has places, and takes the one in the middle of each.

    k-means weighted by the square of the doubt (Zhdanov 2019 weights by the doubt), the cluster with the most first.
    Outliers pull little and are the middle of nothing, so density is heeded without a threshold.
    """
    vectors, there = usable(_vectors(candidates))
    weights = np.nan_to_num(candidates.priority, neginf=0.0).clip(0) ** 2

    def middles(window: Places, n: int) -> Places:
        window = window[there[window]]
        return window[clusters.middles(vectors[window], weights[window], n, seed)]

    return in_windows(len(candidates), wanted, batch, KINDS_AMONG, middles)


def uncovered(candidates: Candidates, labeled: LabeledVectors, wanted: int, batch: int, seed: int) -> Places:
    """TypiClust (Hacohen et al. 2022): the most typical example of each cluster that has no label yet, big ones first."""
    return typical.typical_first(_vectors(candidates), labeled.vectors, wanted, batch, seed)


def away_from_labeled(candidates: Candidates, labeled: LabeledVectors, wanted: int, batch: int, seed: int) -> Places:
    """Core-set (Sener and Savarese 2018): k-center greedy that starts from what is labeled."""
    return diversity.farthest_first(_vectors(candidates), wanted, among=labeled.vectors)


def by_gradient(candidates: Candidates, labeled: LabeledVectors, wanted: int, batch: int, seed: int) -> Places:
    """BADGE (Ash et al. 2020): k-means++ over the gradients that the last layer would get from the model's own guess."""
    assert candidates.probabilities is not None
    return gradients.spread_of_gradients(candidates.probabilities, _vectors(candidates), wanted, seed)


def in_class_turns(candidates: Candidates, labeled: LabeledVectors, wanted: int, batch: int, seed: int) -> Places:
    """The best of each predicted class, then the second of each: equal shares, the class with the fewest labels first."""
    if candidates.probabilities is None:
        return by_priority(candidates, labeled, wanted, batch, seed)
    guessed = np.nan_to_num(candidates.probabilities, nan=-1.0).argmax(axis=1)
    counts = np.bincount(labeled.classes[labeled.classes >= 0], minlength=candidates.probabilities.shape[1])
    by_class = np.argsort(guessed, kind="stable")
    starts = np.searchsorted(guessed[by_class], guessed[by_class])
    turn = np.empty(len(candidates), np.intp)
    turn[by_class] = np.arange(len(candidates)) - starts
    unscored = ~np.isfinite(candidates.priority)
    return np.lexsort((np.arange(len(candidates)), guessed, counts[guessed], turn, unscored))[:wanted]


def _vectors(candidates: Candidates) -> Floats:
    if candidates.vectors is None:
        raise ValueError("This strategy compares examples, and their vectors are missing.")
    return candidates.vectors
