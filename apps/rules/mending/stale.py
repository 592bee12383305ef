"""Concept drift: which old rows lie where the model has become wrong, so that their labels teach what holds no longer."""

import numpy as np
from numpy.typing import NDArray

from apps.rules.mending.density import LEAST_WEIGHT
from apps.rules.monitors.evidence import Floats

Bools = NDArray[np.bool_]
CHANCE = 0.01  # that a part where it is as good as ever is taken for one where it is not
LEAST_PART = 8  # new labels of a part
DEPTH = 3  # of the tree that cuts the parts
KEPT = 20  # rows of each label that stay, the newest, whatever the slice says


def wrong_parts(new: Floats, wrong: Bools, old: Floats, *, usual: float, seed: int) -> Bools:
    """Old rows (n,) that lie in a part of the space in which surely more new labels contradict the model than usual.

    A small tree cuts the new rows (m, d) by whether the model is `wrong` (m,); a binomial test says it of each part, all taken into
    account. `usual` is the share of wrong answers that the model was measured with.
    """
    from scipy.stats import binomtest
    from sklearn.tree import DecisionTreeClassifier

    if len(new) < LEAST_PART or not len(old) or not wrong.any():
        return np.zeros(len(old), bool)
    if wrong.all():
        parts, places = np.zeros(len(new), int), np.zeros(len(old), int)
    else:
        least = max(LEAST_PART, len(new) // 10)
        tree = DecisionTreeClassifier(max_depth=DEPTH, min_samples_leaf=least, random_state=seed % 2**32).fit(
            new, wrong
        )
        parts, places = tree.apply(new), tree.apply(old)
    names = np.unique(parts)
    shown = {int(name): wrong[parts == name] for name in names}
    bad = [
        name
        for name, each in shown.items()
        if binomtest(int(each.sum()), len(each), min(max(usual, 0.01), 0.99), "greater").pvalue < CHANCE / len(names)
    ]
    return np.asarray(np.isin(places, bad))


def stale_rows(inside: Bools, ratio: Floats | None, targets: NDArray[np.int64], fresh: NDArray[np.int64]) -> Bools:
    """(n,) which of the old rows, oldest first, are dropped: those `inside` the slice that can come in the window, by their
    density `ratio` (None where all can). Of each label so many stay that, with its `fresh` ones (m,), KEPT are there."""
    dropped = inside if ratio is None else inside & (ratio >= LEAST_WEIGHT)
    dropped = dropped.copy()
    for target in np.unique(targets):
        mine = np.flatnonzero(targets == target)
        short = KEPT - int((fresh == target).sum()) - int((~dropped[mine]).sum())
        if short > 0:
            again = mine[dropped[mine]][::-1][:short]
            dropped[again] = False
    return dropped
