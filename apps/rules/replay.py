"""Which old rows an incremental run sees again, so that it does not forget them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def choose(old_targets: Sequence[int] | NDArray[np.int64], size: int, seed: int) -> NDArray[np.int64]:
    """Sorted indices of at most `size` old rows, as many of each class as it has, evenly: (n,) -> (min(n, size),).

    Classes take turns, each giving a random row of its own, until the places are full.
    """
    targets = np.asarray(old_targets, dtype=np.int64)
    order = np.random.default_rng(seed).permutation(len(targets))
    by_class = order[np.argsort(targets[order], kind="stable")]
    _, first, counts = np.unique(targets[by_class], return_index=True, return_counts=True)
    turn = np.arange(len(targets)) - np.repeat(first, counts)
    place = np.argsort(order)[by_class]  # random order among rows of the same turn
    return np.sort(by_class[np.lexsort((place, turn))][: max(size, 0)])


def drawn(weights: NDArray[np.float64], size: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Sorted indices of at most `size` old rows by weight (n,), and the weight that each still needs in the loss.

    A row comes with a chance in proportion to its weight, at most once; what the draw has given it the loss does not give again, so
    that sums over the drawn rows are those over all (Horvitz and Thompson 1952; Madow 1949 draws them in one pass).
    """
    weights = np.asarray(weights, np.float64)
    size = min(max(size, 0), len(weights))
    if not size:
        return np.zeros(0, np.int64), np.zeros(0)
    chance = np.ones(len(weights))
    for _ in range(len(weights)):  # whose chance would pass 1 comes for sure; the others share what is left
        open_ones = chance < 1 if (chance < 1).any() else np.ones(len(weights), bool)
        left = size - (~open_ones).sum()
        chance[open_ones] = weights[open_ones] * max(left, 0) / max(weights[open_ones].sum(), 1e-12)
        if not (chance > 1).any():
            break
        chance = np.minimum(chance, 1)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(weights))
    ends = np.cumsum(chance[order])
    marks = np.arange(round(ends[-1])) + rng.uniform()
    taken = np.unique(order[np.searchsorted(ends, marks[marks < ends[-1]], side="right")])
    return taken, weights[taken] / chance[taken]
