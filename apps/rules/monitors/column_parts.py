"""A column cut into parts by its reference: numbers at its quantiles, words at its most frequent values. Distances between parts.

Both sides and all that is drawn by chance go through the same parts, so that a distance and its chance are of one kind. What the
reference never had has parts of its own: numbers outside and between, and "another value".
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import Any

import numpy as np

from apps.rules.monitors.evidence import Floats
from apps.rules.sentences import term

QUANTILES = 20  # of a column of numbers that has more than MOST_VALUES
MOST_VALUES = 30  # of a column of words; rarer ones are one part together
MOST_SHOWN = 60  # characters of a value
MOSTLY = 0.95  # of the filled values are numbers, so the column is one of numbers
OTHER = term("another value")


@dataclass(frozen=True, slots=True, eq=False)
class ColumnParts:
    """`places` are the edges of numbers, where they are numbers, else the values."""

    numeric: bool
    places: tuple[Any, ...]
    positions: Floats  # (parts,) of numbers, for how far they are apart; empty for words

    @property
    def size(self) -> int:
        return 2 * len(self.places) + 1 if self.numeric else len(self.places) + 1

    @property
    def names(self) -> list[str]:
        if not self.numeric:
            return [*map(str, self.places), str(OTHER)]
        edges = [f"{edge:.4g}" for edge in self.places]
        inner = [name for low, high in pairwise(edges) for name in (low, f"{low} – {high}")]
        return [f"< {edges[0]}", *inner, edges[-1], f"> {edges[-1]}"]

    def counts(self, values: Sequence[Any]) -> Floats:
        """(parts,) of the filled values; what is no number in a column of numbers is left to the monitor of quality."""
        if self.numeric:
            numbers = np.array([v for v in map(number_of, values) if v is not None])
            left = np.searchsorted(np.array(self.places), numbers, side="left")
            right = np.searchsorted(np.array(self.places), numbers, side="right")
            return np.bincount(left + right, minlength=self.size).astype(float)
        index = {value: i for i, value in enumerate(self.places)}
        found = [index.get(word_of(v), len(self.places)) for v in values if not is_empty(v)]
        return np.bincount(found, minlength=self.size).astype(float)


def is_empty(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and not isfinite(value))


def number_of(value: Any) -> float | None:
    """A finite number, or None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if isfinite(number) else None


def word_of(value: Any) -> str:
    words = str(value)
    return words if len(words) <= MOST_SHOWN else words[: MOST_SHOWN - 1] + "…"


def is_prose(values: Sequence[Any]) -> bool:
    """Words of which hardly two are the same: texts and names, which are compared by their length."""
    filled = [v for v in values if not is_empty(v)]
    if not filled or any(number_of(v) is not None for v in filled):
        return False
    return len({str(v) for v in filled}) > max(MOST_VALUES, len(filled) // 2)


def lengths(values: Sequence[Any]) -> tuple[int | None, ...]:
    return tuple(None if is_empty(v) else len(str(v)) for v in values)


def parts_of(values: Sequence[Any]) -> ColumnParts | None:
    """How a column is cut; None where nothing is filled."""
    filled = [v for v in values if not is_empty(v)]
    numbers = np.array([v for v in map(number_of, filled) if v is not None])
    if not filled:
        return None
    if len(numbers) >= MOSTLY * len(filled):
        edges = np.unique(numbers)
        if len(edges) > MOST_VALUES:
            edges = np.unique(np.quantile(numbers, np.linspace(0, 1, QUANTILES + 1), method="nearest"))
        return ColumnParts(True, tuple(edges.tolist()), _positions(edges))
    frequent = [word for word, _ in Counter(map(word_of, filled)).most_common(MOST_VALUES)]
    return ColumnParts(False, tuple(frequent), np.empty(0))


def _positions(edges: Floats) -> Floats:
    """Edges, and the middles between them; what lies outside counts as one mean gap away."""
    gap = float(np.diff(edges).mean()) if len(edges) > 1 else max(abs(float(edges[0])), 1.0)
    places = np.empty(2 * len(edges) + 1)
    places[1::2] = edges
    places[2:-1:2] = (edges[1:] + edges[:-1]) / 2
    places[0], places[-1] = edges[0] - gap, edges[-1] + gap
    return places


def population(counts: Floats) -> Floats:
    """Shares to draw undrifted windows from: what the reference never had may come, as often as half of one of its rows."""
    n = counts.sum()
    absent = counts == 0
    if not absent.any():
        return np.asarray(counts / n)
    return np.asarray(np.where(absent, 0.5 / absent.sum(), counts * (n - 0.5) / n) / n)


def ks(left: Floats, right: Floats, parts: ColumnParts) -> Floats:
    """Kolmogorov and Smirnov's: the largest gap between the cumulated shares."""
    return np.asarray(np.abs(np.cumsum(_shares(left) - _shares(right), axis=-1)).max(axis=-1))


def chi_square(left: Floats, right: Floats, parts: ColumnParts) -> Floats:
    """Of two samples, a row: 0 where their shares are the same."""
    n, m = left.sum(axis=-1, keepdims=True), right.sum(axis=-1, keepdims=True)
    both = left + right
    apart = (left * np.sqrt(m / n) - right * np.sqrt(n / m)) ** 2
    return np.asarray(np.divide(apart, both, out=np.zeros_like(apart), where=both > 0).sum(axis=-1) / (n + m)[..., 0])


def psi(left: Floats, right: Floats, parts: ColumnParts) -> Floats:
    """Population stability index; half a row stands in each part, so that an empty one is not infinitely far."""
    from scipy.special import rel_entr

    p, q = _shares(left + 0.5), _shares(right + 0.5)
    return np.asarray((rel_entr(p, q) + rel_entr(q, p)).sum(axis=-1))


def jensen_shannon(left: Floats, right: Floats, parts: ColumnParts) -> Floats:
    """The distance, of base 2: 0 to 1."""
    from scipy.spatial.distance import jensenshannon

    p, q = np.broadcast_arrays(_shares(left), _shares(right))
    return np.asarray(np.nan_to_num(jensenshannon(p, q, base=2, axis=-1)))


def wasserstein(left: Floats, right: Floats, parts: ColumnParts) -> Floats:
    """How far values moved, in standard deviations of the reference."""
    p, q = _shares(left), _shares(right)
    gaps = np.abs(np.cumsum(p - q, axis=-1))[..., :-1] * np.diff(parts.positions)
    mean = (p * parts.positions).sum(axis=-1, keepdims=True)
    deviation = np.sqrt((p * (parts.positions - mean) ** 2).sum(axis=-1))
    return np.asarray(gaps.sum(axis=-1) / np.where(deviation > 0, deviation, np.diff(parts.positions).mean()))


def _shares(counts: Floats) -> Floats:
    return np.asarray(counts / counts.sum(axis=-1, keepdims=True))


PartsDistance = Callable[[Floats, Floats, ColumnParts], Floats]
OF_NUMBERS: dict[str, PartsDistance] = {"ks": ks, "wasserstein": wasserstein}
OF_ANY: dict[str, PartsDistance] = {"chi-square": chi_square, "psi": psi, "jensen-shannon": jensen_shannon}
