"""Walk over a pool of any size and keep its best rows: chunk by chunk, nothing of it stays in memory."""

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.datasets.ids import among
from apps.features.shards import Mapped
from apps.rules.acquisition import Candidates, CandidateScores, Need, Strategy
from apps.rules.acquisition.streaming import RunningShortlist
from workers.training.models.score import CHUNK, VectorScorer, Voters

Ids = NDArray[np.int64]
Bools = NDArray[np.bool_]
Chunk = tuple[CandidateScores, Bools]  # what is known of some rows, and which of them may be chosen
MEMBERS = 10  # of the ensemble that votes (Gal, Islam and Ghahramani 2017 use 10 to 100)


@dataclass(frozen=True, slots=True, eq=False)
class Thinned:
    """The best rows of a pool or of a part of it. `scored` may be chosen, `unusable` of them have nothing to go by."""

    candidates: Candidates
    scored: int
    unusable: int


def thinned(strategy: Strategy, chunks: Iterable[Chunk], *, seed: int) -> Thinned:
    """Equal to one shortlist over everything that the chunks hold."""
    running = RunningShortlist(strategy.priority, keep=strategy.keep, seed=seed, per_class=strategy.per_class)
    scored = unusable = 0
    for scores, allowed in chunks:
        running.add(scores, allowed)
        scored += int(np.count_nonzero(allowed))
        unusable += _broken(scores, allowed)
    return Thinned(running.candidates(), scored, unusable)


def chunks_of_shards(
    shards: Iterable[Mapped], closed: Ids, scorer: VectorScorer | None, voters: Voters | None = None
) -> Iterator[Chunk]:
    """Rows of mapped shards, those of the holdout and of `closed` (ascending) not allowed. Without a scorer only ids."""
    for shard in shards:
        open_rows = ~(shard.holdout | among(shard.ids, closed))
        for start in range(0, len(shard), CHUNK):
            rows = slice(start, start + CHUNK)
            if not open_rows[rows].any():
                continue
            if scorer is None:
                yield CandidateScores(shard.ids[rows]), open_rows[rows]
                continue
            probabilities = scorer(shard.vectors[rows])
            lost = ~shard.usable[rows]
            if lost.any():
                probabilities[lost] = np.nan
            said = voters(shard.vectors[rows].astype(np.float32)) if voters else None
            yield CandidateScores(shard.ids[rows], probabilities, said), open_rows[rows]


def chunks_of_rows(
    ids: Ids, size: int, ask: Callable[[Ids], tuple[NDArray[np.float32], NDArray[np.float32] | None]]
) -> Iterator[Chunk]:
    """Rows that the model reads itself, `size` at once. `ask` gives probabilities and, where wanted, votes."""
    for start in range(0, len(ids), size):
        part = ids[start : start + size]
        probabilities, said = ask(part)
        yield CandidateScores(part, probabilities, said), np.ones(len(part), bool)


def chunks_of_ids(ids: Ids) -> Iterator[Chunk]:
    """Rows of which nothing but the id is known."""
    yield CandidateScores(ids), np.ones(len(ids), bool)


def voters_for(strategy: Strategy, make: Callable[[], Voters]) -> Voters | None:
    return make() if Need.VOTES in strategy.needs else None


def packed(candidates: Candidates) -> bytes:
    """Candidates as one file for the task that merges. Vectors travel as float16, which is what they came from."""
    arrays = {"ids": candidates.ids, "priority": candidates.priority}
    if candidates.probabilities is not None:
        arrays["probabilities"] = candidates.probabilities
    if candidates.vectors is not None:
        arrays["vectors"] = candidates.vectors.astype(np.float16)
    sink = io.BytesIO()
    np.savez(sink, allow_pickle=False, **arrays)
    return sink.getvalue()


def unpacked(content: bytes) -> Candidates:
    """Raises ValueError where the bytes are no such file."""
    with np.load(io.BytesIO(content), allow_pickle=False) as found:
        names = set(found.files)
        return Candidates(
            found["ids"],
            found["priority"],
            found["probabilities"] if "probabilities" in names else None,
            found["vectors"].astype(np.float32) if "vectors" in names else None,
        )


def _broken(scores: CandidateScores, allowed: Bools) -> int:
    if scores.probabilities is None or np.isfinite(scores.probabilities.sum()):
        return 0
    return int(np.count_nonzero(allowed & ~np.isfinite(scores.probabilities).all(axis=1)))
