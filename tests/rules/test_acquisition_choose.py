"""The order of a shortlist, and what is put behind: copies, what resembles skips, what has no vector."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.rules.acquisition import STRATEGIES, Candidates, CandidateScores, LabeledVectors, choose, shortlist
from apps.rules.acquisition.clusters import k_means, middles, shares
from apps.rules.acquisition.diversity import farthest_first
from apps.rules.acquisition.gradients import gradient_gaps, pulls
from apps.rules.acquisition.typical import typicality

NAMES = sorted(STRATEGIES)
NOTHING = LabeledVectors(np.empty((0, 0), np.float32), np.empty(0, np.int64))


def unit(rows):
    rows = np.asarray(rows, np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def directions(rows, dim=8, seed=0):
    return unit(np.random.default_rng(seed).normal(size=(rows, dim)))


def shortlisted(name, vectors, classes=3, seed=0):
    rng, strategy, n = np.random.default_rng(seed), STRATEGIES[name], len(vectors)
    scores = CandidateScores(np.arange(n), rng.dirichlet(np.ones(classes), n), rng.dirichlet(np.ones(classes), (4, n)))
    found = shortlist(strategy.priority, scores, keep=strategy.keep, seed=seed, per_class=strategy.per_class)
    return found.with_vectors(vectors[found.ids])


def chosen_ids(name, candidates, labeled=NOTHING, wanted=5, batch=5, seed=0):
    return choose(STRATEGIES[name], candidates, labeled, wanted=wanted, batch=batch, seed=seed).ids.tolist()


def by_textbook(vectors, wanted):
    """Gonzalez' loop, a product a step."""
    chosen, nearest = [0], ((vectors - vectors[0]) ** 2).sum(axis=1)
    while len(chosen) < wanted:
        nearest[chosen] = -1
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, ((vectors - vectors[chosen[-1]]) ** 2).sum(axis=1))
    return chosen


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=6, deadline=None)
@given(
    m=st.integers(1, 60),
    known=st.integers(0, 8),
    wanted=st.integers(1, 70),
    batch=st.integers(1, 20),
    seed=st.integers(0, 99),
)
def test_every_strategy_returns_distinct_examples_as_many_as_wanted_the_same_for_a_seed(
    name, m, known, wanted, batch, seed
):
    vectors = directions(m + known, 4, seed)
    vectors[::7] = vectors[0]  # copies
    vectors[::11] = 0  # no usable vector
    labeled = LabeledVectors(vectors[m:], np.arange(known) % 4 - 1)
    candidates = shortlisted(name, vectors[:m], seed=seed)
    ids = chosen_ids(name, candidates, labeled, wanted, batch, seed)
    assert len(ids) == len(set(ids)) == min(wanted, m)
    assert set(ids) <= set(range(m))
    assert ids == chosen_ids(name, candidates, labeled, wanted, batch, seed)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "vectors",
    [np.full((30, 4), np.nan, np.float32), np.full((30, 4), 0.5, np.float32), np.zeros((30, 4), np.float32)],
    ids=["nan", "constant", "zero"],
)
@pytest.mark.filterwarnings("error")
def test_useless_vectors_still_give_a_batch(name, vectors):
    assert (
        len(set(chosen_ids(name, shortlisted(name, vectors), LabeledVectors(vectors[:2], np.array([0, -1])), 10))) == 10
    )


@pytest.mark.parametrize("name", NAMES)
def test_one_class_no_rows_and_a_pool_smaller_than_the_batch_are_no_errors(name):
    assert len(chosen_ids(name, shortlisted(name, directions(30), classes=1))) == 5
    assert chosen_ids(name, shortlisted(name, directions(0))) == []
    assert sorted(chosen_ids(name, shortlisted(name, directions(3)), wanted=50, batch=50)) == [0, 1, 2]
    assert chosen_ids(name, shortlisted(name, directions(3)), wanted=0) == []


@pytest.mark.parametrize("name", NAMES)
def test_without_vectors_the_priority_decides(name):
    candidates = replace(shortlisted(name, directions(20)), vectors=None)
    if name != "class-quota":
        assert chosen_ids(name, candidates) == candidates.ids[:5].tolist()


@pytest.mark.parametrize("name", ["typicality", "core-set", "random"])
def test_the_start_needs_no_probabilities(name):
    found = shortlist(STRATEGIES[name].priority, CandidateScores(np.arange(20)), keep=20, seed=0)
    assert len(chosen_ids(name, found.with_vectors(directions(20)[found.ids]))) == 5


def test_farthest_first_is_the_textbook_loop_on_more_rows_than_a_block():
    vectors = np.random.default_rng(0).normal(size=(1500, 16))
    assert farthest_first(vectors, 700).tolist() == by_textbook(vectors, 700)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 400), st.integers(1, 4), st.integers(0, 99))
