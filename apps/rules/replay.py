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
