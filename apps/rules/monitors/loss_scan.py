"""Whether a stream of losses (1 wrong, 0 right) rose: the newest ones, in stretches of every length, against all before them.

For each of some thirty lengths it is asked how much likelier the newest losses are with a rate of their own than with one rate
for them and all before: the reference and the stream together (generalised likelihood ratio; Siegmund and Venkatraman 1995,
limited to windows as Lai 1995). So a reference that was itself only a sample is corrected by what comes in. Longer stretches count
as often as they have places to begin (as Shiryaev and Roberts sum over them), or the many short ones would spend the budget of the
few long ones. The threshold is the one that undrifted streams, simulated with the reference's own uncertainty, pass as rarely as
is allowed.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import exp, log

import numpy as np

from apps.rules.monitors.evidence import Floats, Ints

LENGTHS = np.unique(np.round(10 * 1.25 ** np.arange(29)).astype(np.int64))  # of a stretch, in losses: 10 to 5,170
STEP = 5  # losses between two looks
STREAMS, LONGEST = 400, 10_000  # that are simulated for a threshold, and the losses of one
CLUSTERS = 0.75  # of what is allowed: where a reference is unlucky, one false alarm is followed by another
PRIOR = 1.0  # losses, and as many right answers, that the rate before a stretch begins with


@dataclass(frozen=True, slots=True)
class LossReference:
    """How many of so many answers were wrong where the model was measured. `tolerance` is what the rate may rise by."""

    wrong: int
    answers: int
    tolerance: float = 0.0


def rises(losses: Ints, reference: LossReference) -> tuple[Ints, Floats]:
    """How strongly the newest losses speak for a rise, every STEP of them: losses (..., n) -> places (k,), scores (..., k).

    A score is the logarithm of a likelihood ratio; it is 0 where no stretch is above the rate before it and the tolerance.
    """
    n = losses.shape[-1]
    places = np.arange(STEP, n + 1, STEP)
    sums = np.concatenate([np.zeros((*losses.shape[:-1], 1)), losses.cumsum(axis=-1)], axis=-1)
    best = np.zeros((*losses.shape[:-1], len(places)))
    for length in _up_to(n):
        ends = places[places >= length]
        late = best[..., len(places) - len(ends) :]
        np.maximum(late, _of_stretch(sums, ends, length, reference), out=late)
    return places, best


def _up_to(n: int) -> Ints:
    return LENGTHS[: int(np.searchsorted(LENGTHS, n, side="right"))]


def longest_stretch(losses: Ints, reference: LossReference) -> int:
    """The stretch at the end of (n,) losses that speaks most for a rise; 0 where none does."""
    ends, sums = np.array([len(losses)]), np.concatenate([[0], losses.cumsum()])
    lengths = _up_to(len(losses))
    scores = [float(_of_stretch(sums, ends, length, reference)[0]) for length in lengths]
    return int(lengths[int(np.argmax(scores))]) if scores and max(scores) > 0 else 0


def _of_stretch(sums: Floats, ends: Ints, length: int, reference: LossReference) -> Floats:
    """Of the stretches of one length that end there; so many of its losses as are tolerated do not count."""
    wrong = np.maximum(sums[..., ends] - sums[..., ends - length] - reference.tolerance * length, 0.0)
    before = reference.wrong + PRIOR + sums[..., ends - length]
    answers = reference.answers + 2 * PRIOR + ends - length
    both = (before + wrong) / (answers + length)
    apart = _likelihood(wrong, length, both) + _likelihood(before, answers, both)
    return np.where(wrong / length > before / answers, apart + log(length), 0.0)


def _likelihood(wrong: Floats, answers: Floats | int, rate: Floats) -> Floats:
    """How much likelier so many of so many are with their own rate than with another: a logarithm."""
    own = np.clip(wrong / answers, 1e-12, 1 - 1e-12)
    return np.asarray(wrong * np.log(own / rate) + (answers - wrong) * np.log((1 - own) / (1 - rate)))


def threshold(reference: LossReference, *, per_loss: float, seed: int = 0) -> float:
    """The score that undrifted streams pass `per_loss` times a loss.

    It hardly depends on the rate, so streams are simulated for a reference of about this one's rate and size, once.
    """
    tops = _tops(_about(reference), seed)
    allowed = 1 - exp(-CLUSTERS * per_loss * LONGEST)  # that a stream of LONGEST passes it at all
    known = 20 / len(tops)  # below it too few of the simulated streams pass
    if allowed >= known:
        return float(np.quantile(tops, 1 - allowed, method="higher"))
    return float(np.quantile(tops, 1 - known, method="higher")) + log(known / allowed)


def _about(reference: LossReference) -> LossReference:
    """With a rate in steps of a fifth, and a size that is a power of two, not above its own."""
    answers = 1 << (max(reference.answers, 1).bit_length() - 1)
    share = (reference.wrong + PRIOR) / (reference.answers + 2 * PRIOR)
    rate = min(share, 1 - share)
    rounded = min(float(np.exp(np.round(np.log(rate) / log(1.2)) * log(1.2))), 0.5)
    return LossReference(round(answers * (rounded if share < 0.5 else 1 - rounded)), answers, reference.tolerance)


@lru_cache(maxsize=64)
def _tops(reference: LossReference, seed: int) -> Floats:
    """The highest score of each simulated stream."""
    rng = np.random.default_rng(seed)
    a, b = reference.wrong + PRIOR, reference.answers - reference.wrong + PRIOR
    found = []
    for _ in range(STREAMS // 50):
        rates = rng.beta(a, b, size=(50, 1))
        streams = (rng.random((50, LONGEST)) < rates).astype(np.int64)
        found.append(rises(streams, reference)[1].max(axis=-1))
    return np.concatenate(found)
