"""Which kind of shift an alarm found, from what alarmed: it decides what a mending run takes of the old labels.

Covariate shift: what comes in moved, what it means did not. Label shift: labels became more or less frequent, and what comes
in with each label looks as before. Concept drift: the same inputs mean something else (Moreno-Torres et al. 2012).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from apps.rules.monitors import MonitorCause
from apps.rules.monitors.column_parts import parts_of
from apps.rules.sentences import sentence, term

LEAST_GIVEN = 20  # rows with one answer on each side, or nothing is said of that answer
CHANCE_GIVEN = 0.01  # over all answers and columns, that what did not move is taken for moved
PREDICTED, UNSURE = "class_mix", "confidence"  # features of answers; all others are of what comes in


class ShiftKind(StrEnum):
    """`none` trains as ever."""

    COVARIATE = "covariate"
    LABEL = "label"
    CONCEPT = "concept"
    NONE = "none"


SHIFT_NAMES = {
    ShiftKind.COVARIATE: term("Covariate shift"),
    ShiftKind.LABEL: term("Label shift"),
    ShiftKind.CONCEPT: term("Concept drift"),
    ShiftKind.NONE: term("No shift"),
}


@dataclass(frozen=True, slots=True)
class ShiftAdvice:
    kind: ShiftKind
    because: str


def shift_of(cause: str, moved: Collection[str], wanted: ShiftKind | None, given: bool | None) -> ShiftAdvice:
    """`moved` names what drifted; `given` is whether what comes in is as before given what was answered, None where nobody can
    tell. The policy's kind where it names one."""
    if wanted is not None:
        return ShiftAdvice(wanted, sentence("{kind}, as the alarm policy says.", kind=SHIFT_NAMES[wanted]))
    if cause == MonitorCause.LOSS:
        return ShiftAdvice(
            ShiftKind.CONCEPT,
            sentence("Concept drift, because answers are wrong that were right: the same means something else."),
        )
    if cause != MonitorCause.DRIFT:
        return ShiftAdvice(ShiftKind.NONE, sentence("No shift that old labels could be weighed by."))
    inputs = set(moved) - {PREDICTED, UNSURE}
    if PREDICTED in moved and given:
        words = sentence(
            "Label shift, because the mix of answers moved, and what comes in with each answer is as before."
        )
        return ShiftAdvice(ShiftKind.LABEL, words)
    if PREDICTED in moved and given is None and not inputs:
        words = sentence("Label shift, because the mix of answers moved, and nothing tells that what comes in did.")
        return ShiftAdvice(ShiftKind.LABEL, words)
    return ShiftAdvice(ShiftKind.COVARIATE, sentence("Covariate shift, because what comes in moved."))


def as_before_given(
    before: Mapping[str, Sequence[Any]], labels: Sequence[str], now: Mapping[str, Sequence[Any]], answers: Sequence[str]
) -> bool | None:
    """Whether each column is, among rows with one label, as among requests with that answer: chi-square over the parts of the
    column, Bonferroni over all. None where no answer has enough rows on both sides."""
    from scipy.stats import chi2_contingency

    told, said = np.asarray(labels, object), np.asarray(answers, object)
    chances = []
    for label in set(labels) & set(answers):
        old, new = np.flatnonzero(told == label), np.flatnonzero(said == label)
        if min(len(old), len(new)) < LEAST_GIVEN:
            continue
        for name in sorted(before.keys() & now.keys()):
            column, asked = [before[name][int(i)] for i in old], [now[name][int(i)] for i in new]
            parts = parts_of(column)
            if parts is None:
                continue
            table = np.stack([parts.counts(column), parts.counts(asked)])
            table = _coarse(table)
            if table.shape[1] > 1 and table.sum(axis=1).min() > 0:
                chances.append(float(chi2_contingency(table).pvalue))
    return min(chances) * len(chances) >= CHANCE_GIVEN if chances else None


def _coarse(table: Any) -> Any:
    """Neighbouring parts together until five are expected on the smaller side, as the test wants it."""
    least = 5 * table.sum() / max(table.sum(axis=1).min(), 1)
    merged: list[Any] = []
    for part in table.T:
        if merged and merged[-1].sum() < least:
            merged[-1] = merged[-1] + part
        else:
            merged.append(part)
    if len(merged) > 1 and merged[-1].sum() < least:
        last = merged.pop()
        merged[-1] = merged[-1] + last
    return np.stack(merged, axis=1)
