"""Which logged requests of a drifted window are asked about first, and which of them judge the mended model.

Every third example judges and is never trained on while the alarm is open. Judges are drawn by chance alone from the drifted part:
chosen for the model's doubt, they would show an accuracy that no user meets. Of the others half are drawn by chance as well, so
that the model learns what is usual there, and half are those that it was least sure of.
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
    usual = learning[: (wanted - len(judging)) // 2]
    rest = learning[len(usual) :]
    known = np.isfinite(confidence[rest])
    doubted = rest[np.argsort(np.where(known, confidence[rest], np.inf), kind="stable")]
    doubted = doubted[: wanted - len(judging) - len(usual)]
    return _in_turn(judging.tolist(), usual.tolist(), doubted.tolist(), confidence)


def _in_turn(judging: list[int], usual: list[int], doubted: list[int], confidence: Floats) -> list[SlicePick]:
    """One that teaches what is usual, one that is doubted, one that judges: wherever people stop, all three are there."""
    found = []
    for turn in range(max(len(judging), len(usual), len(doubted), 0)):
        if turn < len(usual):
            found.append(SlicePick(usual[turn], "typical", judges=False))
        if turn < len(doubted):
            why: Why = "unsure" if np.isfinite(confidence[doubted[turn]]) else "typical"
            found.append(SlicePick(doubted[turn], why, judges=False))
        if turn < len(judging):
            found.append(SlicePick(judging[turn], "typical", judges=True))
    return found
