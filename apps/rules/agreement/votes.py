"""Who said what of which example, as arrays, and what any coefficient of agreement says of it."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.rules.sentences import sentence
from apps.rules.words import count

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

DRAWS = 1000
LEVEL = (2.5, 97.5)  # percentiles of a 95 % interval
NOTHING_LEFT = 1e-12  # a difference of shares below this is rounding


@dataclass(frozen=True, slots=True)
class Coefficient:
    """1 is perfect, 0 is chance, below is worse than chance. `low` and `high` are its 95 % interval, None where
    there is none: undefined, or without a single disagreement. `examples` are those that at least two people answered.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    examples: int = 0
    people: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Votes:
    """v answers: example, person and answer as numbers from 0, each (v,), in the order of the examples.

    A person answers an example at most once. Equal answers have equal codes, below `n_codes`.
    """

    units: Ints
    people: Ints
    codes: Ints
    n_codes: int

    @classmethod
    def of(cls, rows: Iterable[tuple[Hashable, Hashable, int]], n_codes: int) -> "Votes":
        """From (example, person, code) in any order.

        >>> Votes.of([("x", "Ada", 0), ("y", "Ada", 1), ("x", "Grace", 0)], 2).units.tolist()
        [0, 0, 1]
        """
        found = list(rows)
        places = [_numbered(row[column] for row in found) for column in (0, 1)]
        return cls.sorted(places[0], places[1], np.array([row[2] for row in found], np.int64), n_codes)

    @classmethod
    def sorted(cls, units: Ints, people: Ints, codes: Ints, n_codes: int) -> "Votes":
        order = np.argsort(units, kind="stable")
        return cls(units[order], people[order], codes[order], n_codes)

    def shared(self) -> "Votes":
        """Only the examples that at least two people answered, numbered anew."""
        times = np.bincount(self.units, minlength=1)
        kept = times[self.units] >= 2
        _, units = np.unique(self.units[kept], return_inverse=True)
        return Votes(units.astype(np.int64), self.people[kept], self.codes[kept], self.n_codes)

    @property
    def n_units(self) -> int:
        return int(self.units[-1]) + 1 if len(self.units) else 0

    @property
    def n_people(self) -> int:
        return len(np.unique(self.people))

    def counts(self) -> Ints:
        """How often each answer was given: (examples, codes)."""
        flat = np.bincount(self.units * self.n_codes + self.codes, minlength=self.n_units * self.n_codes)
        return flat.reshape(self.n_units, self.n_codes).astype(np.int64)

    def why_none(self) -> str:
        """Why these votes say nothing of agreement; empty when they may."""
        if not len(self.units):
            return sentence("Nobody has answered yet.")
        if self.n_people < 2:
            return sentence("Only one person has answered, so there is nobody to agree with.")
        if not len(self.shared().units):
            return sentence(
                "{n_people} people have answered, but no two of them the same example.", n_people=self.n_people
            )
        return ""


def _numbered(names: Iterable[Hashable]) -> Ints:
    places: dict[Hashable, int] = {}
    return np.array([places.setdefault(name, len(places)) for name in names], np.int64)


def one_answer(examples: int) -> str:
    return sentence(
        "All answers to the {shared_examples} are the same label. Agreement by chance would be perfect too, "
        "so the coefficient is undefined.",
        shared_examples=count(examples, "shared example"),
    )


def interval(drawn: Floats) -> tuple[float | None, float | None]:
    """Percentiles of the draws where the coefficient exists; None for both where they do not vary or seldom exist.

    A bootstrap of answers without any disagreement knows no doubt, and that is not certainty.
    """
    there = drawn[np.isfinite(drawn)]
    if len(there) < len(drawn) / 2 or not len(there) or there.min() == there.max():
        return None, None
    low, high = np.percentile(there, LEVEL)
    return float(low), float(high)


def patterns(counts: Ints) -> tuple[Ints, Ints]:
    """The different rows of counts and how often each occurs: examples alike are drawn together, at a fraction of the cost."""
    packed = np.ascontiguousarray(counts.astype(np.int32))
    keys = packed.view(np.dtype((np.void, packed.dtype.itemsize * packed.shape[1]))).ravel()
    _, first, times = np.unique(keys, return_index=True, return_counts=True)
    return counts[first], times.astype(np.int64)


def weights(times: Ints, *, seed: int, draws: int) -> Floats:
    """How often each pattern is drawn in a bootstrap over the examples: (draws, patterns)."""
    n = int(times.sum())
    drawn = np.random.default_rng(seed).multinomial(n, times / n, size=draws)
    return drawn.astype(np.float64)
