"""Krippendorff's alpha: any number of people, missing answers, and any distance between two answers."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from apps.rules.agreement.pairwise import vote_pairs
from apps.rules.agreement.votes import (
    DRAWS,
    NOTHING_LEFT,
    Coefficient,
    Floats,
    Ints,
    Votes,
    interval,
    one_answer,
    patterns,
    weights,
)
from apps.rules.sentences import sentence

CHANCE_PAIRS = 4000  # pairs of answers of different examples from which chance is estimated where all are too many


def alpha(votes: Votes, *, seed: int = 0, draws: int = DRAWS) -> Coefficient:
    """Nominal: two answers are the same or not (Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability")."""
    if why := votes.why_none():
        return Coefficient(None, people=votes.n_people, reason=why)
    shared = votes.shared()
    return _alpha_of(shared.counts(), shared.n_people, seed=seed, draws=draws)


def alpha_per_label(votes: Votes, *, seed: int = 0, draws: int = DRAWS) -> list[Coefficient]:
    """Each label against the rest: one coefficient a code, in their order."""
    shared = votes.shared()
    given = shared.counts().T if len(shared.units) else np.zeros((votes.n_codes, 0), np.int64)
    return [_one_label(each, votes, shared, seed, draws) for each in given]


def alpha_per_part(votes: Votes, has: NDArray[np.bool_], *, seed: int = 0, draws: int = DRAWS) -> list[Coefficient]:
    """For answers of many parts: whether they agree that a label is in it. has (codes, labels) -> one a label."""
    shared = votes.shared()
    said = has[shared.codes]
    return [_one_label(np.bincount(shared.units, each).astype(np.int64), votes, shared, seed, draws) for each in said.T]


def _one_label(given: Ints, votes: Votes, shared: Votes, seed: int, draws: int) -> Coefficient:
    """given (examples,): how many answers to each shared example have the label."""
    n, people = len(given), shared.n_people
    if not n:
        return Coefficient(None, people=votes.n_people, reason=votes.why_none())
    if not given.any():
        return Coefficient(
            None, examples=n, people=people, reason=sentence("Nobody gave this label to a shared example.")
        )
    answers = np.bincount(shared.units)
    if (given == answers).all():
        return Coefficient(
            None, examples=n, people=people, reason=sentence("Every answer to a shared example has this label.")
        )
    return _alpha_of(np.stack([given, answers - given], axis=1).astype(np.int64), people, seed=seed, draws=draws)


def _alpha_of(counts: Ints, people: int, *, seed: int, draws: int) -> Coefficient:
    rows, times = patterns(counts)
    value = float(_nominal(rows, times[None].astype(float))[0])
    if not np.isfinite(value):
        return Coefficient(None, examples=len(counts), people=people, reason=one_answer(len(counts)))
    low, high = interval(_nominal(rows, weights(times, seed=seed, draws=draws)))
    return Coefficient(value, low, high, len(counts), people)


def _nominal(rows: Ints, drawn: Floats) -> Floats:
    """1 - observed / expected disagreement, for rows (p, labels) weighed by drawn (n, p) -> (n,)."""
    answers = rows.sum(axis=1)
    apart = (answers**2 - (rows**2).sum(axis=1)) / (answers - 1)
    total, labels = drawn @ answers, drawn @ rows
    observed = drawn @ apart / total
    expected = (total**2 - (labels**2).sum(axis=1)) / (total * (total - 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(expected > NOTHING_LEFT, 1 - observed / expected, np.nan), np.float64)


def alpha_by(votes: Votes, distance: Callable[[int, int], float], *, seed: int = 0, draws: int = DRAWS) -> Coefficient:
    """For any distance between two codes, 0 for the same and symmetric, as 1 - similarity of spans or boxes.

    Chance is what two answers of the whole project differ by. Spans and boxes of different examples hardly ever coincide,
    so there alpha is close to the plain agreement within the examples. All pairs up to CHANCE_PAIRS, else a seeded draw.
    """
    if why := votes.why_none():
        return Coefficient(None, people=votes.n_people, reason=why)
    shared = votes.shared()
    n, v = shared.n_units, len(shared.units)
    times = np.bincount(shared.units, minlength=n)
    known: dict[tuple[int, int], float] = {}
    left, right = vote_pairs(shared)
    within = _distances(shared.codes[left], shared.codes[right], distance, known)
    apart = np.bincount(shared.units[left], 2 * within, minlength=n) / (times - 1)
    one, other = _chance_pairs(v, seed)
    between = _distances(shared.codes[one], shared.codes[other], distance, known)
    found = _general(np.ones((1, n)), apart, times, shared.units[one], shared.units[other], between)
    value = float(found[0])
    if not np.isfinite(value):
        return Coefficient(None, examples=n, people=shared.n_people, reason=one_answer(n))
    drawn = _general(_drawn(n, seed, draws), apart, times, shared.units[one], shared.units[other], between)
    low, high = interval(drawn)
    return Coefficient(value, low, high, n, shared.n_people)


def _general(drawn: Floats, apart: Floats, times: Ints, one: Ints, other: Ints, between: Floats) -> Floats:
    """drawn (n, examples), apart and times (examples,), the chance pairs' examples and distances (pairs,) -> (n,)."""
    observed = drawn @ apart / (drawn @ times)
    weight = drawn[:, one] * drawn[:, other]
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = weight @ between / weight.sum(axis=1)
        return np.asarray(np.where(expected > NOTHING_LEFT, 1 - observed / expected, np.nan), np.float64)


def _drawn(n: int, seed: int, draws: int) -> Floats:
    places = np.random.default_rng(seed).integers(0, n, (draws, n)) + np.arange(draws)[:, None] * n
    return np.bincount(places.ravel(), minlength=draws * n).reshape(draws, n).astype(np.float64)


def _chance_pairs(v: int, seed: int) -> tuple[Ints, Ints]:
    """Two different answers at a time: every pair, or CHANCE_PAIRS of them."""
    if v * (v - 1) // 2 <= CHANCE_PAIRS:
        one, other = np.triu_indices(v, 1)
        return one.astype(np.int64), other.astype(np.int64)
    rng = np.random.default_rng(seed)
    one = rng.integers(0, v, CHANCE_PAIRS)
    return one, (one + rng.integers(1, v, CHANCE_PAIRS)) % v


def _distances(
    one: Ints, other: Ints, distance: Callable[[int, int], float], known: dict[tuple[int, int], float]
) -> Floats:
    """Each different pair of codes is asked once."""

    def of(a: int, b: int) -> float:
        pair = (min(a, b), max(a, b))
        if pair not in known:
            known[pair] = 0.0 if a == b else float(distance(*pair))
        return known[pair]

    return np.array([of(a, b) for a, b in zip(one.tolist(), other.tolist(), strict=True)], np.float64)
