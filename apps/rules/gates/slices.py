"""No slice of the holdout pays for the mean: each against the champion, with all of them taken into account.

A slice is judged by the examples that one model has right and the other wrong (McNemar's exact test, one-sided); over the slices
the false discovery rate is held (Benjamini and Hochberg 1995), so that a hundred slices do not make a loss by themselves.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, lgamma, log
from typing import Any, Literal

import numpy as np
from pydantic import Field, model_validator

from apps.rules.gates.gate import Evidence, Gate, GateNeed, GateOutcome, HoldoutParameters, Judgment
from apps.rules.gates.rows import GateReads, HoldoutRows
from apps.rules.gates.slicing import HoldoutSlice, by_certainty, by_length, by_truth, by_value, by_view
from apps.rules.sentences import joined, parts_of, sentence
from apps.rules.words import count, points

SHOWN = 10  # examples of the worst slice
MOST_SLICES = 200
NORMAL_95 = 1.959964
BY = {
    "column": "The values of columns",
    "length": "The length of texts",
    "certainty": "How sure the champion is",
    "truth": "Labels",
    "view": "Saved filters",
}


class SliceParameters(HoldoutParameters):
    by: Literal["column", "length", "certainty", "truth", "view"] = Field(
        title="Cut by", json_schema_extra={"words": dict(BY)}
    )
    names: tuple[str, ...] = Field(
        (), max_length=20, title="Columns or saved filters", description="One a line; none for labels and certainty."
    )
    min_examples: int = Field(
        30, ge=2, le=1_000_000, title="Least examples", description="Smaller slices are not judged."
    )
    allowed_loss: float = Field(
        0.0, ge=0, le=1, title="Allowed loss of accuracy", description="As a share: 0.02 is two points."
    )
    false_discoveries: float = Field(
        0.05, gt=0, le=0.5, title="False discoveries", description="Share of slices that are found worse by chance."
    )

    @model_validator(mode="after")
    def _named(self) -> "SliceParameters":
        if _CUTS[self.by].names and not self.names:
            raise ValueError(sentence("names: say which columns or saved filters"))
        if not _CUTS[self.by].names and self.names:
            raise ValueError(sentence("names: labels and certainty have none"))
        return self


@dataclass(frozen=True, slots=True)
class Cut:
    slices: Callable[[HoldoutRows, SliceParameters], list[HoldoutSlice]]
    names: bool = False  # whether the gate says of what
    reads: Callable[[SliceParameters], GateReads] = lambda _: GateReads()


def _columns(parameters: SliceParameters) -> GateReads:
    return GateReads(columns=frozenset(parameters.names))


def _each(cut: Callable[[str, Sequence[Any]], list[HoldoutSlice]]) -> Callable[..., list[HoldoutSlice]]:
    def slices(rows: HoldoutRows, parameters: SliceParameters) -> list[HoldoutSlice]:
        there = [name for name in parameters.names if name in rows.columns]
        return [one for name in there for one in cut(name, rows.columns[name])]

    return slices


_CUTS = {
    "column": Cut(_each(by_value), names=True, reads=_columns),
    "length": Cut(_each(by_length), names=True, reads=_columns),
    "certainty": Cut(lambda rows, _: by_certainty(rows.candidate if rows.champion is None else rows.champion)),
    "truth": Cut(lambda rows, _: by_truth(rows)),
    "view": Cut(
        lambda rows, p: by_view(rows.views, p.names), names=True, reads=lambda p: GateReads(views=frozenset(p.names))
    ),
}


@dataclass(frozen=True, slots=True)
class SliceFinding:
    """One slice: shares of right answers, their difference with a 95 % interval (Agresti and Min 2005), and the q value."""

    name: str
    n: int
    candidate: float
    champion: float
    change: float
    low: float
    high: float
    p: float
    q: float = 1.0


def exact_harm(losses: int, gains: int) -> float:
    """The chance of at least so many losses among the examples that only one model has right, were both as good."""
    n = losses + gains
    if n == 0:
        return 1.0
    ways = [lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) - n * log(2) for k in range(losses, n + 1)]
    return min(sum(map(exp, ways)), 1.0)


def false_discovery(chances: Sequence[float]) -> list[float]:
    """The q value of each: the smallest rate at which it counts as found (Benjamini and Hochberg 1995).

    >>> [round(q, 3) for q in false_discovery([0.01, 0.04, 0.03])]
    [0.03, 0.04, 0.04]
    """
    order = np.argsort(chances, kind="stable")
    scaled = np.array(chances)[order] * len(chances) / np.arange(1, len(chances) + 1)
    smallest = np.minimum.accumulate(scaled[::-1])[::-1].clip(max=1)
    out = np.empty(len(chances))
    out[order] = smallest
    return [float(q) for q in out]


def findings_of(rows: HoldoutRows, slices: Sequence[HoldoutSlice], least: int) -> list[SliceFinding]:
    """Of those that are large enough, in their order."""
    assert rows.champion is not None
    mine, theirs = rows.right(rows.candidate), rows.right(rows.champion)
    judged = [(each, int(each.inside.sum())) for each in slices]
    found = [_finding(each.name, mine[each.inside], theirs[each.inside]) for each, n in judged if n >= least]
    rates = false_discovery([each.p for each in found]) if found else []
    return [
        SliceFinding(f.name, f.n, f.candidate, f.champion, f.change, f.low, f.high, f.p, q)
        for f, q in zip(found, rates, strict=True)
    ]


def _finding(name: str, mine: Any, theirs: Any) -> SliceFinding:
    n, losses, gains = len(mine), int((~mine & theirs).sum()), int((mine & ~theirs).sum())
    more, less = gains + 0.5, losses + 0.5  # Agresti and Min: half a pair more in each cell
    middle = (more - less) / (n + 2)
    half = NORMAL_95 * (max(more + less - (more - less) ** 2 / (n + 2), 0.0)) ** 0.5 / (n + 2)
    change = (gains - losses) / n
    return SliceFinding(
        name,
        n,
        float(mine.mean()),
        float(theirs.mean()),
        change,
        max(min(middle - half, change), -1.0),
        min(max(middle + half, change), 1.0),
        exact_harm(losses, gains),
    )


def _judge(evidence: Evidence, parameters: SliceParameters) -> Judgment:
    rows = evidence.rows
    if rows is None or rows.champion is None:
        return Judgment(GateOutcome.INCONCLUSIVE, sentence("No single answers of the two models were compared."))
    if not rows.finite:
        return Judgment(
            GateOutcome.INCONCLUSIVE, sentence("Some probabilities are not numbers, so slices tell nothing.")
        )
    known = set(rows.columns) | set(rows.views)
    unknown = next((name for name in parameters.names if name not in known), None)
    if unknown is not None:
        words = sentence("No holdout example has “{name}”, a column or saved filter that it cuts by.", name=unknown)
        return Judgment(GateOutcome.INCONCLUSIVE, words)
    slices = [each for each in _CUTS[parameters.by].slices(rows, parameters) if each.inside.any()][:MOST_SLICES]
    found = findings_of(rows, slices, parameters.min_examples)
    small = len(slices) - len(found)
    if not found:
        words = sentence("No slice has {least} holdout examples.", least=parameters.min_examples)
        return Judgment(GateOutcome.INCONCLUSIVE, words)
    worst = min(found, key=lambda each: (each.q, each.change))
    details = {
        "slices": [_kept(each) for each in sorted(found, key=lambda each: (each.q, each.change))],
        "small": small,
        "worst": {"name": str(worst.name), "parts": parts_of(worst.name), "examples": _lost(rows, slices, worst)},
    }
    measured = sentence(
        "{name} changes by {change} points on {examples}",
        name=worst.name,
        change=points(worst.change),
        examples=count(worst.n, "example"),
    )
    harmed = [f for f in found if f.q <= parameters.false_discoveries and f.change < -parameters.allowed_loss]
    if harmed:
        words = sentence(
            "Worst of {slices}: {measured}; surely worse, all of them taken into account.",
            slices=count(len(found), "slice"),
            measured=measured,
        )
        more = sentence("{n} are surely worse in all.", n=len(harmed))
        return Judgment(GateOutcome.FAIL, joined([words, more]) if len(harmed) > 1 else words, details=details)
    words = sentence(
        "None of {slices} is surely worse; worst: {measured}.", slices=count(len(found), "slice"), measured=measured
    )
    left = sentence("{n} smaller ones are not judged.", n=small)
    return Judgment(GateOutcome.PASS, joined([words, left]) if small else words, details=details)


def _kept(found: SliceFinding) -> dict[str, Any]:
    numbers = {key: round(getattr(found, key), 5) for key in ("candidate", "champion", "change", "low", "high", "q")}
    return {"name": str(found.name), "parts": parts_of(found.name), "n": found.n, **numbers}


def _lost(rows: HoldoutRows, slices: Sequence[HoldoutSlice], worst: SliceFinding) -> list[int]:
    """Examples of the worst slice that the champion has right and the candidate wrong; else those it has wrong."""
    assert rows.champion is not None
    inside = next(each.inside for each in slices if each.name is worst.name)
    wrong = inside & ~rows.right(rows.candidate)
    lost = wrong & rows.right(rows.champion)
    return [int(i) for i in rows.example_ids[lost if lost.any() else wrong][:SHOWN]]


SLICES = Gate(
    "slices",
    "No slice pays for the mean",
    _judge,
    needs=frozenset({GateNeed.CHAMPION, GateNeed.HOLDOUT}),
    parameters=SliceParameters,
    standing=False,
    reads=lambda parameters: _CUTS[parameters.by].reads(parameters),
)
