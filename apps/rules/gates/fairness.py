"""Groups of people are treated alike: demographic parity and equalized odds over the columns that a project marks as sensitive.

Both are differences between groups of shares of a label's answers (Fairlearn's MetricFrame): of all examples, and of those whose
truth it is or is not. Each label is judged against the rest. What is over the limit fails where that is no chance, with all pairs
of groups and all labels taken into account (Newcombe 1998, Bonferroni); else labels would settle it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from pydantic import Field

from apps.rules.gates.gate import Evidence, Gate, GateNeed, GateOutcome, HoldoutParameters, Judgment
from apps.rules.gates.rows import Bools, GateReads, HoldoutRows
from apps.rules.sentences import joined, sentence, term
from apps.rules.words import count, percent, plain_number

MOST_GROUPS, MOST_LABELS = 50, 20
MEASURES = {"demographic_parity": "Demographic parity", "equalized_odds": "Equalized odds"}
RATES = {
    "selection_rate": "demographic_parity",
    "true_positive_rate": "equalized_odds",
    "false_positive_rate": "equalized_odds",
}


class FairnessParameters(HoldoutParameters):
    columns: tuple[str, ...] = Field(
        (), max_length=10, title="Sensitive columns", description="One a line; all that the project marks, if empty."
    )
    label: str = Field(
        "", max_length=200, title="Label", description="The answer that people want; each label in turn, if empty."
    )
    demographic_parity: float | None = Field(
        0.1,
        ge=0,
        le=1,
        title="Demographic parity",
        description="Largest difference between groups in how often it is answered.",
    )
    equalized_odds: float | None = Field(
        0.1, ge=0, le=1, title="Equalized odds", description="Largest difference in right and in false answers of it."
    )
    min_examples: int = Field(
        30, ge=2, le=1_000_000, title="Least examples", description="Smaller groups are not judged."
    )

    def limit(self, measure: str) -> float | None:
        return self.demographic_parity if measure == "demographic_parity" else self.equalized_odds


@dataclass(frozen=True, slots=True)
class Disparity:
    """The largest difference of one rate of one label between two groups of a column; `sure_from` is its interval's low end."""

    column: str
    label: str
    rate: str
    value: float
    low_group: str
    high_group: str
    sure_from: float

    @property
    def measure(self) -> str:
        return RATES[self.rate]


def group_table(truth: Bools, said: Bools, right: Bools, groups: Sequence[str]) -> list[dict[str, Any]]:
    """The rates of each group by Fairlearn's MetricFrame; None where a group has nothing that the rate is a share of."""
    from fairlearn.metrics import MetricFrame, selection_rate
    from fairlearn.metrics import count as counted

    frame = MetricFrame(
        metrics={
            "n": counted,
            "selection_rate": selection_rate,
            "true_positive_rate": _true_positive,
            "false_positive_rate": _false_positive,
        },
        y_true=truth.astype(int),
        y_pred=said.astype(int),
        sensitive_features=np.array(groups, dtype=object),
    )
    of_truth = {g: int(truth[np.array(groups, dtype=object) == g].sum()) for g in set(groups)}
    exact = {g: float(right[np.array(groups, dtype=object) == g].mean()) for g in set(groups)}
    return [
        {
            "group": str(group),
            "n": int(row["n"]),
            "of_truth": of_truth[group],
            "accuracy": exact[group],
            **{rate: None if np.isnan(row[rate]) else float(row[rate]) for rate in RATES},
        }
        for group, row in frame.by_group.iterrows()
    ]


def _true_positive(truth: Any, said: Any) -> float:
    positive = np.asarray(truth) == 1
    return float(np.asarray(said)[positive].mean()) if positive.any() else float("nan")


def _false_positive(truth: Any, said: Any) -> float:
    negative = np.asarray(truth) == 0
    return float(np.asarray(said)[negative].mean()) if negative.any() else float("nan")


def _base(row: dict[str, Any], rate: str) -> int:
    """How many examples the rate is a share of."""
    return int(
        {"selection_rate": row["n"], "true_positive_rate": row["of_truth"]}.get(rate, row["n"] - row["of_truth"])
    )


def disparities_of(column: str, label: str, table: list[dict[str, Any]], tests: int) -> list[Disparity]:
    """One a rate, where two groups have it. `tests` is how many pairs are looked at in all."""
    found = []
    for rate in RATES:
        known = sorted((row for row in table if row[rate] is not None), key=lambda row: row[rate])
        if len(known) < 2:
            continue
        low, high = known[0], known[-1]
        sure = newcombe_low((high[rate], _base(high, rate)), (low[rate], _base(low, rate)), 0.05 / max(tests, 1))
        found.append(Disparity(column, label, rate, high[rate] - low[rate], low["group"], high["group"], sure))
    return found


def newcombe_low(high: tuple[float, int], low: tuple[float, int], alpha: float) -> float:
    """The low end of the interval of a difference of two shares, each with its n (Newcombe 1998, method 10)."""
    z = NormalDist().inv_cdf(1 - alpha / 2)
    (p1, n1), (p2, n2) = high, low
    l1, u2 = _wilson(p1, n1, z)[0], _wilson(p2, n2, z)[1]
    return (p1 - p2) - float(np.hypot(p1 - l1, u2 - p2))


