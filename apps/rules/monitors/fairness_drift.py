"""Whether groups are treated more differently than they were: in what is answered, and in what was wrong where that is known."""

from collections import Counter
from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np
from pydantic import Field

from apps.rules.monitors.evidence import GroupRows, Ints, MonitorEvidence, MonitorNeed
from apps.rules.monitors.monitor import (
    CannotTell,
    Chance,
    DriftMonitor,
    FeatureMeasure,
    MonitorCause,
    MonitorParameters,
    NothingToRead,
)
from apps.rules.monitors.nearest import by_group, group_of
from apps.rules.sentences import sentence
from apps.rules.words import percent

MOST_GROUPS = 20  # of a column, the largest


class FairnessDriftParameters(MonitorParameters):
    columns: tuple[str, ...] = Field(
        (), max_length=10, title="Sensitive columns", description="One a line; all that the project marks, if empty."
    )
    label: str = Field(
        "", max_length=200, title="Label", description="The answer that people want; the second label, if empty."
    )
    min_rows: int = Field(
        30, ge=2, le=1_000_000, title="Least rows of a group", description="Smaller groups are not judged."
    )
    tolerance: float = Field(
        0.02, ge=0, le=1, title="Tolerance", description="By which a group may move against the others."
    )


def _measure(of: MonitorEvidence, parameters: FairnessDriftParameters, chance: Chance) -> list[FeatureMeasure]:
    if of.groups is None or not of.groups.reference.groups:
        raise NothingToRead(sentence("No column is marked as sensitive, or the log keeps nothing of what was asked."))
    before, now = of.groups.reference, of.groups.window
    if gone := next((name for name in parameters.columns if name not in before.groups), ""):
        raise NothingToRead(sentence("“{name}” is not marked as sensitive, or no example has it.", name=gone))
    if parameters.label and parameters.label not in of.labels:
        raise NothingToRead(sentence("The model knows no label “{label}”.", label=parameters.label))
    place = of.labels.index(parameters.label) if parameters.label else min(1, len(of.labels) - 1)
    found = []
    for column in parameters.columns or tuple(before.groups):
        found += _column(column, before, now, place, of.labels, parameters)
        if of.groups.judged is not None:
            found += _wrong(column, before, of.groups.judged, parameters)
    if not found:
        raise CannotTell(sentence("Fewer than two groups have {least} rows before and now.", least=parameters.min_rows))
    return found


def _column(
    column: str,
    before: GroupRows,
    now: GroupRows,
    place: int,
    labels: Sequence[str],
    parameters: FairnessDriftParameters,
) -> list[FeatureMeasure]:
    label = labels[place] if place < len(labels) else str(place)
    return _moved(column, before, now, "said", label, (before.answered == place, now.answered == place), parameters)


def _wrong(
    column: str, before: GroupRows, judged: GroupRows, parameters: FairnessDriftParameters
) -> list[FeatureMeasure]:
    """Of those rows whose labels came back."""
    if before.wrong is None or judged.wrong is None:
        return []
    return _moved(column, before, judged, "wrong", "", (before.wrong == 1, judged.wrong == 1), parameters)


def _moved(
    column: str,
    before: GroupRows,
    now: GroupRows,
    rate: str,
    label: str,
    rates: tuple[Any, Any],
    parameters: FairnessDriftParameters,
) -> list[FeatureMeasure]:
    then, today = groups_of(before.groups[column]), groups_of(now.groups.get(column, ()))
    counts, counted = Counter(then), Counter(today)
    judged = [g for g, _ in counts.most_common(MOST_GROUPS) if min(counts[g], counted[g]) >= parameters.min_rows]
    if len(judged) < 2:
        return []
    was, is_now = (each.astype(np.int64) for each in rates)
    moves = [(group, group_moved(then, was, today, is_now, group)) for group in judged]
    return [
        _feature(column, group, rate, label, moved, parameters.tolerance) for group, moved in moves if moved is not None
    ]


def groups_of(values: Sequence[Any]) -> list[str]:
    return [group_of(value) for value in values]


def group_moved(
    then: list[str], was: Ints, today: list[str], now: Ints, group: str
) -> tuple[float, float, float, float] | None:
    """Of one rate of one group against all others: its rate before and now, how much further apart they are, and the error of that.

    A rate that moves for everybody moves no group against the others.
    """
    inside, inside_now = np.array([g == group for g in then]), np.array([g == group for g in today])
    cells = [was[inside], was[~inside], now[inside_now], now[~inside_now]]
    if min(map(len, cells)) < 2:
        return None
    means = [float(cell.mean()) for cell in cells]
    # Half a row more on both sides (Agresti and Caffo 2000), so that a rate of 0 or 1 has an error too.
    smooth = [(cell.sum() + 0.5) / (len(cell) + 1) for cell in cells]
    error = sqrt(sum(p * (1 - p) / len(cell) for p, cell in zip(smooth, cells, strict=True)))
    return means[0], means[2], abs((means[2] - means[3]) - (means[0] - means[1])), error


def _feature(
    column: str, group: str, rate: str, label: str, moved: tuple[float, float, float, float], tolerance: float
) -> FeatureMeasure:
    from scipy.stats import norm

    before, now, apart, error = moved
    p_value = float(2 * norm.sf(max(apart - tolerance, 0.0) / error))
    pattern = {
        "said": sentence(
            "{column} “{group}”: “{label}” went from {before} to {now} of its answers, unlike the others’",
            column=column,
            group=group,
            label=label,
            before=percent(before),
            now=percent(now),
        ),
        "wrong": sentence(
            "{column} “{group}”: wrong answers went from {before} to {now}, unlike the others’",
            column=column,
            group=group,
            before=percent(before),
            now=percent(now),
        ),
    }
    shown = {"names": [group], "reference": [before], "window": [now], "column": column, "group": group}
    return FeatureMeasure(f"{column}: {group} ({rate})", apart, pattern[rate], p_value=p_value, parts=shown)


FAIRNESS_DRIFT = DriftMonitor(
    "fairness-drift",
    "Groups over time",
    _measure,
    parameters=FairnessDriftParameters,
    needs=frozenset({MonitorNeed.GROUPS}),
    cause=MonitorCause.GROUPS,
    nearest=by_group,
)
