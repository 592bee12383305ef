import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.rules.agreement import majority


@pytest.mark.parametrize(
    ("votes", "needed", "label", "reason", "sentence"),
    [
        ([3], 1, 3, "agreed", "1 of 1 answer agree."),
        ([3, 3, 1], 3, 3, "agreed", "2 of 3 answers agree."),
        ([3, 1], 2, None, "tie", "Two labels have 1 vote each; a reviewer decides."),
        ([3, 3, 1, 1, 0], 3, None, "tie", "Two labels have 2 votes each; a reviewer decides."),
        ([3, 3], 3, None, "too few", "2 answers of 3."),
        ([], 1, None, "too few", "0 answers of 1."),
    ],
)
def test_votes_become_a_label_only_when_enough_agree(votes, needed, label, reason, sentence):
    found = majority(votes, needed=needed)
    assert (found.label, found.reason, found.sentence) == (label, reason, sentence)


def test_a_surplus_vote_can_settle_a_tie():
    assert majority([3, 1, 1], needed=2).label == 1


def test_no_votes_needed_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        majority([], needed=0)


@given(st.lists(st.integers(0, 3)), st.integers(1, 6), st.randoms())
def test_the_order_of_votes_does_not_matter(votes, needed, random):
    shuffled = votes.copy()
    random.shuffle(shuffled)
    assert majority(votes, needed=needed) == majority(shuffled, needed=needed)
