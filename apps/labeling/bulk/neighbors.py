"""The nearest examples by the cosine of their vectors: block by block over the mapped shards, never the matrix as a whole."""

import ctypes
import mmap
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.accounts.models import User
from apps.datasets.ids import among, ids_selected
from apps.features.shards import Mapped, gathered, shards_open
from apps.labeling.encoders import encoder_of
from apps.labeling.services.frontier import closed_ids
from apps.projects.models import Project

BLOCK = 8192  # rows: 12 MB of float32 at 384 numbers, small enough for the processor's cache and for every machine

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Neighbors:
    """Ids by falling similarity, and the similarities; `known` is False where the example has no vector yet."""

    ids: tuple[int, ...]
    similarities: tuple[float, ...]
    known: bool = True


def neighbors_of(project: Project, example_id: int, *, count: int, without: Ids, holdout: bool) -> Neighbors:
    """The `count` nearest examples but itself and those in `without` (ascending); with or without the holdout."""
    shards = shards_open(project.pk, encoder_of(project)).shards
    vectors, found = gathered(shards, np.array([example_id], np.int64))
    length = float(np.linalg.norm(vectors[0])) if found.any() else 0.0
    if not length:
        return Neighbors((), (), known=False)
    return nearest(shards, vectors[0] / length, count=count, without=_with(without, example_id), holdout=holdout)


def _with(ids: Ids, one: int) -> Ids:
    return np.union1d(ids, np.array([one], np.int64))


def nearest(
    shards: tuple[Mapped, ...], query: NDArray[np.float32], *, count: int, without: Ids, holdout: bool
) -> Neighbors:
    """query (dim,), of length 1."""
    best_ids, best = np.empty(0, np.int64), np.empty(0, np.float32)
    for shard in shards:
        usable = shard.usable & ~among(shard.ids, without)
        if not holdout:
            usable &= ~shard.holdout
        for start in range(0, len(shard), BLOCK):
            rows = np.flatnonzero(usable[start : start + BLOCK])
            if len(rows):
                block = shard.vectors[start : start + BLOCK].astype(np.float32)
                lengths = np.sqrt(np.einsum("ij,ij->i", block, block))
                scores = (block @ query)[rows] / np.maximum(lengths[rows], 1e-9)
                best_ids, best = _kept(best_ids, best, shard.ids[start : start + BLOCK][rows], scores, count)
        _let_go(shard.vectors)
    order = np.lexsort((best_ids, -best))
    return Neighbors(tuple(best_ids[order].tolist()), tuple(best[order].round(4).tolist()))


def _let_go(vectors: NDArray[np.float16]) -> None:
    """Take a mapped file's pages out of this process; they stay in the system's cache for the next one who asks."""
    begin, end = vectors.ctypes.data, vectors.ctypes.data + vectors.nbytes
    first, last = -(-begin // mmap.PAGESIZE) * mmap.PAGESIZE, end // mmap.PAGESIZE * mmap.PAGESIZE
    if _LIBC is not None and last > first:
        _LIBC.madvise(ctypes.c_void_p(first), ctypes.c_size_t(last - first), mmap.MADV_DONTNEED)


_LIBC = ctypes.CDLL(None) if hasattr(mmap, "MADV_DONTNEED") else None


def _kept(
    ids: Ids, scores: NDArray[np.float32], more_ids: Ids, more: NDArray[np.float32], count: int
) -> tuple[Ids, NDArray[np.float32]]:
    if len(scores) == count and count and more.max() <= scores.min():
        return ids, scores
    ids, scores = np.concatenate([ids, more_ids]), np.concatenate([scores, more])
    if len(ids) <= count:
        return ids, scores
    top = np.argpartition(-scores, count - 1)[:count]
    return ids[top], scores[top]


_TAKEN = """
    SELECT example_id FROM labeling_assignment
    WHERE project_id = %(project)s AND ((holder_id = %(holder)s AND state IN ('answered', 'skipped'))
      OR (state = 'leased' AND leased_until >= now()))
    UNION SELECT example_id FROM labeling_golditem WHERE project_id = %(project)s
    ORDER BY 1
"""


def not_to_ask(project: Project, by: User) -> Ids:
    """What this person is not to label in bulk, ascending: closed, theirs already, gold, or before somebody."""
    taken = ids_selected(_TAKEN, {"project": project.pk, "holder": by.pk})
    return np.union1d(closed_ids(project.pk), taken)
