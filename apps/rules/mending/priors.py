"""Label shift: how much more frequent each label is in the window, from what a model answered there.

Black box shift estimation (Lipton, Wang and Smola 2018): the window's answers are the confusion of the holdout, its labels
weighed. Solved without negative weights, and drawn towards 1 where the holdout is small (Azizzadenesheli et al. 2019).
"""

import numpy as np

from apps.rules.mending.density import LEAST_WEIGHT, MOST_WEIGHT
from apps.rules.monitors.evidence import Floats

CHANCE = 0.01  # that a mix as it was is taken for another one
LEAST_ANSWERS = 50  # of the holdout and of the window
PULL = 0.3  # of the least error on simulated shifts with holdouts of 60 and 400


def prior_weights(confusion: Floats, answered: Floats) -> Floats | None:
    """(k, k) counts of the holdout, rows the truth and columns the answer, and (k,) answers of the window -> (k,), by truth.
    None where there are too few, or the mix could be as it was."""
    from scipy.optimize import nnls
    from scipy.stats import chi2_contingency

    n, m = confusion.sum(), answered.sum()
    if min(n, m) < LEAST_ANSWERS:
        return None
    mixes = np.stack([confusion.sum(axis=0), answered])
    mixes = mixes[:, mixes.sum(axis=0) > 0]
    if mixes.shape[1] < 2 or chi2_contingency(mixes).pvalue >= CHANCE:
        return None
    together = (confusion / n).T  # answer by truth
    pull = PULL / np.sqrt(min(n, m))
    rows = np.concatenate([together, pull * np.eye(len(together))])
    found, _ = nnls(rows, np.concatenate([answered / m, np.full(len(together), pull)]))
    known = confusion.sum(axis=1) > 0
    found = np.where(known, found, 1.0)
    return np.asarray(np.clip(found, LEAST_WEIGHT, MOST_WEIGHT))
