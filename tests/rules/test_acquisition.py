"""How doubt is measured, how a pool is thinned, and what people are told."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.rules.acquisition import (
    DEFAULT,
    START,
    STRATEGIES,
    Candidates,
    CandidateScores,
    Need,
    merge,
    reason_of,
    reason_sentence,
    shortlist,
)
from apps.rules.acquisition.uncertainty import gradient_length, mutual_information

SURE, TORN, VAGUE = [0.9, 0.05, 0.05], [0.5, 0.49, 0.01], [0.4, 0.3, 0.3]


def scored(rows, ids=None, votes=None):
    rows = np.array(rows, np.float64)
    ids = np.arange(len(rows)) if ids is None else np.array(ids)
    return CandidateScores(ids.astype(np.int64), rows, None if votes is None else np.array(votes))


def listed(name, scores, keep=10_000, seed=0):
    strategy = STRATEGIES[name]
    return shortlist(strategy.priority, scores, keep=keep, seed=seed, per_class=strategy.per_class)


@pytest.mark.parametrize(
    ("strategy", "order"),
    [("margin", [2, 3, 1]), ("least-confidence", [3, 2, 1]), ("entropy", [3, 2, 1]), ("badge", [3, 2, 1])],
)
def test_each_strategy_puts_what_it_calls_doubt_first(strategy, order):
    assert listed(strategy, scored([SURE, TORN, VAGUE], [1, 2, 3])).ids.tolist() == order


def test_scores_are_those_computed_by_hand():
    assert STRATEGIES["margin"].priority(scored([TORN]), 0)[0] == pytest.approx(0.99)
    assert STRATEGIES["least-confidence"].priority(scored([TORN]), 0)[0] == pytest.approx(0.5)
    assert STRATEGIES["entropy"].priority(scored([[0.5, 0.5]]), 0)[0] == pytest.approx(np.log(2))
    assert gradient_length(scored([[0.6, 0.4]]))[0] == pytest.approx(np.hypot(0.4, 0.4))


def test_bald_is_the_whole_doubt_where_sure_members_contradict_and_none_where_they_doubt_alike():
    votes = [[[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.5, 0.5]]]
    found = mutual_information(scored([[0.5, 0.5], [0.5, 0.5]], votes=votes))
    assert found == pytest.approx([np.log(2), 0.0], abs=1e-9)


def test_bald_puts_rows_that_one_member_could_not_score_last():
    votes = [[[np.nan, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.5, 0.5]]]
    assert listed("bald", scored([[0.5, 0.5], [0.5, 0.5]], votes=votes)).ids.tolist() == [1, 0]


def test_doubt_without_a_model_is_refused_in_words():
    without = CandidateScores(np.arange(3))
    for name in ("margin", "entropy", "least-confidence", "badge"):
        with pytest.raises(ValueError, match="needs a model"):
            STRATEGIES[name].priority(without, 0)
    with pytest.raises(ValueError, match="needs the votes"):
        STRATEGIES["bald"].priority(without, 0)


@pytest.mark.parametrize("name", sorted(set(STRATEGIES) - {"bald"}))
def test_rows_without_a_usable_probability_come_last_and_say_so(name):
    rows = listed(name, scored([[np.nan, 0.5], [0.99, 0.01], [np.inf, 0.0]], [1, 2, 3]))
    assert rows.ids[0] == 2
    assert rows.priority[1:].tolist() == [-np.inf, -np.inf]
    reason = reason_of(name, rows.probabilities[1])
    assert reason == {"strategy": name, "unscored": 1}
    assert reason_sentence(reason, ["A", "B"]).endswith(".")


def test_equal_scores_are_ordered_by_the_seed_and_not_by_their_place():
    rows = scored(np.full((1000, 2), 0.5))
    one, again, other = (listed("margin", rows, keep=10, seed=seed).ids.tolist() for seed in (1, 1, 2))
    assert one == again
    assert one != other
    assert max(one) > 100


def test_an_unknown_strategy_is_refused_with_the_known_names():
    with pytest.raises(ValueError, match="entropy, least-confidence, margin, margin-clusters"):
        STRATEGIES["coreset"]


def test_one_class_or_no_row_is_no_error():
    assert len(listed("margin", scored(np.zeros((0, 3))))) == 0
    rows = listed("margin", scored([[1.0]], [4]))
    assert (rows.ids.tolist(), rows.priority.tolist()) == ([4], [0.0])
    assert (
        reason_sentence(reason_of("margin", rows.probabilities[0]), ["A"])
        == "The model's first guess is A, and it is only 100 % sure."
    )


@settings(max_examples=40)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_the_shortlist_is_the_top_of_a_full_sort(n, keep, seed):
    rows = scored(np.random.default_rng(seed).dirichlet(np.ones(4), size=n))
    doubt = STRATEGIES["entropy"].priority(rows, 0)
    assert listed("entropy", rows, keep, seed).priority.tolist() == sorted(doubt.tolist(), reverse=True)[:keep]


@given(
    st.integers(1, 80), st.integers(1, 40), st.lists(st.integers(0, 80), max_size=4), st.booleans(), st.integers(0, 999)
)
def test_merging_the_shortlists_of_any_shards_is_the_shortlist_of_the_whole(n, keep, cuts, per_class, seed):
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 4, (n, 3)) / 3.0  # many equal ones
    rows[rng.random(n) < 0.1] = np.nan
    ids, margin = rng.permutation(10 * n)[:n], STRATEGIES["margin"].priority
    whole = shortlist(margin, scored(rows, ids), keep=keep, seed=seed, per_class=per_class)
    edges = [0, *sorted(min(cut, n) for cut in cuts), n]
    parts = [
        shortlist(margin, scored(rows[a:b].reshape(-1, 3), ids[a:b]), keep=keep, seed=seed, per_class=per_class)
        for a, b in pairwise(edges)
    ]
    merged = merge(parts, keep=keep, seed=seed, per_class=per_class)
    assert merged.ids.tolist() == whole.ids.tolist()
    np.testing.assert_array_equal(merged.probabilities, whole.probabilities)


def test_a_shortlist_per_class_keeps_the_closest_calls_of_a_rare_class():
    rows = [[0.51, 0.49]] * 50 + [[0.1, 0.9]]
    assert 50 in listed("class-quota", scored(rows), keep=4).ids
    assert 50 not in listed("margin", scored(rows), keep=4).ids


def test_what_chooses_out_of_the_box_is_registered_and_the_start_asks_no_model():
    assert DEFAULT in STRATEGIES
    assert Need.MODEL not in STRATEGIES[START].needs


def test_the_reason_names_the_two_labels_and_reads_as_a_sentence():
    reason = reason_of("margin", np.array([0.38, 0.41, 0.21]))
    assert reason == {"strategy": "margin", "first": 1, "first_p": 0.41, "second": 0, "second_p": 0.38}
    assert reason_sentence(reason, ["B", "A", "C"]) == "The model hesitates between A and B, 41 % against 38 %."


@pytest.mark.parametrize(
    ("strategy", "sentence"),
    [
        ("random", "Drawn at random, whatever the model thinks."),
        ("typicality", "It stands for many examples like it that have few labels or none."),
        ("core-set", "It is unlike everything that has a label."),
        ("bald", "Versions of the model contradict each other here; together they lean to A, 41 %."),
        ("badge", "The model guesses A, 41 %, and an answer here would teach it something of its own."),
        ("class-quota", "Among the examples that the model takes for A, this is one of the least certain, 41 %."),
        ("entropy", "The model is torn between many labels: A leads with 41 %, B follows with 38 %."),
        ("least-confidence", "The model's first guess is A, and it is only 41 % sure."),
        ("margin-diversity", "The model hesitates between A and B, 41 % against 38 %."),
        (
            "margin-clusters",
            "The model hesitates between A and B, 41 % against 38 %, and this example stands for others like it.",
        ),
    ],
)
def test_every_strategy_has_its_own_true_sentence(strategy, sentence):
    assert reason_sentence(reason_of(strategy, np.array([0.41, 0.38, 0.21])), ["A", "B", "C"]) == sentence


def test_without_a_model_the_reason_says_so_and_a_typical_one_still_says_why():
    assert (
        reason_sentence(reason_of("margin", None), [])
        == "No model has been trained yet, so this one was drawn at random."
    )
    assert reason_sentence(reason_of("typicality", None), []).startswith("It stands for many")


def test_candidates_keep_vectors_only_when_every_shard_has_them():
    one = Candidates(np.array([1]), np.array([0.5]), None, np.ones((1, 2), np.float32))
    two = Candidates(np.array([2]), np.array([0.7]))
    assert merge([one, two], keep=2, seed=0).vectors is None
    assert merge([one, one.take(np.array([0]))], keep=2, seed=0).vectors.shape == (2, 2)
