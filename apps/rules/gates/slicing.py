"""Cut the holdout into slices: by values or bands of a column, by the length of a text, by certainty, label or saved filter."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import Any

import numpy as np

from apps.rules.gates.rows import Bools, Floats, HoldoutRows
from apps.rules.sentences import Sentence, sentence, term

MOST_VALUES = 20  # of a column that are slices of their own; what is rarer is one slice together
QUARTERS = 4
SURE = (0.0, 0.5, 0.7, 0.9, 1.0)  # edges of the bands of certainty


@dataclass(frozen=True, slots=True, eq=False)
class HoldoutSlice:
    name: str
    inside: Bools


def by_value(column: str, values: Sequence[Any]) -> list[HoldoutSlice]:
    """A slice a value; numbers of many values in four bands; what is empty or no number apart."""
    cleaned = [_cleaned(value) for value in values]
    numbers = [v for v in cleaned if isinstance(v, float)]
    if len(numbers) == sum(v is not None for v in cleaned) and len(set(numbers)) > MOST_VALUES:
        filled = np.array([np.nan if v is None else float(v) for v in cleaned])
        return [*_bands(column, filled), *_empty(column, np.isnan(filled))]
    words = ["" if v is None else f"{v:g}" if isinstance(v, float) else str(v) for v in cleaned]
    empty = np.array([v is None for v in cleaned], bool)
    counted = Counter(word for word, none in zip(words, empty.tolist(), strict=True) if not none)
    frequent = [word for word, _ in counted.most_common(MOST_VALUES)]
    said = np.array(words, dtype=object)
    found = [
        HoldoutSlice(sentence("{column} “{value}”", column=column, value=_cut(word)), (said == word) & ~empty)
        for word in frequent
    ]
    rest = ~empty & ~np.isin(said.astype(str), frequent)
    if rest.any():
        name = sentence("{column}: {n} rarer values", column=column, n=len(counted) - len(frequent))
        found.append(HoldoutSlice(name, rest))
    return [*found, *_empty(column, empty)]


def by_length(column: str, values: Sequence[Any]) -> list[HoldoutSlice]:
    """Four bands of the number of characters."""
    lengths = np.array([np.nan if v is None else float(len(str(v))) for v in values])
    name = sentence("length of {column}", column=column)
    return [*_bands(name, lengths), *_empty(column, np.isnan(lengths))]


def by_certainty(probabilities: Floats) -> list[HoldoutSlice]:
    """Bands of how sure the model is: the champion where there is one, so that the slices are not the candidate's own."""
    sure = probabilities.max(axis=1) if len(probabilities) else np.zeros(0)
    found = []
    for low, high in pairwise(SURE):
        inside = (sure >= low) & ((sure < high) if high < 1 else (sure <= high + 1e-6))
        name = sentence("certainty {low:.0f} to {high:.0f} %", low=100 * low, high=100 * high)
        found.append(HoldoutSlice(name, inside))
    return [each for each in found if each.inside.any()]


def by_truth(rows: HoldoutRows) -> list[HoldoutSlice]:
    present = sorted(set(rows.truth.tolist()))
    return [HoldoutSlice(sentence("label “{label}”", label=_cut(rows.labels[i])), rows.truth == i) for i in present]


def by_view(views: Mapping[str, Bools], names: Sequence[str]) -> list[HoldoutSlice]:
    return [HoldoutSlice(sentence("view “{name}”", name=name), views[name]) for name in names if name in views]


def _cleaned(value: Any) -> float | str | None:
    """A number, words, or nothing; what is not finite is nothing."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        try:
            number = float(value)
        except OverflowError:
            return str(value)
        return number if isfinite(number) else None
    return str(value)


def _bands(column: str, values: Floats) -> list[HoldoutSlice]:
    known = values[~np.isnan(values)]
    if not len(known):
        return []
    edges = np.unique(np.quantile(known, np.linspace(0, 1, QUARTERS + 1)))
    if len(edges) == 1:
        return [HoldoutSlice(sentence("{column} {low:g}", column=column, low=float(edges[0])), values == edges[0])]
    found = []
    for place, (low, high) in enumerate(pairwise(edges)):
        last = place == len(edges) - 2
        inside = (values >= low) & ((values <= high) if last else (values < high))
        name = sentence("{column} {low:g} to {high:g}", column=column, low=float(low), high=float(high))
        found.append(HoldoutSlice(name, np.asarray(inside)))
    return found


def _empty(column: str, empty: Bools) -> list[HoldoutSlice]:
    words: Sentence = sentence("{column} {empty}", column=column, empty=term("empty"))
    return [HoldoutSlice(words, empty)] if empty.any() else []


def _cut(word: str, most: int = 60) -> str:
    return word if len(word) <= most else word[: most - 1] + "…"
