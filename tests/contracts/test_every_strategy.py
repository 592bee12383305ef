"""What every strategy can do: choose, the same for the same seed, and say why in its own words."""

import string

import numpy as np
import pytest

from apps.rules.acquisition import (
    STRATEGIES,
    CandidateScores,
    LabeledVectors,
    Need,
    choose,
    reason_of,
    reason_template,
    shortlist,
)

HOLES = {"first", "first_p", "second", "second_p"}
NOTHING = LabeledVectors(np.empty((0, 0), np.float32), np.empty(0, np.int64))
every = pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=lambda s: s.name)


def chosen(strategy, *, n=30, seed=7):
    """Five of n examples, with no more known of them than the strategy says that it needs."""
    rng = np.random.default_rng(1)
    probabilities, votes = rng.dirichlet(np.ones(3), n), rng.dirichlet(np.ones(3), (4, n))
    asks = strategy.asks_model
    scores = CandidateScores(
        np.arange(n), probabilities if asks else None, votes if Need.VOTES in strategy.needs else None
    )
    short = shortlist(strategy.priority, scores, keep=strategy.keep, seed=seed, per_class=strategy.per_class)
    if Need.VECTORS in strategy.needs:
        vectors = rng.normal(size=(n, 8)).astype(np.float32)
        short = short.with_vectors((vectors / np.linalg.norm(vectors, axis=1, keepdims=True))[short.ids])
    return choose(strategy, short, NOTHING, wanted=5, batch=5, seed=seed).ids.tolist()


@every
def test_it_chooses_distinct_examples_the_same_for_a_seed_from_what_it_says_it_needs(strategy):
    ids = chosen(strategy)
    assert len(ids) == len(set(ids)) == 5 and set(ids) <= set(range(30))
    assert ids == chosen(strategy)


@every
def test_it_keeps_more_than_a_batch_and_of_an_empty_pool_nothing(strategy):
    assert strategy.keep >= 1000 and strategy.needs <= set(Need)
    assert chosen(strategy, n=0) == []


@every
def test_its_sentence_is_one_and_has_only_holes_that_are_filled(strategy):
    holes = {name for _, name, _, _ in string.Formatter().parse(strategy.sentence) if name}
    assert strategy.sentence.endswith(".") and holes <= (HOLES if strategy.asks_model else set())


@every
def test_it_says_its_own_sentence_and_no_other_one(strategy):
    row = np.array([0.41, 0.38, 0.21]) if strategy.asks_model else None
    template, filled = reason_template(reason_of(strategy.name, row), ["A", "B", "C"])
    assert template == strategy.sentence
    assert "{" not in template.format(**filled)
