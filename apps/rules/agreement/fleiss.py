"""Fleiss' kappa: several people, not necessarily the same ones, on each example."""

import numpy as np

from apps.rules.agreement.votes import (
    DRAWS,
    NOTHING_LEFT,
    Coefficient,
    Floats,
    Ints,
    interval,
    one_answer,
    patterns,
    weights,
)
from apps.rules.sentences import sentence


def fleiss(counts: Ints, *, people: int = 0, seed: int = 0, draws: int = DRAWS) -> Coefficient:
    """Fleiss 1971 on counts (examples, labels); examples with fewer than two answers are left out.

    Where the number of answers differs, each example's agreement is that of its own pairs and the shares of the labels
    are those of all answers. With equally many it is the published formula.
    """
    kept = counts[counts.sum(axis=1) >= 2] if counts.size else counts.reshape(0, 1)
    if not len(kept):
        return Coefficient(None, people=people, reason=sentence("No example was answered by two people."))
    rows, times = patterns(kept)
    value = float(_kappa(rows, times[None].astype(float))[0])
    if not np.isfinite(value):
        return Coefficient(None, examples=len(kept), people=people, reason=one_answer(len(kept)))
    low, high = interval(_kappa(rows, weights(times, seed=seed, draws=draws)))
    return Coefficient(value, low, high, len(kept), people)


def _kappa(rows: Ints, drawn: Floats) -> Floats:
    """rows (p, labels), drawn (n, p) -> (n,)."""
    answers = rows.sum(axis=1)
    agree = ((rows**2).sum(axis=1) - answers) / (answers * (answers - 1))
    share = drawn @ agree / drawn.sum(axis=1)
    labels = drawn @ rows
    chance = ((labels / labels.sum(axis=1, keepdims=True)) ** 2).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(1 - chance > NOTHING_LEFT, (share - chance) / (1 - chance), np.nan), np.float64)
