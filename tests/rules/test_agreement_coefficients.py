"""Cohen, Fleiss, pairs and shares against published and hand-computed figures."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.rules.agreement import Votes, cohen, difference, fleiss, pairs_of, partners_of, share_of

# Fleiss 1971's procedure on ten subjects and 14 raters, as worked out on Wikipedia: 0.210.
FOURTEEN_RATERS = np.array(
    [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
)
# Fifty grant proposals: both yes 20, only A 5, only B 10, both no 15. Expected by chance 0.5, kappa 0.4.
PROPOSALS_A = [1] * 25 + [0] * 25
PROPOSALS_B = [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15


def votes(rows, k=2):
    return Votes.of(rows, k)


def test_cohens_fifty_proposals_give_0_4():
    found = cohen(PROPOSALS_A, PROPOSALS_B)
    assert (found.value, found.examples, found.reason) == (0.4, 50, "")
    assert found.low == pytest.approx(0.15, abs=0.03) and found.high == pytest.approx(0.64, abs=0.03)


def test_fourteen_raters_give_0_210():
    found = fleiss(FOURTEEN_RATERS)
    assert round(found.value, 3) == 0.210
    assert found.low < 0.21 < found.high


def test_a_missing_answer_leaves_the_example_out():
    assert cohen([*PROPOSALS_A, None, 1], [*PROPOSALS_B, 0, None]).value == 0.4
    assert fleiss(np.vstack([FOURTEEN_RATERS, [0, 1, 0, 0, 0], [0, 0, 0, 0, 0]])).value == fleiss(FOURTEEN_RATERS).value


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ([], [], "no example in common"),
        ([1, None], [None, 1], "no example in common"),
        ([1, 1, 1], [1, 1, 1], "the same label"),
    ],
)
def test_an_undefined_kappa_is_neither_nan_nor_one_but_a_sentence(one, other, reason):
    found = cohen(one, other)
    assert (found.value, found.low, found.high) == (None, None, None) and reason in found.reason


def test_an_undefined_fleiss_says_why():
    assert "two people" in fleiss(np.zeros((0, 0), np.int64)).reason
    assert "two people" in fleiss(np.array([[1, 0], [0, 1]])).reason
    alike = fleiss(np.array([[2, 0], [3, 0]]))
    assert alike.value is None and "All answers to the 2 shared examples are the same label" in alike.reason


def test_people_who_never_differ_have_no_interval_because_nothing_is_known_of_their_doubt():
    found = cohen([0, 1, 0, 1], [0, 1, 0, 1])
    assert (found.value, found.low, found.high) == (1.0, None, None)


def test_two_people_cannot_be_compared_on_different_examples():
    with pytest.raises(ValueError, match="same examples"):
        cohen([0, 1], [0])


def test_each_pair_that_met_has_the_kappa_of_its_own_examples():
    rows = [(f"e{i}", "ada", a) for i, a in enumerate(PROPOSALS_A)]
    rows += [(f"e{i}", "grace", b) for i, b in enumerate(PROPOSALS_B)]
    rows += [("e0", "rosa", 1), ("e1", "rosa", 0)]
    ada_grace, ada_rosa, grace_rosa = pairs_of(votes(rows))
    assert (ada_grace.one, ada_grace.other, ada_grace.examples, ada_grace.share) == (0, 1, 50, 0.7)
    assert ada_grace.kappa == pytest.approx(0.4) and ada_grace.low < 0.4 < ada_grace.high
    assert (ada_rosa.examples, ada_rosa.share) == (2, 0.5) and ada_rosa.kappa == 0.0
    assert (grace_rosa.one, grace_rosa.other) == (1, 2)
    partners = partners_of([ada_grace, ada_rosa, grace_rosa])
    assert (partners[2].meetings, partners[2].share) == (4, 0.5)


def test_a_pair_that_only_gave_one_label_is_told_why_there_is_no_kappa():
    (pair,) = pairs_of(votes([("x", "a", 0), ("x", "b", 0), ("y", "a", 0), ("y", "b", 0)]))
    assert (pair.share, pair.kappa) == (1.0, None) and "same label" in pair.reason


def test_pairs_of_answers_with_many_parts_have_their_mean_likeness():
    rows = votes([("x", "a", 0), ("x", "b", 1), ("y", "a", 1), ("y", "b", 1)])
    (pair,) = pairs_of(rows, lambda a, b: 0.5)
    assert (pair.share, pair.kappa) == (0.75, None) and "likeness" in pair.reason


answers = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 4), st.integers(0, 3)), max_size=40).map(
    lambda rows: list({(u, p): (u, p, c) for u, p, c in rows}.values())
)


@settings(max_examples=60)
@given(answers)
def test_kappa_of_a_pair_is_cohens_and_the_order_of_the_answers_does_not_matter(rows):
    found = pairs_of(Votes.of(rows, 4))
    assert {(p.examples, round(p.share, 9)) for p in pairs_of(Votes.of(rows[::-1], 4))} == {
        (p.examples, round(p.share, 9)) for p in found
    }
    people = list(dict.fromkeys(p for _, p, _ in rows))
    said = {(u, p): c for u, p, c in rows}
    for pair in found:
        one, other = people[pair.one], people[pair.other]
        units = [u for u in range(9) if (u, one) in said and (u, other) in said]
        single = cohen([said[u, one] for u in units], [said[u, other] for u in units], draws=2)
        assert pair.examples == len(units)
        assert (pair.kappa is None) == (single.value is None)
        assert pair.kappa is None or math.isclose(pair.kappa, single.value, abs_tol=1e-9)


@given(st.integers(0, 60), st.integers(0, 60))
def test_a_share_lies_within_its_interval_and_the_interval_within_0_and_1(times, more):
    found = share_of(times, times + more)
    if times + more:
        assert 0 <= found.low <= found.value + 1e-12 and found.value - 1e-12 <= found.high <= 1
    else:
        assert (found.value, found.low, found.high) == (None, None, None)


def test_the_difference_of_two_shares_is_newcombes():
    gap, low, high = difference(share_of(56, 70), share_of(48, 80))  # his worked example a, method 10
    assert (round(gap, 4), round(low, 4), round(high, 4)) == (0.2, 0.0524, 0.3339)
    assert difference(share_of(1, 2), share_of(0, 0)) is None


def test_a_share_of_fewer_than_it_counts_is_refused():
    with pytest.raises(ValueError, match="at least as many"):
        share_of(3, 2)