def test_farthest_first_breaks_ties_by_the_lower_place_as_the_loop_does(m, dim, seed):
    vectors = (
        np.random.default_rng(seed).integers(0, 4, (m, dim)).astype(np.float64)
    )  # exact sums, many ties and copies
    vectors[:, 0] += 1  # no row of zeros
    assert farthest_first(vectors, m).tolist() == by_textbook(vectors, m)


def test_farthest_first_takes_rows_without_a_direction_last():
    vectors = np.array([[1, 0], [np.nan, 0], [0, 0], [1, 0], [0, 1]], np.float32)
    assert farthest_first(vectors, 5).tolist() == [0, 4, 3, 1, 2]
    assert farthest_first(vectors, 5, among=np.array([[0, 1]], np.float32)).tolist() == [0, 3, 4, 1, 2]


def test_core_set_goes_where_nothing_is_labeled():
    vectors = unit([[1, 0, 0], [0.9, 0.3, 0], [0, 1, 0], [0, 0.9, 0.4]])
    labeled = LabeledVectors(unit([[1, 0.1, 0]]), np.array([0]))
    assert chosen_ids("core-set", shortlisted("core-set", vectors), labeled, 1) in ([2], [3])


def test_margin_and_clusters_takes_one_of_each_kind_before_a_second_of_any():
    kinds = np.repeat(np.eye(4, dtype=np.float32), 10, axis=0)
    vectors = unit(kinds + 0.15 * np.random.default_rng(0).normal(size=kinds.shape))
    ids = chosen_ids("margin-clusters", shortlisted("margin-clusters", vectors), wanted=8, batch=4)
    assert sorted(i // 10 for i in ids[:4]) == [0, 1, 2, 3]


def test_margin_and_clusters_begins_with_the_kind_that_is_doubted_most_not_with_the_largest():
    vectors = unit(np.repeat(np.eye(2), [12, 6], axis=0) + 0.05 * np.random.default_rng(0).normal(size=(18, 2)))
    candidates = Candidates(np.arange(18), np.repeat([0.5, 0.9], [12, 6]), None, vectors)
    first, second = chosen_ids("margin-clusters", candidates, wanted=2, batch=2)
    assert first >= 12 > second


def test_margin_and_clusters_looks_for_kinds_only_among_the_least_certain():
    candidates = shortlisted("margin-clusters", directions(500))
    assert set(chosen_ids("margin-clusters", candidates, wanted=3, batch=3)) <= set(candidates.ids[:60].tolist())


def test_an_outlier_is_no_middle_of_anything():
    crowd = unit(np.array([1.0, 0, 0]) + 0.05 * np.random.default_rng(0).normal(size=(39, 3)))
    candidates = Candidates(np.arange(40), np.full(40, 0.9), None, np.vstack([crowd, [[0, 0, 1]]]).astype(np.float32))
    assert chosen_ids("margin-clusters", candidates, wanted=1, batch=1) != [39]
    assert 39 in chosen_ids("margin-diversity", candidates, wanted=2, batch=2)


def test_typical_examples_come_from_big_clusters_without_a_label_first():
    sizes, eye = [20, 12, 6], np.eye(3, dtype=np.float32)
    vectors = unit(np.repeat(eye, sizes, axis=0) + 0.15 * np.random.default_rng(0).normal(size=(38, 3)))
    kind = np.repeat([0, 1, 2], sizes)
    candidates = shortlisted("typicality", vectors)
    assert kind[chosen_ids("typicality", candidates, wanted=3, batch=3)].tolist() == [0, 1, 2]
    labeled = LabeledVectors(unit([[1, 0.25, -0.25]]), np.array([0]))
    assert kind[chosen_ids("typicality", candidates, labeled, wanted=2, batch=2)].tolist() == [1, 2]


def test_typicality_is_one_over_the_mean_distance_to_the_neighbors():
    line = np.array([[0.0], [1.0], [3.0]])
    assert typicality(line, 2) == pytest.approx([1 / 2, 1 / 1.5, 1 / 2.5], rel=1e-4)
    assert typicality(line[:1], 2).tolist() == [1.0]


def test_class_quota_takes_turns_and_begins_with_the_class_that_has_fewest_labels():
    rows = np.array([[0.5, 0.4, 0.1]] * 4 + [[0.1, 0.8, 0.1]] + [[0.1, 0.1, 0.8]] * 2)
    strategy = STRATEGIES["class-quota"]
    found = shortlist(strategy.priority, CandidateScores(np.arange(7), rows), keep=30, seed=0, per_class=True)
    labeled = LabeledVectors(np.empty((4, 0), np.float32), np.array([0, 0, 1, -1]))
    guessed = rows.argmax(axis=1)[choose(strategy, found, labeled, wanted=7, batch=7, seed=0).ids]
    assert guessed.tolist() == [2, 1, 0, 2, 0, 0, 0]


def test_gradient_gaps_equal_those_of_the_outer_products_written_out():
    rng = np.random.default_rng(0)
    p, v = rng.dirichlet(np.ones(4), 12), rng.normal(size=(12, 5))
    written = (pulls(p)[:, :, None] * v[:, None, :]).reshape(12, -1)
    assert gradient_gaps(pulls(p), v, 3) == pytest.approx(((written - written[3]) ** 2).sum(axis=1), abs=1e-9)


def test_badge_begins_with_the_longest_gradient_and_never_draws_a_copy_while_others_are_left():
    vectors = np.vstack([np.eye(3), np.eye(3)]).astype(np.float32)
    p = np.array([[0.5, 0.5], [0.6, 0.4], [0.7, 0.3]] * 2)
    candidates = Candidates(np.arange(6), np.zeros(6), p, vectors)
    for seed in range(10):
        ids = chosen_ids("badge", candidates, wanted=6, batch=6, seed=seed)
        assert ids[0] == 0
        assert {i % 3 for i in ids[:3]} == {0, 1, 2}


@pytest.mark.parametrize("name", ["margin-clusters", "margin-diversity", "badge", "typicality", "core-set"])
def test_a_copy_of_a_labeled_or_chosen_example_goes_behind_all_others_and_is_counted(name):
    vectors = directions(12)
    vectors[3] = vectors[7]  # twice in the pool
    labeled = LabeledVectors(vectors[[5]], np.array([0]))
    chosen = choose(STRATEGIES[name], shortlisted(name, vectors), labeled, wanted=12, batch=12, seed=0)
    assert 5 in chosen.ids[-2:]
    assert {3, 7} & set(chosen.ids[-2:].tolist())
    assert (chosen.near_duplicates, chosen.like_skipped) == (2, 0)
    short = choose(STRATEGIES[name], shortlisted(name, vectors), labeled, wanted=10, batch=10, seed=0)
    assert 5 not in short.ids


def test_an_example_like_a_skipped_one_goes_last_and_is_counted_apart():
    vectors = directions(12)
    skipped = LabeledVectors(vectors[[5]], np.array([-1]))
    chosen = choose(
        STRATEGIES["margin-clusters"], shortlisted("margin-clusters", vectors), skipped, wanted=12, batch=4, seed=0
    )
    assert chosen.ids[-1] == 5
    assert (chosen.near_duplicates, chosen.like_skipped) == (0, 1)


def test_similar_examples_that_are_no_copies_are_all_asked():
    vectors = unit([[1, 0], [1, 0.25]])  # cosine 0.97
    chosen = choose(
        STRATEGIES["margin-clusters"], shortlisted("margin-clusters", vectors), NOTHING, wanted=2, batch=2, seed=0
    )
    assert chosen.near_duplicates == 0


def test_a_pool_of_nothing_but_copies_is_still_served():
    vectors = np.repeat(directions(1), 900, axis=0)
    chosen = choose(
        STRATEGIES["margin-clusters"], shortlisted("margin-clusters", vectors), NOTHING, wanted=700, batch=50, seed=0
    )
    assert len(set(chosen.ids.tolist())) == 700
    assert chosen.near_duplicates == 899


def test_k_means_finds_groups_that_lie_apart_and_no_more_than_differ():
    rows = np.repeat(np.eye(3), [5, 3, 2], axis=0)
    centers, home = k_means(rows, 7, seed=0)
    assert len(centers) == 3
    assert len({tuple(home[:5]), tuple(home[5:8]), tuple(home[8:])}) == 3
    assert k_means(rows[:0], 3, seed=0)[1].tolist() == []


def test_more_clusters_than_are_made_in_one_go_still_part_the_rows():
    rows = directions(600, 16)
    found = middles(rows, np.ones(600), 300, seed=0)
    assert len(set(found.tolist())) == len(found) >= 270
    assert len(middles(np.ones((600, 4)), np.ones(600), 300, seed=0)) == 1


def test_a_weight_of_zero_pulls_no_center():
    rows = np.array([[0.0, 0], [1, 0], [10, 0]])
    centers, _ = k_means(rows, 1, weights=np.array([1.0, 1.0, 0.0]), seed=0)
    assert centers.tolist() == [[0.5, 0.0]]


@settings(max_examples=30)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=8), st.integers(0, 40))
def test_shares_add_up_and_no_group_gets_more_than_it_has(sizes, total):
    sizes = np.array(sizes)
    found = shares(sizes.astype(float), sizes, total)
    assert (found <= sizes).all()
    assert found.sum() <= total
    assert shares(np.array([6.0, 3.0, 1.0]), np.array([9, 9, 9]), 10).tolist() == [6, 3, 1]
