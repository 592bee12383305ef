"""Each pair of people: on how many examples they met, how often they said the same, and Cohen's kappa of it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from apps.rules.agreement.votes import NOTHING_LEFT, Floats, Ints, Votes
from apps.rules.sentences import sentence


@dataclass(frozen=True, slots=True)
class Pair:
    """`share` is the mean likeness of their answers; `kappa` is None where undefined, and then `reason` says why.

    `low` and `high` are kappa's 95 % interval by its large-sample variance (Cohen 1960), None beside no kappa and
    where they never differed.
    """

    one: int
    other: int
    examples: int
    share: float
    kappa: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Partner:
    """One person against everybody they met: `share` over `meetings`, each an answer of somebody else to the same example."""

    meetings: int
    share: float


def vote_pairs(votes: Votes) -> tuple[Ints, Ints]:
    """Places of every two answers to the same example: (pairs,), (pairs,)."""
    left, right = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    most = int(np.bincount(votes.units, minlength=1).max())
    for step in range(1, most):
        first = np.flatnonzero(votes.units[:-step] == votes.units[step:])
        left.append(first)
        right.append(first + step)
    return np.concatenate(left), np.concatenate(right)


def pairs_of(votes: Votes, likeness: Callable[[int, int], float] | None = None) -> list[Pair]:
    """All pairs that met, by person. With a `likeness` of codes, as for spans, there is no kappa but the mean of it."""
    if not len(votes.units):
        return []
    left, right = vote_pairs(votes)
    a, b, said_a, said_b = votes.people[left], votes.people[right], votes.codes[left], votes.codes[right]
    swap = a > b
    a, b = np.where(swap, b, a), np.where(swap, a, b)
    said_a, said_b = np.where(swap, said_b, said_a), np.where(swap, said_a, said_b)
    n_people = int(votes.people.max()) + 1
    keys, pair = np.unique(a * n_people + b, return_inverse=True)
    met = np.bincount(pair, minlength=len(keys))
    share = np.bincount(pair, _alike(said_a, said_b, likeness), minlength=len(keys)) / met
    chance = _chance(pair, said_a, said_b, met, votes.n_codes) if likeness is None else np.full(len(keys), np.nan)
    return [
        _pair(int(keys[i]) // n_people, int(keys[i]) % n_people, int(met[i]), float(share[i]), float(chance[i]))
        for i in range(len(keys))
    ]


def _alike(one: Ints, other: Ints, likeness: Callable[[int, int], float] | None) -> Floats:
    if likeness is None:
        return np.asarray(one == other, np.float64)
    pairs = zip(one.tolist(), other.tolist(), strict=True)
    return np.array([1.0 if a == b else likeness(a, b) for a, b in pairs], np.float64)


def _chance(pair: Ints, said_a: Ints, said_b: Ints, met: Ints, n_codes: int) -> Floats:
    """Agreement by chance of each pair, from how often each of the two gave each label on the shared examples."""
    size = len(met) * n_codes
    given = [np.bincount(pair * n_codes + said, minlength=size).reshape(-1, n_codes) for said in (said_a, said_b)]
    return np.asarray((given[0] * given[1]).sum(axis=1) / met**2, np.float64)


def _pair(one: int, other: int, met: int, share: float, chance: float) -> Pair:
    if not np.isfinite(chance):
        return Pair(
            one,
            other,
            met,
            share,
            None,
            reason=sentence("Kappa is for one label an example; the share is the likeness."),
        )
    if 1 - chance <= NOTHING_LEFT:
        return Pair(one, other, met, share, None, reason=sentence("Both gave every shared example the same label."))
    kappa = (share - chance) / (1 - chance)
    if share in (0.0, 1.0):
        return Pair(one, other, met, share, kappa)
    half = 1.96 * float(np.sqrt(share * (1 - share) / met)) / (1 - chance)
    return Pair(one, other, met, share, kappa, max(kappa - half, -1.0), min(kappa + half, 1.0))


def partners_of(pairs: list[Pair]) -> dict[int, Partner]:
    """Each person against all they met."""
    met: dict[int, int] = {}
    alike: dict[int, float] = {}
    for pair in pairs:
        for who in (pair.one, pair.other):
            met[who] = met.get(who, 0) + pair.examples
            alike[who] = alike.get(who, 0.0) + pair.share * pair.examples
    return {who: Partner(met[who], alike[who] / met[who]) for who in met}
