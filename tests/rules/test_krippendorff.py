"""Krippendorff's alpha against his own example, Wikipedia's, and its definition written out."""

import time
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.rules.agreement import Votes, alpha, alpha_by, alpha_per_label, alpha_per_part

# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", four observers and twelve units.
FOUR_OBSERVERS = [
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
]
# Three coders and fifteen units, as worked out on Wikipedia.
THREE_CODERS = [". . . . . 3 4 1 2 1 1 3 3 . 3", "1 . 2 1 3 3 4 3 . . . . . . .", ". . 2 1 3 4 4 . 2 1 1 3 3 . 4"]


def read(lines):
    said = [(unit, who, int(c)) for who, line in enumerate(lines) for unit, c in enumerate(line.split()) if c != "."]
    return Votes.of(said, 6)


def by_definition(rows, distance):
    """1 - observed / expected disagreement over all ordered pairs, or None."""
    units = {u: [c for v, _, c in rows if v == u] for u, _, _ in rows}
    shared = [said for said in units.values() if len(said) > 1]
    every = [c for said in shared for c in said]
    if len(every) < 2:
        return None
    observed = sum(sum(distance(a, b) for a, b in permutations(said, 2)) / (len(said) - 1) for said in shared)
    expected = sum(distance(a, b) for a, b in permutations(every, 2)) / (len(every) - 1)
    return 1 - observed / expected if expected else None


def nominal(a, b):
    return float(a != b)


def squared(a, b):
    return float(a - b) ** 2


@pytest.mark.parametrize(
    ("lines", "nominal_alpha", "interval_alpha"), [(FOUR_OBSERVERS, 0.743, 0.849), (THREE_CODERS, 0.691, 0.811)]
)
def test_the_published_examples_give_the_published_figures(lines, nominal_alpha, interval_alpha):
    votes = read(lines)
    assert round(alpha(votes).value, 3) == nominal_alpha
    assert round(alpha_by(votes, nominal).value, 3) == nominal_alpha
    assert round(alpha_by(votes, squared).value, 3) == interval_alpha


def test_units_that_one_person_answered_count_for_nothing():
    found = alpha(read(FOUR_OBSERVERS))
    assert (found.examples, found.people) == (11, 4)


def test_the_interval_holds_the_value_and_is_the_same_for_the_same_seed():
    found, by = alpha(read(FOUR_OBSERVERS), seed=3), alpha_by(read(FOUR_OBSERVERS), nominal, seed=3)
    assert found.low < found.value < found.high
    assert found == alpha(read(FOUR_OBSERVERS), seed=3)
    assert by.low == pytest.approx(found.low, abs=0.08)  # weights the pairs of one example a little otherwise


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "Nobody has answered yet."),
        ([(1, "ada", 0), (2, "ada", 1)], "Only one person has answered"),
        ([(1, "ada", 0), (2, "grace", 1)], "no two of them the same example"),
        ([(1, "ada", 0), (1, "grace", 0), (2, "ada", 0), (2, "grace", 0)], "All answers to the 2 shared examples"),
    ],
)
def test_undefined_is_said_in_a_sentence_and_is_never_a_number(rows, reason):
    for found in (alpha(Votes.of(rows, 2)), alpha_by(Votes.of(rows, 2), nominal)):
        assert (found.value, found.low, found.high) == (None, None, None)
        assert reason in found.reason


def test_each_label_is_compared_with_the_rest():
    rows = [
        (u, who, c)
        for u, pair in enumerate([(0, 0), (0, 0), (1, 2), (1, 1), (2, 1), (0, 0)])
        for who, c in enumerate(pair)
    ]
    zero, one, two, never = alpha_per_label(Votes.of(rows, 4))
    assert zero.value == 1.0 and zero.low is None  # they never differ about it
    assert one.value == pytest.approx(by_definition([(u, w, int(c == 1)) for u, w, c in rows], nominal))
    assert two.value == pytest.approx(by_definition([(u, w, int(c == 2)) for u, w, c in rows], nominal))
    assert (never.value, never.reason) == (None, "Nobody gave this label to a shared example.")
    assert "Every answer" in alpha_per_label(Votes.of([(1, "a", 0), (1, "b", 0)], 1))[0].reason


def test_labels_nobody_shared_are_explained_too():
    (only,) = alpha_per_label(Votes.of([(1, "ada", 0)], 1))
    assert only.value is None and "Only one person" in only.reason


rows = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 4), st.integers(0, 3)), max_size=40).map(
    lambda found: list({(u, p): (u, p, c) for u, p, c in found}.values())
)


@settings(max_examples=100)
@given(rows)
def test_it_is_its_definition_for_any_answers(said):
    votes, expected = Votes.of(said, 4), by_definition(said, nominal)
    for found in (alpha(votes, draws=5), alpha_by(votes, nominal, draws=5)):
        assert found.value == (None if expected is None else pytest.approx(expected, abs=1e-9))
        assert (found.value is None) == bool(found.reason)
    one = by_definition([(u, p, int(c == 0)) for u, p, c in said], nominal)
    assert alpha_per_label(votes, draws=5)[0].value == (None if one is None else pytest.approx(one, abs=1e-9))


@settings(max_examples=50)
@given(rows, st.permutations(range(4)), st.randoms())
def test_neither_the_order_nor_the_names_of_the_labels_matter(said, renamed, random):
    before = alpha(Votes.of(said, 4), draws=5).value
    other = [(u, p, renamed[c]) for u, p, c in said]
    random.shuffle(other)
    assert alpha(Votes.of(other, 4), draws=5).value == (before if before is None else pytest.approx(before, abs=1e-9))


def test_chance_by_a_draw_of_pairs_is_close_to_chance_by_all():
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 6, 800)
    said = np.where(rng.random((800, 3)) < 0.8, truth[:, None], rng.integers(0, 6, (800, 3)))
    votes = Votes.of([(u, p, int(said[u, p])) for u in range(800) for p in range(3)], 6)
    assert alpha_by(votes, nominal).value == pytest.approx(alpha(votes).value, abs=0.02)


def test_ten_thousand_examples_by_five_people_take_well_under_a_second():
    rng = np.random.default_rng(0)
    said = np.where(rng.random((10_000, 5)) < 0.8, rng.integers(0, 10, (10_000, 1)), rng.integers(0, 10, (10_000, 5)))
    units, people = np.divmod(np.arange(50_000), 5)
    votes = Votes.sorted(units, people, said.ravel(), 10)
    began = time.process_time()
    found, labels = alpha(votes), alpha_per_label(votes)
    assert time.process_time() - began < 1.0
    assert found.low < found.value < found.high and len(labels) == 10


def test_answers_of_many_parts_are_compared_label_by_label():
    votes = read(FOUR_OBSERVERS)
    every = alpha_per_part(votes, np.eye(6, dtype=bool))
    assert [c.value for c in every] == [c.value for c in alpha_per_label(votes)]
    assert alpha_per_part(Votes.of([], 1), np.ones((1, 1), bool))[0].reason == "Nobody has answered yet."
