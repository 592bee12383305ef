"""Which logged requests of a drifted window are asked about first, and which of them judge the mended model.

Every third example judges and is never trained on while the alarm is open. Judges are drawn by chance alone from the drifted part:
chosen for the model's doubt, they would show an accuracy that no user meets. Of the others two thirds are drawn by chance as well:
the model learns from them what is usual there, and they tell whether it is wrong there more often than it was. The rest are those
that it was least sure of.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from apps.rules.monitors.column_parts import is_empty, number_of, parts_of, word_of
from apps.rules.monitors.evidence import Floats

Why = Literal["typical", "unsure"]


@dataclass(frozen=True, slots=True)
class SlicePick:
    """One request by its place; `judges` keeps it out of training."""

    place: int
    why: Why
    judges: bool

    @property
    def by_chance(self) -> bool:
        return self.why == "typical"


def excess_of(before: Sequence[Any], now: Sequence[Any]) -> Floats:
    """(n,) of `now`: by how much the part of the column that a value stands in is more frequent than `before`; 0 where it is not.

    What is empty, or no number in a column of numbers, is in no part.
    """
    parts, found = parts_of(before), np.zeros(len(now))
    if parts is None:
        return found
    if parts.numeric:
        numbers = [number_of(value) for value in now]
        filled = np.array([number is not None for number in numbers], bool)
        known = np.array([number or 0.0 for number in numbers])
        edges = np.array(parts.places)
        cells = np.searchsorted(edges, known, side="left") + np.searchsorted(edges, known, side="right")
    else:
        index = {value: i for i, value in enumerate(parts.places)}
        filled = np.array([not is_empty(value) for value in now], bool)
        cells = np.array([index.get(word_of(value), len(parts.places)) for value in now], np.int64)
    left, right = parts.counts(before), np.bincount(cells[filled], minlength=parts.size)
    if not left.sum() or not right.sum():
        return found
    more = np.maximum(right / right.sum() - left / left.sum(), 0)
    found[filled] = more[cells[filled]]
    return found


def slice_picks(excess: Floats, confidence: Floats, *, most: int, seed: int) -> list[SlicePick]:
    """At most so many, in the order in which they are asked. `excess` (n,) is 0 outside the drifted part, `confidence` (n,) NaN
    where nobody knows it. Where nothing is in the drifted part, all are."""
    inside = np.flatnonzero(excess > 0)
    inside = inside if len(inside) else np.arange(len(excess))
    drawn = np.random.default_rng(seed).permutation(inside)
    wanted = min(most, len(inside))
    judging, learning = drawn[: wanted // 3], drawn[wanted // 3 :]
    usual = learning[: 2 * (wanted - len(judging)) // 3]
    rest = learning[len(usual) :]
    known = np.isfinite(confidence[rest])
    doubted = rest[np.argsort(np.where(known, confidence[rest], np.inf), kind="stable")]
    doubted = doubted[: wanted - len(judging) - len(usual)]
    return _in_turn(
        [SlicePick(int(i), "typical", judges=False) for i in usual],
        [SlicePick(int(i), "unsure" if np.isfinite(confidence[i]) else "typical", judges=False) for i in doubted],
        [SlicePick(int(i), "typical", judges=True) for i in judging],
    )


def _in_turn(*kinds: list[SlicePick]) -> list[SlicePick]:
    """Spread evenly: wherever people stop, each kind has its share."""
    placed = [((turn + 0.5) / len(kind), pick) for kind in kinds for turn, pick in enumerate(kind)]
    return [pick for _, pick in sorted(placed, key=lambda each: each[0])]
