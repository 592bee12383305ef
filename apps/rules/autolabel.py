"""Whether a model may label by itself, how surely, and when what it labeled has to be taken back."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from apps.rules.sentences import sentence
from apps.rules.words import count, percent, rate

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Counts = NDArray[np.int64] | int

LEVEL = 0.95
# Mistakes that the first test forgives on a large holdout: one wrong holdout label must not forbid everything.
SPARE = 3
MOST_LABELS = 10_000_000  # beyond it no count of labels is worth naming
RATES = 24  # alternatives of the audit, from a quarter above the allowed error rate on
LARGEST = 700.0  # about the largest exponent that a float holds
HALVINGS = 60  # of an interval of width 1: closer than a float tells apart


@dataclass(frozen=True, slots=True)
class Threshold:
    """`value` is the least confidence that the holdout supports, None when it supports none.

    `rows` holdout examples at or above it (without a value: in the first test), of which `errors` were wrong;
    `precision_low` is the exact one-sided lower bound on their precision, None when nothing could be tested.
    `more_labels` is how many more holdout labels would about settle it, where labels can.
    """

    value: float | None
    rows: int
    errors: int
    precision_low: float | None
    sentence: str
    more_labels: int | None = None


@dataclass(frozen=True, slots=True)
class Audit:
    """`evidence` is an e-value: 20 means 20 to 1 against the promised precision. low and high are a 95 % interval."""

    failed: bool
    evidence: float
    sentence: str
    precision: float | None
    low: float | None
    high: float | None


def threshold(
    confidence: Floats, correct: Bools, *, target: float, level: float = LEVEL, spare: int = SPARE
) -> Threshold:
    """The least confidence at which the holdout supports a precision of `target`, with error probability 1 - level.

    confidence (n,) calibrated, correct (n,) on the same holdout rows; a confidence that is not a number is never
    labeled, so its row is left out. Thresholds are tested from the most confident on in an order that the answers do
    not change, and the first failure stops: fixed-sequence testing needs no correction (Angelopoulos et al. 2021,
    "Learn then Test"). The first test stands where success is possible at all, with up to `spare` mistakes forgiven
    as far as half of the holdout allows. Raises ValueError for a target or level outside (0, 1) or unequal lengths.
    """
    _check(target, level)
    if len(confidence) != len(correct):
        raise ValueError("Confidence and correctness must have one value a row.")
    ends, wrong = _steps(np.asarray(confidence, dtype=np.float64), np.asarray(correct, dtype=bool))
    rows = ends[-1][0] if ends else 0
    first = _first_count(rows, target, level, spare)
    if rows < first:
        return _too_few(rows, first, wrong, target)
    held: tuple[int, float] | None = None
    allowed: dict[int, int] = {}
    for n, value in (end for end in ends if end[0] >= first):
        errors = wrong[n - 1]
        if errors not in allowed:
            allowed[errors] = labels_needed(target, errors=errors, level=level)
        if n < allowed[errors]:
            return _supported(held, wrong, target, level) if held else _refused(n, errors, target, level)
        held = (n, value)
    return _supported(held, wrong, target, level)


def audit(audited: int, errors: int, *, target: float, level: float = LEVEL) -> Audit:
    """Whether the audited answers prove that the precision is below `target`; may be asked after every answer.

    The e-value averages the likelihood ratio against the allowed error rate over a grid of higher rates. While the
    precision is at least `target` it exceeds 1/(1 - level) at any time with probability at most 1 - level (Ville's
    inequality; Ramdas et al. 2023, "Game-theoretic statistics and safe anytime-valid inference").
    Raises ValueError for counts that cannot be.
    """
    _check(target, level)
    if not 0 <= errors <= audited:
        raise ValueError(f"{errors} errors in {audited} audited answers cannot be.")
    if audited == 0:
        return Audit(False, 1.0, sentence("Nothing is audited yet."), None, None, None)
    against = float(evidence(audited, errors, allowed=1 - target))
    failed = against >= 1 / (1 - level)
    known = {"found": _wrong(errors, count(audited, "audited answer")), "allowed": rate(1 - target)}
    surely = sentence("{found}; surely more than the {allowed} allowed.", **known)
    unsure = sentence("{found}; not surely more than the {allowed} allowed.", **known)
    return Audit(
        failed,
        against,
        surely if failed else unsure,
        1 - errors / audited,
        precision_low(audited, errors, level=(1 + level) / 2),
        precision_high(audited, errors, level=(1 + level) / 2),
    )


def evidence(audited: Counts, errors: Counts, *, allowed: float) -> Floats:
    """The audit's e-values against an error rate of at most `allowed`: arrays (...,) or numbers -> (...,).

    The mean over rates p above `allowed` of (p / allowed)^errors ((1 - p) / (1 - allowed))^rights.
    """
    errors, rights = np.asarray(errors)[..., None], np.asarray(audited)[..., None] - np.asarray(errors)[..., None]
    most = max(min(50 * allowed, 0.9), (1 + allowed) / 2)
    rates = np.geomspace(min(1.25 * allowed, most), most, RATES)
    logs = errors * np.log(rates / allowed) + rights * (np.log1p(-rates) - np.log1p(-allowed))
    return np.asarray(np.exp(np.minimum(logs, LARGEST)).mean(axis=-1))


def audit_sample(ids: Ints, share: float, seed: int) -> Ints:
    """The ids that a person answers too: (n,) -> about share * n of them, at least 1, in their order.

    Raises ValueError for a share outside (0, 1].
    """
    if not 0 < share <= 1:
        raise ValueError(f"The share of an audit lies above 0 and at most 1, not {share:g}.")
    if len(ids) == 0:
        return np.asarray(ids, dtype=np.int64)
    wanted = min(max(round(share * len(ids)), 1), len(ids))
    chosen = np.random.default_rng(seed).choice(len(ids), size=wanted, replace=False)
    return np.asarray(ids, dtype=np.int64)[np.sort(chosen)]


def precision_low(rows: int, errors: int, *, level: float = LEVEL) -> float:
    """Exact one-sided lower bound on the precision (Clopper and Pearson 1934); 0 when all are wrong.

    >>> round(precision_low(299, 0), 5)
    0.99003
    """
    if errors >= rows:
        return 0.0
    return 1 - _bisect(lambda rate: at_most(errors, rows, rate) > 1 - level)


def precision_high(rows: int, errors: int, *, level: float = LEVEL) -> float:
    """Exact one-sided upper bound on the precision; 1 when none is wrong."""
    if errors == 0:
        return 1.0
    return 1 - _bisect(lambda rate: 1 - at_most(errors - 1, rows, rate) < 1 - level)


def labels_needed(target: float, *, errors: int = 0, level: float = LEVEL) -> int:
    """The least count of holdout rows that supports `target` with this many mistakes among them.

    >>> labels_needed(0.99), labels_needed(0.99, errors=1)
    (299, 473)
    """
    low, high = errors, errors + 1
    while at_most(errors, high, 1 - target) > 1 - level:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if at_most(errors, middle, 1 - target) <= 1 - level else (middle, high)
    return high


def at_most(errors: int, rows: int, rate: float) -> float:
    """P(X <= errors) for X binomial(rows, rate), summed in logarithms."""
    if errors >= rows or rate <= 0:
        return 1.0
    if rate >= 1:
        return 0.0
    k = np.arange(errors + 1)
    choices = np.cumsum(np.log((rows - k[1:] + 1) / k[1:]))  # of k places among the rows, k from 1 on
    logs = np.append(0.0, choices) + k * np.log(rate) + (rows - k) * np.log1p(-rate)
    return float(min(np.exp(logs - logs.max()).sum() * np.exp(logs.max()), 1.0))


def _bisect(below: Callable[[float], bool]) -> float:
    """The point of [0, 1] where `below` turns false, from the cautious side: never under the true point."""
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return high


def _check(target: float, level: float) -> None:
    if not 0 < target < 1 or not 0 < level < 1:
        raise ValueError(f"Target and level lie between 0 and 1, not at {target:g} and {level:g}.")


def _steps(confidence: Floats, correct: Bools) -> tuple[list[tuple[int, float]], list[int]]:
    """Counts at which a threshold can stand, each with its confidence: equal ones stay together. And errors (n,) so far."""
    finite = np.isfinite(confidence)
    confidence, correct = confidence[finite], correct[finite]
    order = np.argsort(-confidence, kind="stable")
    confidence, wrong = confidence[order], np.cumsum(~correct[order])
    last = np.append(confidence[1:] < confidence[:-1], True)[: len(confidence)]
    return [(int(i) + 1, float(confidence[i])) for i in np.flatnonzero(last)], wrong.tolist()


def _first_count(rows: int, target: float, level: float, spare: int) -> int:
    """Chosen by the size of the holdout alone, never by its answers, or the test would not be fixed in advance."""
    counts = [labels_needed(target, errors=errors, level=level) for errors in range(spare + 1)]
    return max([n for n in counts if n <= rows // 2], default=counts[0])


def _supported(held: tuple[int, float] | None, wrong: list[int], target: float, level: float) -> Threshold:
    if held is None:
        raise ValueError("No threshold was tested.")
    n, value = held
    low = precision_low(n, wrong[n - 1], level=level)
    return Threshold(
        value,
        n,
        wrong[n - 1],
        low,
        sentence(
            "At a confidence of {least} or more {found}: the precision is surely at least {target}.",
            least=percent(value, 1),
            found=_wrong(wrong[n - 1], count(n, "holdout answer")),
            target=rate(target),
        ),
    )


def _too_few(rows: int, needed: int, wrong: list[int], target: float) -> Threshold:
    return Threshold(
        None,
        rows,
        wrong[-1] if wrong else 0,
        None,
        sentence(
            "{target} needs at least {labels} without a mistake; {there}. Label {more:,} more in the holdout.",
            target=rate(target),
            labels=count(needed, "holdout label"),
            there=sentence("there is {n:,}", n=rows) if rows == 1 else sentence("there are {n:,}", n=rows),
            more=needed - rows,
        ),
        needed - rows,
    )


def _refused(n: int, errors: int, target: float, level: float) -> Threshold:
    low = precision_low(n, errors, level=level)
    wrong = sentence("{n:,} was wrong", n=errors) if errors == 1 else sentence("{n:,} were wrong", n=errors)
    known = {"n": n, "wrong": wrong, "low": percent(low, 1), "target": rate(target)}
    told = sentence(
        "Of the {n:,} most confident holdout answers {wrong}: that proves a precision of {low}, not {target}.", **known
    )
    more = _more_labels(n, errors, target, level)
    if more is None:
        return Threshold(
            None,
            n,
            errors,
            low,
            sentence("{told} More labels alone will not settle it; a better model may.", told=told),
        )
    return Threshold(
        None,
        n,
        errors,
        low,
        sentence(
            "{told} About {more_holdout_labels} as good would settle it.",
            told=told,
            more_holdout_labels=count(more, "more holdout label"),
        ),
        more,
    )


def _more_labels(n: int, errors: int, target: float, level: float) -> int | None:
    """How many more rows of the same quality would do; None when this quality is below the target or too near to it."""
    rate = errors / n
    low, high = n, 2 * n
    while at_most(ceil(rate * high), high, 1 - target) > 1 - level:
        low, high = high, 2 * high
        if rate * high > 100_000 or high > MOST_LABELS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        enough = at_most(ceil(rate * middle), middle, 1 - target) <= 1 - level
        low, high = (low, middle) if enough else (middle, high)
    return high - n


def _wrong(errors: int, of: str) -> str:
    if errors == 1:
        return sentence("{errors:,} of {of} was wrong", errors=errors, of=of)
    return sentence("{errors:,} of {of} were wrong", errors=errors, of=of)
