"""What is known of examples while they compete, and the two exact steps that thin them out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]
Priority = Callable[["CandidateScores", int], Floats]


@dataclass(frozen=True, slots=True, eq=False)
class CandidateScores:
    """What a model says of n examples. Both are None where no model exists yet.

    ids (n,); probabilities (n, classes), rows that could not be scored are NaN; votes (members, n, classes) are the
    probabilities of each member of an ensemble, there only for a strategy that needs them.
    """

    ids: Ints
    probabilities: Floats | None = None
    votes: Floats | None = None

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """The examples that are still in the race, best first.

    ids (m,); priority (m,), higher is better; probabilities (m, classes) or None without a model; vectors (m, dim)
    float32 of length 1, a row of zeros where an example has no usable vector, or None where no strategy asks for them.
    """

    ids: Ints
    priority: Floats
    probabilities: Floats | None = None
    vectors: Floats | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, places: NDArray[np.intp]) -> "Candidates":
        return Candidates(
            self.ids[places],
            self.priority[places],
            None if self.probabilities is None else self.probabilities[places],
            None if self.vectors is None else self.vectors[places],
        )

    def with_vectors(self, vectors: Floats) -> "Candidates":
        return Candidates(self.ids, self.priority, self.probabilities, vectors)


@dataclass(frozen=True, slots=True, eq=False)
class LabeledVectors:
    """What people have settled already: vectors (l, dim) float32 of length 1, classes (l,) as indices, -1 for a skip."""

    vectors: Floats
    classes: Ints


def chance_of(ids: Ints, seed: int) -> NDArray[np.uint64]:
    """A number for each id that looks random and depends on nothing but id and seed (splitmix64): (n,) -> (n,).

    Ties are broken by it. A permutation would depend on which rows lie in the same shard; this does not.
    """
    with np.errstate(over="ignore"):
        x = ids.astype(np.uint64) + np.uint64(seed % 2**64) * np.uint64(0x9E3779B97F4A7C15)
        x += np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(x ^ (x >> np.uint64(31)))


def shortlist(
    priority: Priority, scores: CandidateScores, *, keep: int, seed: int, per_class: bool = False
) -> Candidates:
    """The `keep` best rows of one shard, best first; with `per_class` the `keep` / classes best of each predicted class.

    Rows whose probabilities are not finite come last. shortlist of shortlists is the shortlist of the whole; see merge.
    """
    value = np.asarray(priority(scores, seed), dtype=np.float64)
    if scores.probabilities is not None:
        value = np.where(np.isfinite(scores.probabilities).all(axis=1), value, -np.inf)
    whole = Candidates(scores.ids, value, scores.probabilities)
    return whole.take(_best(whole, keep, seed, per_class))


def merge(parts: Sequence[Candidates], *, keep: int, seed: int, per_class: bool = False) -> Candidates:
    """The `keep` best of several shortlists, as if one shard had held all their rows."""
    parts = [part for part in parts if len(part)] or list(parts[:1])
    whole = Candidates(
        np.concatenate([p.ids for p in parts]),
        np.concatenate([p.priority for p in parts]),
        _joined([p.probabilities for p in parts]),
        _joined([p.vectors for p in parts]),
    )
    return whole.take(_best(whole, keep, seed, per_class))


def _joined(arrays: Sequence[Floats | None]) -> Floats | None:
    there = [a for a in arrays if a is not None]
    return np.concatenate(there) if len(there) == len(arrays) and there else None


def _best(whole: Candidates, keep: int, seed: int, per_class: bool) -> NDArray[np.intp]:
    if not per_class or whole.probabilities is None or not len(whole):
        return _top(whole.priority, whole.ids, keep, seed)
    classes = whole.probabilities.shape[1]
    guessed = np.nan_to_num(whole.probabilities, nan=-1.0).argmax(axis=1)
    share = -(-keep // max(classes, 1))
    rows = [np.flatnonzero(guessed == c) for c in range(classes)]
    kept = [r[_top(whole.priority[r], whole.ids[r], share, seed)] for r in rows if len(r)]
    found = np.concatenate(kept)
    return found[_top(whole.priority[found], whole.ids[found], len(found), seed)]


def _top(priority: Floats, ids: Ints, keep: int, seed: int) -> NDArray[np.intp]:
    """Places of the `keep` highest, best first; equal ones in the order of chance_of, then of the id."""
    keep = min(keep, len(priority))
    if keep <= 0:
        return np.empty(0, np.intp)
    if keep < len(priority):
        threshold = np.partition(priority, len(priority) - keep)[len(priority) - keep]
        places = np.flatnonzero(priority >= threshold)  # a few more than keep where some are equal
    else:
        places = np.arange(len(priority))
    order = np.lexsort((ids[places], chance_of(ids[places], seed), -priority[places]))
    return np.asarray(places[order[:keep]], dtype=np.intp)
