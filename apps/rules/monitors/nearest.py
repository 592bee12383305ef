"""Which requests of a window show best what moved in a feature: those of the parts that are more frequent than they were."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.rules.monitors.column_parts import OTHER, is_empty, number_of, word_of
from apps.rules.monitors.evidence import Floats

LENGTH_OF = "length of "  # before the column, in the name of a feature


@dataclass(frozen=True, slots=True)
class RequestSeen:
    """One kept request. `wrong` is None where no label came back."""

    row: Mapping[str, Any]
    label: str
    confidence: float
    wrong: bool | None = None


Feature = Mapping[str, Any]  # as a reading keeps it
Seen = Sequence[RequestSeen]


def by_label(feature: Feature, seen: Seen) -> Floats:
    """(n,) how much more frequent the answer of each is than it was; 0 where it is not."""
    more = dict(zip(_parts(feature).get("names", ()), _excess(feature), strict=True))
    return np.array([more.get(each.label, 0.0) for each in seen])


def by_confidence(feature: Feature, seen: Seen) -> Floats:
    excess = _excess(feature)
    places = [min(int(min(max(each.confidence, 0.0), 1.0) * len(excess)), len(excess) - 1) for each in seen]
    return np.array([excess[place] for place in places]) if excess else np.zeros(len(seen))


def by_doubt(feature: Feature, seen: Seen) -> Floats:
    """The least sure first."""
    return np.array([1 - each.confidence for each in seen])


def by_wrong(feature: Feature, seen: Seen) -> Floats:
    return np.array([1.0 if each.wrong else 0.0 for each in seen])


def by_column(feature: Feature, seen: Seen) -> Floats:
    """By the part of the column, or of its length, that each value stands in; what is empty is in none."""
    name, names = str(feature["name"]), list(_parts(feature).get("names", ()))
    excess = _excess(feature)
    column = name.removeprefix(LENGTH_OF)
    lengths = name.startswith(LENGTH_OF) and not any(name in each.row for each in seen)
    values = [each.row.get(column if lengths else name) for each in seen]
    if lengths:
        values = [None if is_empty(value) else len(str(value)) for value in values]
    places = part_places(names, values)
    return np.array([0.0 if place is None else excess[place] for place in places])


def part_places(names: Sequence[str], values: Sequence[Any]) -> list[int | None]:
    """In which part each value stands, by the names that ColumnParts gave them: words, or “< 1”, “1”, “1 – 2”, “2”, “> 2”.

    >>> part_places(["< 1", "1", "1 – 2", "2", "> 2"], [0, 1, 1.5, 7, "x"])
    [0, 1, 2, 4, None]
    >>> part_places(["Rome", "another value"], ["Rome", "Lima", None])
    [0, 1, None]
    """
    if not names:
        return [None] * len(values)
    if names[-1] == OTHER:
        known = {name: place for place, name in enumerate(names[:-1])}
        return [None if is_empty(value) else known.get(word_of(value), len(names) - 1) for value in values]
    edges = np.array([float(name) for name in names[1::2]])
    numbers = [number_of(value) for value in values]
    return [
        None if n is None else int(np.searchsorted(edges, n, "left") + np.searchsorted(edges, n, "right"))
        for n in numbers
    ]


def by_fault(feature: Feature, seen: Seen) -> Floats:
    """1 where the value has the fault: `fault` and what it takes to see it stand beside the parts."""
    parts = _parts(feature)
    fault, column = parts.get("fault"), str(parts.get("column", ""))
    return np.array([1.0 if _faulty(fault, each.row.get(column), parts) else 0.0 for each in seen])


def _faulty(fault: Any, value: Any, parts: Mapping[str, Any]) -> bool:
    if fault == "empty":
        return is_empty(value)
    if is_empty(value):
        return False
    number = number_of(value)
    if fault == "type":
        return number is None
    if fault == "range":
        return number is not None and "low" in parts and not parts["low"] <= number <= parts["high"]
    return fault == "category" and "known" in parts and word_of(value) not in parts["known"]


def by_group(feature: Feature, seen: Seen) -> Floats:
    """1 for those of the group that is treated otherwise, 2 where the answer was wrong."""
    parts = _parts(feature)
    column, group = str(parts.get("column", "")), str(parts.get("group", ""))
    return np.array([(1.0 + bool(each.wrong)) * (group_of(each.row.get(column)) == group) for each in seen])


NO_GROUP = "–"  # whoever says nothing is a group too


def group_of(value: Any) -> str:
    return NO_GROUP if value is None or value == "" or value != value else str(value)[:80]


def _parts(feature: Feature) -> Mapping[str, Any]:
    return feature.get("parts") or {}


def _excess(feature: Feature) -> list[float]:
    """By how much the share of each part rose; 0 where it did not."""
    parts = _parts(feature)
    return [max(now - b, 0.0) for b, now in zip(parts.get("reference", ()), parts.get("window", ()), strict=True)]
