"""A pool that comes in chunks is thinned to the same rows as one that comes whole."""

import numpy as np
import pytest

from apps.rules.acquisition import Candidates, CandidateScores, merge, shortlist
from apps.rules.acquisition.streaming import RunningShortlist
from apps.rules.acquisition.uncertainty import at_random, entropy, margin

PRIORITIES = [margin, entropy, at_random]


def pool(n: int, *, classes: int = 4, seed: int = 0, levels: int = 0) -> CandidateScores:
    """Random probabilities, some of them NaN; with `levels` only so many different rows, so that most are equal."""
    rng = np.random.default_rng(seed)
    rows = rng.dirichlet(np.ones(classes), n).astype(np.float32)
    if levels:
        rows = rows[rng.integers(0, levels, n)]
    rows[rng.random(n) < 0.02] = np.nan
    return CandidateScores(rng.permutation(n * 3)[:n].astype(np.int64), rows)


def streamed(scores: CandidateScores, priority, size: int, allowed=None, **more) -> Candidates:
    running = RunningShortlist(priority, **more)
    assert scores.probabilities is not None
    for start in range(0, len(scores), size):
        rows = slice(start, start + size)
        buffer = scores.probabilities[rows].copy()
        running.add(CandidateScores(scores.ids[rows], buffer), None if allowed is None else allowed[rows])
        buffer[:] = -1  # the next chunk overwrites it
    return running.candidates()


def equal(a: Candidates, b: Candidates) -> bool:
    return (
        np.array_equal(a.ids, b.ids)
        and np.array_equal(a.priority, b.priority)
        and np.array_equal(a.probabilities, b.probabilities, equal_nan=True)
    )


@pytest.mark.parametrize("priority", PRIORITIES)
@pytest.mark.parametrize("per_class", [False, True])
@pytest.mark.parametrize("levels", [0, 7], ids=["distinct", "mostly equal"])
@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_chunks_of_any_size_give_the_shortlist_of_the_whole(priority, per_class, levels, size) -> None:
    scores, more = pool(1000, levels=levels, seed=size), {"keep": 30, "seed": 5, "per_class": per_class}
    assert equal(streamed(scores, priority, size, **more), shortlist(priority, scores, **more))


def test_rows_that_are_not_allowed_are_as_if_they_were_not_there() -> None:
    scores, more = pool(1000), {"keep": 30, "seed": 5}
    allowed = np.random.default_rng(1).random(1000) < 0.5
    assert scores.probabilities is not None
    rest = CandidateScores(scores.ids[allowed], scores.probabilities[allowed])
    assert equal(streamed(scores, margin, 64, allowed, **more), shortlist(margin, rest, **more))


def test_two_streams_merged_are_one_stream() -> None:
    scores, more = pool(1000, levels=9), {"keep": 30, "seed": 5}
    assert scores.probabilities is not None
    halves = [
        streamed(CandidateScores(scores.ids[rows], scores.probabilities[rows]), margin, 50, **more)
        for rows in (slice(0, 400), slice(400, 1000))
    ]
    assert equal(merge(halves, **more), shortlist(margin, scores, **more))


def test_a_pool_smaller_than_wanted_comes_back_whole() -> None:
    scores = pool(12)
    assert sorted(streamed(scores, margin, 5, keep=30, seed=5).ids) == sorted(scores.ids)


def test_an_empty_pool_gives_no_candidates() -> None:
    assert len(RunningShortlist(margin, keep=30, seed=5).candidates()) == 0


def test_it_never_holds_more_than_a_few_shortlists() -> None:
    running, scores = RunningShortlist(margin, keep=30, seed=5), pool(5000)
    assert scores.probabilities is not None
    for start in range(0, 5000, 10):
        rows = slice(start, start + 10)
        running.add(CandidateScores(scores.ids[rows], scores.probabilities[rows]))
        assert sum(map(len, running._kept)) <= 3 * 30 + 10