def _wilson(p: float, n: int, z: float) -> tuple[float, float]:
    middle, half = p + z * z / (2 * n), z * ((p * (1 - p) + z * z / (4 * n)) / n) ** 0.5
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def groups_of(values: Sequence[Any]) -> list[str]:
    """The group of each example; those that say none are a group too."""
    return [str(term("empty")) if v is None or v == "" or v != v else str(v)[:80] for v in values]


def _judge(evidence: Evidence, parameters: FairnessParameters) -> Judgment:
    rows, marked = evidence.rows, evidence.sensitive
    columns = parameters.columns or marked
    if not columns:
        return _doubt(sentence("No column of the project is marked as sensitive, so there are no groups."))
    if stranger := next((name for name in columns if name not in marked), ""):
        return _doubt(
            sentence("“{name}” is not marked as sensitive; a manager can mark it under Gates.", name=stranger)
        )
    if rows is None or not rows.finite:
        return _doubt(sentence("Some probabilities are not numbers, so groups tell nothing."))
    if absent := next((name for name in columns if name not in rows.columns), ""):
        return _doubt(sentence("No holdout example has the column “{name}”.", name=absent))
    if parameters.label and parameters.label not in rows.labels:
        return _doubt(sentence("The model knows no label “{label}”.", label=parameters.label))
    tables, found, few = _measured(rows, columns, parameters)
    if not found:
        return _doubt(sentence("Fewer than two groups have {least} holdout examples.", least=parameters.min_examples))
    judged = [(d, parameters.limit(d.measure)) for d in found]
    over = [(d, limit) for d, limit in judged if limit is not None and d.value > limit]
    details = {"tables": tables, "small": few, "limits": {m: parameters.limit(m) for m in MEASURES}}
    left = [sentence("{groups} with fewer examples are not judged.", groups=count(few, "group"))] if few else []
    if not over:
        worst = max(found, key=lambda d: d.value)
        words = sentence("Within the limits; the largest difference: {measured}.", measured=_words(worst))
        return Judgment(GateOutcome.PASS, joined([words, *left]), details=details)
    surely = [(d, limit) for d, limit in over if d.sure_from > limit]
    worst, limit = max(surely or over, key=lambda pair: pair[0].value - pair[1])
    allowed = sentence("{measured}; at most {limit} is allowed", measured=_words(worst), limit=plain_number(limit, 2))
    if surely:
        return Judgment(GateOutcome.FAIL, joined([sentence("{allowed}.", allowed=allowed), *left]), details=details)
    words = sentence("{allowed}, and this may be chance.", allowed=allowed)
    return Judgment(GateOutcome.INCONCLUSIVE, joined([words, *left]), details=details)


def _doubt(words: str) -> Judgment:
    return Judgment(GateOutcome.INCONCLUSIVE, words)


def _words(found: Disparity) -> str:
    return sentence(
        "{measure} of “{label}” differs by {value} between {column} “{low}” and “{high}”",
        measure=term(MEASURES[found.measure]),
        label=found.label,
        value=percent(found.value, 1),
        column=found.column,
        low=found.low_group,
        high=found.high_group,
    )


def _measured(
    rows: HoldoutRows, columns: Sequence[str], parameters: FairnessParameters
) -> tuple[list[dict[str, Any]], list[Disparity], int]:
    """Tables by column and label, the largest differences, and how many groups are too small."""
    said = rows.candidate.argmax(axis=1)
    labels = _labels(rows, parameters.label)
    tables, found, few = list[dict[str, Any]](), list[Disparity](), 0
    for column in columns:
        groups = np.array(groups_of(rows.columns[column]), dtype=object)
        names, counts = np.unique(groups.astype(str), return_counts=True)
        ordered = sorted(zip(counts.tolist(), names.tolist(), strict=True), reverse=True)
        kept = [name for n, name in ordered if n >= parameters.min_examples][:MOST_GROUPS]
        few += len(names) - len(kept)
        if len(kept) < 2:
            continue
        inside = np.isin(groups.astype(str), kept)
        tests = len(kept) * (len(kept) - 1) // 2 * len(labels) * len(RATES) * len(columns)
        for place in labels:
            truth, chosen = rows.truth[inside] == place, said[inside] == place
            right = said[inside] == rows.truth[inside]
            table = group_table(truth, chosen, right, groups[inside].tolist())
            tables.append({"column": column, "label": rows.labels[place], "groups": table})
            found += disparities_of(column, rows.labels[place], table, tests)
    return tables, found, few


def _labels(rows: HoldoutRows, wanted: str) -> list[int]:
    """The wanted one; of two labels one says it all; else the most frequent ones."""
    if wanted:
        return [rows.labels.index(wanted)]
    if len(rows.labels) == 2:
        return [1]
    counts = np.bincount(rows.truth, minlength=len(rows.labels))
    return [int(i) for i in np.argsort(-counts, kind="stable")[:MOST_LABELS] if counts[i]]


FAIRNESS = Gate(
    "fairness",
    "Groups are treated alike",
    _judge,
    needs=frozenset({GateNeed.HOLDOUT}),
    parameters=FairnessParameters,
    standing=False,
    reads=lambda parameters: GateReads(columns=frozenset(parameters.columns), sensitive=True),
)
