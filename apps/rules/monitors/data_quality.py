"""Whether what is asked is whole: empty values, numbers out of range, values never seen, other types, columns that vanished.

Counts of faults in the window against those in the reference, by Fisher's exact test, so
that a small reference is no proof of anything.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from pydantic import Field

from apps.rules.column_fields import columns_field, least_rows_field, most_categories_field, slack_field
from apps.rules.monitors.column_drift import columns_named
from apps.rules.monitors.column_parts import MOSTLY, is_empty, number_of, word_of
from apps.rules.monitors.evidence import MonitorEvidence, MonitorNeed
from apps.rules.monitors.few import enough_rows
from apps.rules.monitors.monitor import (
    OF_BOTH,
    Chance,
    DriftMonitor,
    FeatureMeasure,
    MonitorCause,
    NothingToRead,
    RowsParameters,
)
from apps.rules.monitors.nearest import by_fault
from apps.rules.sentences import sentence, term
from apps.rules.words import percent

FAULTS = {
    "empty": term("is empty"),
    "range": term("is out of the range"),
    "category": term("has a value that was never seen"),
    "type": term("has another type"),
}


MOST_KNOWN = 200  # values of a column that a reading keeps


class DataQualityParameters(RowsParameters):
    least_rows: int = least_rows_field(20, OF_BOTH, least=2)
    columns: tuple[str, ...] = columns_field()
    slack: float = slack_field()
    most_categories: int = most_categories_field("A column of words with more values may have new ones.")
    allowed_share: float = Field(
        0.01, ge=0, le=1, title="Allowed share of rows", description="That may be faulty beyond those of the reference."
    )


def _measure(of: MonitorEvidence, parameters: DataQualityParameters, chance: Chance) -> list[FeatureMeasure]:
    if of.columns is None:
        raise NothingToRead(sentence("The log keeps nothing of what was asked; set it to under Feedback."))
    known = of.columns.reference
    names = columns_named(known, parameters.columns)
    n, m = max(map(len, known.values())), of.columns.n_window
    enough_rows(m, n, parameters.least_rows)
    found = []
    for name in names:
        now = of.columns.window.get(name)
        if now is None:
            reason = sentence("“{name}” is not there any more", name=name)
            found.append(FeatureMeasure(name, 1.0, reason, p_value=0.0))
            continue
        found += _faults(name, known[name], now, parameters)
    return found


def _faults(
    name: str, before: Sequence[Any], now: Sequence[Any], parameters: DataQualityParameters
) -> list[FeatureMeasure]:
    counted = fault_counts(before, now, parameters)
    limits: dict[str, dict[str, Any]] = {"range": _range(before, parameters), "category": _known(before)}
    return [
        _fault(name, fault, *counts, parameters.allowed_share, {"column": name, **limits.get(fault, {})})
        for fault, counts in counted.items()
    ]


def _range(before: Sequence[Any], parameters: DataQualityParameters) -> dict[str, float]:
    """Of the numbers, with its slack: what a row of the window is held against when it is shown."""
    numbers = [v for v in map(number_of, before) if v is not None]
    if not numbers:
        return {}
    room = parameters.slack * (max(numbers) - min(numbers))
    limits = {"low": min(numbers) - room, "high": max(numbers) + room}
    return limits if all(map(isfinite, limits.values())) else {}


def _known(before: Sequence[Any]) -> dict[str, list[str]]:
    values = sorted({word_of(v) for v in before if not is_empty(v)})
    return {"known": values} if len(values) <= MOST_KNOWN else {}


def fault_counts(
    before: Sequence[Any], now: Sequence[Any], parameters: DataQualityParameters
) -> dict[str, tuple[int, int, int, int]]:
    """Faulty ones of so many rows before, and now, by fault. What is empty has no other fault."""
    filled = [v for v in before if not is_empty(v)]
    there = [v for v in now if not is_empty(v)]
    found = {"empty": (len(before) - len(filled), len(before), len(now) - len(there), len(now))}
    if not filled or not there:
        return found
    numbers = [v for v in map(number_of, filled) if v is not None]
    if len(numbers) >= MOSTLY * len(filled):
        strange = [v for v in there if number_of(v) is None]
        found["type"] = (len(filled) - len(numbers), len(filled), len(strange), len(there))
        room = parameters.slack * (max(numbers) - min(numbers))
        low, high = min(numbers) - room, max(numbers) + room
        out = sum(not low <= v <= high for v in map(number_of, there) if v is not None)
        if len(there) > len(strange):
            found["range"] = (0, len(numbers), out, len(there) - len(strange))
        return found
    values = Counter(map(word_of, filled))
    if len(values) <= parameters.most_categories:
        # A value that the reference has once might as well not have come: so many are new even where nothing changed.
        once = sum(times == 1 for times in values.values())
        new = sum(word_of(v) not in values for v in there)
        found["category"] = (once, len(filled), new, len(there))
    return found


def _fault(
    name: str, fault: str, x: int, n: int, y: int, m: int, allowed: float, seen: Mapping[str, Any]
) -> FeatureMeasure:
    """`x` of `n` before, `y` of `m` now; so many of the window's are allowed anyway."""
    from scipy.stats import hypergeom

    beyond = max(y - round(allowed * m), 0)
    p_value = float(hypergeom.sf(beyond - 1, n + m, x + beyond, m)) if beyond else 1.0
    reason = sentence(
        "“{name}” {fault} in {now} of the rows ({before} before)",
        name=name,
        fault=FAULTS[fault],
        now=percent(y / m, 1),
        before=percent(x / n, 1),
    )
    shown = {"names": [str(FAULTS[fault])], "reference": [x / n], "window": [y / m], "fault": fault, **seen}
    return FeatureMeasure(f"{name} ({fault})", max(y / m - x / n, 0.0), reason, p_value=p_value, parts=shown)


DATA_QUALITY = DriftMonitor(
    "data-quality",
    "Data quality",
    _measure,
    parameters=DataQualityParameters,
    needs=frozenset({MonitorNeed.COLUMNS}),
    cause=MonitorCause.QUALITY,
    nearest=by_fault,
)
