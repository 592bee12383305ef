"""The shortlist of a pool that comes in chunks: equal to `shortlist` of the whole, and never larger than a few of itself."""

import numpy as np
from numpy.typing import NDArray

from apps.rules.acquisition.candidates import Candidates, CandidateScores, Priority, merge

SLACK = 2  # shortlists kept before they are thinned: sorting each chunk would cost more than it saves


class RunningShortlist:
    """Feed it scores chunk by chunk; `candidates` is what `shortlist` would have said of all of them at once.

    What is below the worst kept so far cannot come back, so most rows are dropped by one comparison. Rows that equal
    it stay: chance decides between them, in `merge`.
    """

    def __init__(self, priority: Priority, *, keep: int, seed: int, per_class: bool = False) -> None:
        self.priority, self.keep, self.seed, self.per_class = priority, keep, seed, per_class
        self._kept: list[Candidates] = []
        self._waiting = 0
        self._least = -np.inf  # nothing below can be among the best `keep`

    def add(self, scores: CandidateScores, allowed: NDArray[np.bool_] | None = None) -> None:
        """`allowed` (n,) leaves rows out, which costs less than cutting them from every array beforehand."""
        if not len(scores) or self.keep <= 0:
            return
        value = priority_of(self.priority, scores, self.seed)
        better = value >= self._least
        places = np.flatnonzero(better if allowed is None else better & allowed)
        if not len(places):
            return
        # A copy of few rows: the chunk itself may be a buffer that the next one overwrites.
        probabilities = None if scores.probabilities is None else np.ascontiguousarray(scores.probabilities[places])
        self._kept.append(Candidates(scores.ids[places], value[places], probabilities))
        self._waiting += len(places)
        if self._waiting > (1 + SLACK) * self.keep:
            self._thin()

    def candidates(self) -> Candidates:
        """Best first."""
        if not self._kept:
            return Candidates(np.empty(0, np.int64), np.empty(0))
        self._thin()
        return self._kept[0]

    def _thin(self) -> None:
        best = merge(self._kept, keep=self.keep, seed=self.seed, per_class=self.per_class)
        self._kept, self._waiting = [best], len(best)
        if not self.per_class and len(best) == self.keep:  # each class has a bound of its own; those are few rows
            self._least = float(best.priority[-1])


def priority_of(priority: Priority, scores: CandidateScores, seed: int) -> NDArray[np.float64]:
    """(n,), higher first; -inf where the model gives nothing finite."""
    value = np.asarray(priority(scores, seed), dtype=np.float64)
    if scores.probabilities is not None and not np.isfinite(
        scores.probabilities.sum()
    ):  # one broken row breaks the sum
        value = np.where(np.isfinite(scores.probabilities).all(axis=1), value, -np.inf)
    return value
