"""Whether more labels are worth their hours: how far successive models agree, and where the learning curve leads."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, exp, expm1, log

import numpy as np
from numpy.typing import NDArray

from apps.rules.lift import LearningCurve, resampled
from apps.rules.sentences import clause, listed, raised, sentence, term
from apps.rules.words import count, percent, plain_number, points, time_words

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DRAWS = 1000
TAIL = (2.5, 97.5)  # percentiles of a 95 % interval
UNSEEN = 3.0  # rule of three: what never happened on h rows may happen 3 in h times
POINT = 0.01  # of accuracy: what "the next point" promises
MOST_LABELS = 1_000_000  # beyond it an extrapolated count says nothing


@dataclass(frozen=True, slots=True)
class Agreement:
    """Cohen's kappa of two models on `rows` unlabeled examples, None where undefined; then `reason` says why.

    `share` is the plain share of equal answers, `f1_change` the most that F1 can have moved between the two.
    """

    kappa: float | None
    share: float | None
    rows: int
    f1_change: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StoppingLimits:
    """When to advise to stop."""

    agreement: float = 0.99  # kappa, three times in a row: Bloodgood and Vijay-Shanker 2009
    in_a_row: int = 3
    look: int = 5  # the last models of the curve that the slope is taken from
    least_models: int = 3  # two draw a line whatever the truth is
    least_rows: int = 30  # below it a 95 % interval of an accuracy is wider than 30 points
    least_gain: float = 0.005  # half a point: what the next labels must be able to promise


@dataclass(frozen=True, slots=True)
class Effort:
    """What a label costs: median active seconds, and a rate where the project has one. Unknown is None."""

    seconds_per_label: float | None = None
    rate_per_hour: float | None = None
    currency: str = "EUR"


@dataclass(frozen=True, slots=True)
class Advice:
    """`stop` is None while nothing can be told. `reasons` name each condition, met or not.

    `labels_more` is about how many labels the next point of accuracy takes, with their hours and money; each is None
    where it cannot be told. `moved` is the interval of what the last labels did to the holdout accuracy.
    """

    stop: bool | None
    sentence: str
    reasons: tuple[str, ...]
    labels_more: int | None = None
    hours: float | None = None
    money: float | None = None
    moved: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class _Slope:
    """Accuracy by log(labels) over the last models: (draws' interval), and the labels at both ends."""

    value: float
    low: float
    high: float
    first: int
    last: int
    accuracy: float

    def moved(self, slope: float) -> float:
        return slope * log(self.last / self.first)

    def promised(self) -> float:
        """The most that as many labels again may bring."""
        return self.high * log((2 * self.last - self.first) / self.last)


def stop_agreement(previous: Ints, current: Ints, n_classes: int) -> Agreement:
    """Cohen's kappa of two successive models' answers on the same unlabeled stop set: (n,), (n,) class indices.

    Raises ValueError for unequal lengths or an index outside the classes.
    """
    if len(previous) != len(current):
        raise ValueError("Two models agree or not on the same examples only.")
    if len(previous) == 0:
        return Agreement(None, None, 0)
    cells = np.zeros((n_classes, n_classes))
    try:
        np.add.at(cells, (previous, current), 1)
    except IndexError:
        raise ValueError(f"An answer lies outside the {n_classes} classes.") from None
    cells /= len(previous)
    share, chance = float(np.trace(cells)), float(cells.sum(axis=1) @ cells.sum(axis=0))
    if chance >= 1 - 1e-12:
        return Agreement(
            None,
            share,
            len(previous),
            reason=sentence("Both models give every example the same label, so agreement says nothing."),
        )
    kappa = (share - chance) / (1 - chance)
    return Agreement(kappa, share, len(previous), f1_change(kappa))


def f1_change(kappa: float) -> float:
    """The most that F1 can differ between two models of agreement T: 4(1-T)/T (Bloodgood and Grothendieck 2013), at most 1.

    >>> round(f1_change(0.99), 4), f1_change(0.0)
    (0.0404, 1.0)
    """
    return min(4 * (1 - kappa) / kappa, 1.0) if kappa > 0 else 1.0


def advise(
    curve: LearningCurve,
    agreements: Sequence[Agreement],
    effort: Effort,
    limits: StoppingLimits | None = None,
    *,
    seed: int = 0,
) -> Advice:
    """Stop when the last models agree and the holdout is flat; else what the next point of accuracy would cost.

    `curve` holds the models so far on common holdout rows, `agreements` each model with the one before it, oldest
    first. The slope of accuracy over log(labels) gets its interval by bootstrap over the holdout rows.
    """
    limits = limits or StoppingLimits()
    missing = _missing(curve, limits)
    if missing:
        return Advice(None, missing, (missing,))
    slope = _slope(curve, limits, seed)
    moved = (slope.moved(slope.low), slope.moved(slope.high))
    agreed, agreement_told = _agreed(agreements, limits)
    flat, slope_told = _flat(slope, limits)
    reasons = (agreement_told, slope_told)
    if agreed and flat:
        return Advice(
            True, sentence("Stop: {joined}", joined=_joined(agreement_told, slope_told)), reasons, moved=moved
        )
    labels, why = _labels_to_next_point(slope)
    if labels is None:
        return Advice(False, sentence("Go on: {why}", why=why), (*reasons, raised(why)), moved=moved)
    hours = labels * effort.seconds_per_label / 3600 if effort.seconds_per_label is not None else None
    money = hours * effort.rate_per_hour if hours is not None and effort.rate_per_hour is not None else None
    cost = _cost(labels, hours, money, effort.currency)
    told = sentence("Go on: about {told}, for the next point{why}.", told=cost, why=why)
    return Advice(False, told, reasons, labels, hours, money, moved)


def _missing(curve: LearningCurve, limits: StoppingLimits) -> str:
    if len(curve.labels) < limits.least_models:
        return sentence("Needs {more_runs}.", more_runs=count(limits.least_models - len(curve.labels), "more run"))
    if curve.rows < limits.least_rows:
        return sentence(
            "Needs {more_labeled_holdout_examples}.",
            more_labeled_holdout_examples=count(limits.least_rows - curve.rows, "more labeled holdout example"),
        )
    return (
        ""
        if curve.labels[-limits.look :][0] > 0
        else sentence("Needs a run that learned from labels: the first of the last ones saw none.")
    )


def _slope(curve: LearningCurve, limits: StoppingLimits, seed: int) -> _Slope:
    """Least squares over the last `look` models, with a bootstrap over the rows; without any width it gets UNSEEN."""
    last = LearningCurve(curve.labels[-limits.look :], curve.right[-limits.look :])
    x = np.log(last.labels.astype(np.float64))
    weights = (x - x.mean()) / np.square(x - x.mean()).sum()
    (sampled,) = resampled((last,), seed=seed, draws=DRAWS)
    low, high = np.percentile(sampled @ weights, TAIL)
    if low == high:
        unseen = UNSEEN / curve.rows / (x[-1] - x[0])
        low, high = low - unseen, high + unseen
    return _Slope(
        float(last.scores @ weights),
        float(low),
        float(high),
        int(last.labels[0]),
        int(last.labels[-1]),
        float(last.scores[-1]),
    )


def _agreed(agreements: Sequence[Agreement], limits: StoppingLimits) -> tuple[bool, str]:
    last = list(agreements)[-limits.in_a_row :]
    known = [a.kappa for a in last if a.kappa is not None]
    if not last:
        return False, sentence("No two models have been compared on the stop set.")
    if len(known) < len(last):
        return False, next(a.reason for a in reversed(last) if a.kappa is None) or sentence(
            "An agreement is undefined."
        )
    least = min(known)
    if least < limits.agreement:
        return False, sentence(
            "The last {pairs} of models agree at a kappa of {least} only.",
            pairs=count(len(last), "pair"),
            least=_kappa(least),
        )
    if len(last) < limits.in_a_row:
        return False, sentence(
            "Models agreed {times}; {in_a_row} in a row are needed.",
            times=count(len(last), "time"),
            in_a_row=limits.in_a_row,
        )
    shares = min(a.share for a in last if a.share is not None)
    return True, sentence(
        "{several} models in a row agree on {shares} of the stop set.",
        several=_number(limits.in_a_row),
        shares=percent(shares, 1),
    )


def _flat(slope: _Slope, limits: StoppingLimits) -> tuple[bool, str]:
    low, high = points(slope.moved(slope.low)), points(slope.moved(slope.high))
    told = sentence(
        "The last {more:,} labels moved the holdout by between {low} and {high} points.",
        more=slope.last - slope.first,
        low=low,
        high=high,
    )
    return slope.low <= 0 and slope.promised() < limits.least_gain, told


def _labels_to_next_point(slope: _Slope) -> tuple[int | None, str]:
    """Labels on top of the last until the line through log(labels) has risen by a point; and what to add, or why not."""
    if slope.accuracy + POINT > 1:
        return None, sentence(
            "accuracy is {accuracy}, so there is no next point to estimate.", accuracy=percent(slope.accuracy, 1)
        )
    if slope.value <= 0 or slope.last * expm1(min(POINT / slope.value, 50.0)) > MOST_LABELS:
        return None, (
            sentence(
                "the last {more:,} labels show no rise on the holdout, so how many the next point takes cannot be told.",
                more=slope.last - slope.first,
            )
        )
    labels = ceil(slope.last * (exp(POINT / slope.value) - 1))
    if slope.low > 0:
        return labels, ""
    least = ceil(slope.last * (exp(POINT / slope.high) - 1))
    return labels, sentence("; at least {least:,}, and an upper end cannot be told", least=least)


def _cost(labels: int, hours: float | None, money: float | None, currency: str) -> str:
    """300 more labels, 2 h 10 min and 43 EUR."""
    parts: list[str] = [count(_round(labels), "more label")]
    if hours is not None:
        parts.append(time_words(60 * max(round(60 * hours), 1)))
    if money is not None:
        parts.append(sentence("{money:,.0f} {currency}", money=money, currency=currency))
    return listed(parts)


def _round(labels: int) -> int:
    """Two digits: more would promise what an extrapolation cannot keep."""
    step = int(10 ** max(len(str(labels)) - 2, 0))
    return ceil(labels / step) * step


def _kappa(value: float) -> str:
    return plain_number(value, 2 if value < 0.985 else 3)


def _number(number: int) -> str:
    words = {2: term("Two"), 3: term("Three"), 4: term("Four"), 5: term("Five")}
    return words.get(number, str(number))


def _joined(first: str, second: str) -> str:
    """Two sentences as one: three models agree ..., and the last 400 labels moved ..."""
    return sentence("{first}, and {second}.", first=clause(first), second=clause(second))
