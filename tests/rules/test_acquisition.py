import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.rules.acquisition import STRATEGIES, rank, reason_sentence

SURE, TORN, VAGUE = [0.9, 0.05, 0.05], [0.5, 0.49, 0.01], [0.4, 0.3, 0.3]


@pytest.mark.parametrize(
    ("strategy", "order"),
    [
        ("margin", [2, 3, 1]),
        ("least-confidence", [3, 2, 1]),
        ("entropy", [3, 2, 1]),
    ],
)
def test_each_strategy_puts_what_it_calls_doubt_first(strategy, order):
    picks = rank(strategy, np.array([SURE, TORN, VAGUE]), [1, 2, 3], 3, seed=0)
    assert [pick.example_id for pick in picks] == order


def test_scores_are_those_computed_by_hand():
    rows = np.array([TORN])
    rng = np.random.default_rng(0)
    assert STRATEGIES["margin"](rows, rng)[0] == pytest.approx(0.99)
    assert STRATEGIES["least-confidence"](rows, rng)[0] == pytest.approx(0.5)
    assert STRATEGIES["entropy"](np.array([[0.5, 0.5]]), rng)[0] == pytest.approx(np.log(2))


def test_the_reason_names_the_two_labels_and_reads_as_a_sentence():
    (pick,) = rank("margin", np.array([[0.38, 0.41, 0.21]]), [7], 1, seed=0)
    assert pick.reason == {"strategy": "margin", "first": 1, "first_p": 0.41, "second": 0, "second_p": 0.38}
    assert reason_sentence(pick.reason, ["B", "A", "C"]) == "The model hesitates between A and B, 41 % against 38 %."


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_rows_without_a_usable_probability_come_last_and_say_so(strategy):
    picks = rank(strategy, np.array([[np.nan, 0.5], [0.99, 0.01], [np.inf, 0.0]]), [1, 2, 3], 3, seed=0)
    assert picks[0].example_id == 2
    assert {pick.score for pick in picks[1:]} == {0.0}
    assert picks[1].reason == {"strategy": strategy, "unscored": 1}
    assert reason_sentence(picks[1].reason, ["A", "B"])


def test_equal_scores_are_ordered_by_the_seed_and_not_by_their_place():
    rows = np.full((1000, 2), 0.5)
    one, again, other = (rank("margin", rows, range(1000), 10, seed=seed) for seed in (1, 1, 2))
    assert one == again
    assert one != other
    assert max(pick.example_id for pick in one) > 100


def test_an_unknown_strategy_is_refused_with_the_known_names():
    with pytest.raises(ValueError, match="entropy, least-confidence, margin, random"):
        rank("coreset", np.array([SURE]), [1], 1, seed=0)


def test_one_class_or_no_row_is_no_error():
    assert rank("margin", np.zeros((0, 3)), [], 5, seed=0) == ()
    (pick,) = rank("margin", np.array([[1.0]]), [4], 5, seed=0)
    assert (pick.example_id, pick.score) == (4, 0.0)
    assert reason_sentence(pick.reason, ["A"]) == "The model's first guess is A, and it is only 100 % sure."


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_the_picks_are_the_top_of_a_full_sort(n, limit, seed):
    rows = np.random.default_rng(seed).dirichlet(np.ones(4), size=n)
    picks = rank("entropy", rows, range(n), limit, seed)
    scores = STRATEGIES["entropy"](rows, np.random.default_rng(0))
    assert [pick.score for pick in picks] == sorted(scores.tolist(), reverse=True)[:limit]


def test_the_best_of_a_hundred_thousand_rows_are_those_of_a_full_sort():
    rows = np.random.default_rng(0).dirichlet(np.ones(20), size=100_000)
    picks = rank("margin", rows, np.arange(100_000), 3000, seed=0)
    scores = STRATEGIES["margin"](rows, np.random.default_rng(0))
    assert [pick.score for pick in picks] == np.sort(scores)[::-1][:3000].tolist()
