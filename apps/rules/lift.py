"""What active learning saves against labeling at random, measured on the same holdout rows, with an interval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.rules.sentences import sentence, term
from apps.rules.words import MINUS, count, percent

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

DRAWS = 1000
LEVEL = 0.95
LEAST_ROWS = 30  # below it a 95 % interval of an accuracy is wider than 30 points
LEAST_POINTS = 3  # two points draw a line whatever the truth is
EARLY = 0.2  # where a random lane that has learned nothing since counts as at its ceiling
ROOM = 0.02  # less than what a gate lets pass unnoticed: a gain that may still come is not worth a promise
UNSEEN = 3.0  # rule of three: what never happened on h rows may happen 3 in h times


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """k models of one lane, ordered by labels (k,); right (k, rows) says which holdout rows each of them answers right.

    The rows are the same for every point of every curve that is compared. Raises ValueError where shapes do not fit or
    the labels do not rise.
    """

    labels: Ints
    right: Bools

    def __post_init__(self) -> None:
        if self.right.ndim != 2 or len(self.labels) != len(self.right):
            raise ValueError("A curve has one row of answers for each count of labels.")
        if np.any(np.diff(self.labels) <= 0) or (len(self.labels) and self.labels[0] < 0):
            raise ValueError("The labels of a curve rise from point to point.")

    @property
    def rows(self) -> int:
        return int(self.right.shape[1])

    @property
    def scores(self) -> Floats:
        """The share of right answers at each point: (k,)."""
        return np.asarray(self.right.mean(axis=1), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Lift:
    """`saved` is the share of the random lane's labels that the active one does without at the same `score`.

    Negative means that it needs more. None where nothing can be told, and then `sentence` says why. `low` is None
    beside a `high` where even reaching the score is not sure: the interval is open below. Both are None where the
    holdout gives no interval.
    """

    saved: float | None
    low: float | None
    high: float | None
    sentence: str
    random_labels: float | None = None
    active_labels: float | None = None
    score: float | None = None
    at_ceiling: bool = False


def lift(random: LearningCurve, active: LearningCurve, *, seed: int, draws: int = DRAWS, level: float = LEVEL) -> Lift:
    """Labels saved at the last score of the random curve, with a percentile interval by paired bootstrap.

    Both curves rise monotonely (running maximum) and are straight between points; each draw weighs the holdout rows
    anew and recomputes both. Where the random lane reached its last score earlier, those fewer labels count. Raises
    ValueError where the curves were measured on different numbers of rows.
    """
    if random.right.shape[1:] != active.right.shape[1:]:
        raise ValueError("Both curves must be measured on the same holdout rows.")
    why = _too_little(random, active)
    if why:
        return Lift(None, None, None, why)
    score = float(random.scores[-1])
    sampled_random, sampled_active = resampled((random, active), seed=seed, draws=draws)
    early = _early(random)
    least, most = _growth(sampled_random[:, -1] - sampled_random[:, early], random.rows, level)
    if least <= 0:
        return _ceiling(random, early, score, most)
    needed_random = _needed(random.labels, random.scores[None, :], np.array([score]))
    needed_active = _needed(active.labels, active.scores[None, :], np.array([score]))
    saved = 1 - needed_active / needed_random
    spread = 1 - _needed(active.labels, sampled_active, sampled_random[:, -1]) / _needed(
        random.labels, sampled_random, sampled_random[:, -1]
    )
    low, high = _interval(spread, level)
    reached = float(needed_active[0]) if np.isfinite(needed_active[0]) else None
    found = Lift(
        float(saved[0]) if reached is not None else None, low, high, "", float(needed_random[0]), reached, score
    )
    return _told(found, int(active.labels[-1]))


def resampled(curves: tuple[LearningCurve, ...], *, seed: int, draws: int) -> list[Floats]:
    """Bootstrapped scores of several curves on the same draws of their rows: each (draws, k) (Efron and Tibshirani 1993).

    Rows that every point answers alike are drawn together, which is the same draw at a fraction of the cost.
    """
    stacked = np.concatenate([curve.right for curve in curves])
    patterns, times = np.unique(stacked, axis=1, return_counts=True)
    rows = int(times.sum())
    drawn = np.random.default_rng(seed).multinomial(rows, times / rows, size=draws)
    scores = drawn @ patterns.T.astype(np.float64) / rows
    ends = np.cumsum([len(curve.labels) for curve in curves])[:-1]
    return [np.asarray(part) for part in np.split(scores, ends, axis=1)]


def _too_little(random: LearningCurve, active: LearningCurve) -> str:
    if random.rows < LEAST_ROWS:
        return sentence(
            "Only {labeled_holdout_examples}; {more} more and the saving can be measured.",
            labeled_holdout_examples=count(random.rows, "labeled holdout example"),
            more=LEAST_ROWS - random.rows,
        )
    for name, curve in (("random", random), ("active", active)):
        if len(curve.labels) < LEAST_POINTS:
            return sentence("The {name} lane has too few labels to compare yet; label more of it.", name=name)
    return ""


def _early(random: LearningCurve) -> int:
    """The last point within the first fifth of the labels, or the first point where there is none so early."""
    return max(int(np.searchsorted(random.labels, EARLY * random.labels[-1], side="right")) - 1, 0)


def _growth(grown: Floats, rows: int, level: float) -> tuple[float, float]:
    """The interval of what the random lane gained since its early point; draws without any width get UNSEEN."""
    low, high = np.percentile(grown, [100 * (1 - level) / 2, 100 * (1 + level) / 2])
    unseen = UNSEEN / rows if low == high else 0.0
    return float(low - unseen), float(high + unseen)


def _ceiling(random: LearningCurve, early: int, score: float, growth: float) -> Lift:
    labels = int(random.labels[early])
    if growth <= ROOM:
        told = sentence(
            "Random is at its ceiling within {labels} here, so there is nothing to save.", labels=count(labels, "label")
        )
    else:
        told = sentence(
            "Random’s score at {labels} cannot be told from its last on {holdout_examples}, so no saving can be promised.",
            labels=count(labels, "label"),
            holdout_examples=count(random.rows, "holdout example"),
        )
    return Lift(None, None, None, told, float(random.labels[-1]), None, score, at_ceiling=growth <= ROOM)


def _needed(labels: Ints, scores: Floats, wanted: Floats) -> Floats:
    """Labels at which each curve first reaches what is wanted: (k,), (draws, k), (draws,) -> (draws,), inf for never.

    What is reached at the first point already counts as that point: nobody looked before it.
    """
    best = np.maximum.accumulate(scores, axis=1)
    reached = best >= wanted[:, None]
    at = reached.argmax(axis=1)
    draws, before = np.arange(len(best)), np.maximum(at - 1, 0)
    low, high = best[draws, before], best[draws, at]
    part = np.where(high > low, (wanted - low) / np.where(high > low, high - low, 1.0), 1.0)
    between = labels[before] + np.clip(part, 0, 1) * (labels[at] - labels[before])
    return np.asarray(np.where(reached.any(axis=1), between, np.inf), dtype=np.float64)


def _interval(saved: Floats, level: float) -> tuple[float | None, float | None]:
    """Percentiles that are draws themselves, since minus infinity, never reached, cannot be interpolated."""
    if saved.min() == saved.max():  # every draw the same, as without a single mistake: that is no certainty
        return None, None
    low, high = np.quantile(saved, [(1 - level) / 2, (1 + level) / 2], method="inverted_cdf")
    return (float(low) if np.isfinite(low) else None, float(high) if np.isfinite(high) else None)


def _told(found: Lift, shown: int) -> Lift:
    """With its sentence. `shown`: how many labels the active curve has at its last point."""
    assert found.score is not None and found.random_labels is not None
    if found.saved is None:
        more = shown - found.random_labels
        than = (
            sentence("{more:,.0f} more than random needed", more=more)
            if more > 0
            else sentence("random needed {random_labels:,.0f}", random_labels=found.random_labels)
        )
        told = sentence(
            "Has not reached random’s {score} with {labels}; {than}.",
            score=percent(found.score, 1),
            labels=count(shown, "label"),
            than=than,
        )
    else:
        rounded = round(found.saved, 2)
        size = percent(abs(rounded))
        if not rounded:
            told = sentence("Reaches the same holdout score with as many labels{between}.", between=_between(found))
        elif rounded < 0:
            told = sentence(
                "Reaches the same holdout score with {size} more labels{between}.", size=size, between=_between(found)
            )
        else:
            told = sentence(
                "Reaches the same holdout score with {size} fewer labels{between}.", size=size, between=_between(found)
            )
    return Lift(found.saved, found.low, found.high, told, found.random_labels, found.active_labels, found.score, False)


def _between(found: Lift) -> str:
    """95 % interval 22 to 55 | −12 to 30; may be chance | never reached to 30; may be chance."""
    if found.high is None:
        return term("; the holdout is too small for an interval")
    low = term("never reached") if found.low is None else _whole(found.low)
    sure = (found.low is not None and found.low > 0) or found.high < 0
    if sure:
        return sentence(", 95 % interval {low} to {high}", low=low, high=_whole(found.high))
    return sentence(", 95 % interval {low} to {high}; may be chance", low=low, high=_whole(found.high))


def _whole(share: float) -> str:
    rounded = round(100 * share)
    return f"{MINUS}{abs(rounded)}" if rounded < 0 else str(rounded)
