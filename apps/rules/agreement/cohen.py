"""Cohen's kappa: two people on the examples that both answered."""

from collections.abc import Sequence

import numpy as np

from apps.rules.agreement.votes import DRAWS, NOTHING_LEFT, Coefficient, Floats, interval, one_answer, weights
from apps.rules.sentences import sentence


def cohen(one: Sequence[int | None], other: Sequence[int | None], *, seed: int = 0, draws: int = DRAWS) -> Coefficient:
    """Cohen 1960, with a bootstrap interval over the examples. None is a missing answer.

    >>> cohen([0] * 20 + [0] * 5 + [1] * 10 + [1] * 15, [0] * 20 + [1] * 5 + [0] * 10 + [1] * 15).value
    0.4
    """
    if len(one) != len(other):
        raise ValueError("Two people agree or not on the same examples only.")
    both = [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None]
    if not both:
        return Coefficient(None, reason=sentence("They have no example in common."))
    k = 1 + max(max(pair) for pair in both)
    cells = np.zeros((k, k), np.int64)
    np.add.at(cells, tuple(np.array(both).T), 1)
    value = float(kappa(cells[None].astype(float))[0])
    if not np.isfinite(value):
        return Coefficient(None, examples=len(both), people=2, reason=one_answer(len(both)))
    drawn = weights(cells.ravel(), seed=seed, draws=draws).reshape(draws, k, k)
    low, high = interval(kappa(drawn))
    return Coefficient(round(value, 12), low, high, len(both), 2)


def kappa(cells: Floats) -> Floats:
    """Of tables (n, k, k) -> (n,); NaN where chance alone would agree always."""
    total = cells.sum(axis=(1, 2))
    share = np.trace(cells, axis1=1, axis2=2) / total
    chance = (cells.sum(axis=2) * cells.sum(axis=1)).sum(axis=1) / total**2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(1 - chance > NOTHING_LEFT, (share - chance) / (1 - chance), np.nan), np.float64)
