"""When votes become a label, for each kind of answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.rules.answers import ANSWER_KINDS
from apps.rules.settling import settle

CHOICE, SPANS = ANSWER_KINDS["choice"], ANSWER_KINDS["spans"]
PER, ORG = {"start": 0, "end": 3, "label": "PER"}, {"start": 4, "end": 6, "label": "ORG"}


def said(names: str) -> list[dict[str, str]]:
    return [{"label": name} for name in names]


@pytest.mark.parametrize(
    ("votes", "needed", "bar", "label", "outcome", "agreement"),
    [
        ("a", 1, 0.5, "a", "agreed", 1.0),
        ("aab", 3, 0.5, "a", "agreed", 2 / 3),
        ("aab", 3, 0.7, None, "disagree", 2 / 3),
        ("ab", 2, 0.5, None, "disagree", 0.5),
        ("ab", 2, 0.0, None, "disagree", 0.5),  # a tie never settles, however low the bar
        ("aabbc", 3, 0.0, None, "disagree", 0.4),
        ("abb", 2, 0.5, "b", "agreed", 2 / 3),  # a surplus vote settles a tie
        ("aa", 3, 0.5, None, "too few", 1.0),
        ("", 1, 0.5, None, "too few", 1.0),
    ],
)
def test_one_label_settles_by_the_share_of_the_winner(votes, needed, bar, label, outcome, agreement):
    found = settle(said(votes), kind=CHOICE, needed=needed, review_at_most=bar)
    assert (found.value, found.outcome) == ({"label": label} if label else None, outcome)
    assert found.agreement == pytest.approx(agreement)


def test_no_votes_needed_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        settle([], kind=CHOICE, needed=0, review_at_most=0.5)


def test_answers_of_many_parts_settle_on_what_more_than_half_say():
    votes = [{"spans": [PER, ORG]}, {"spans": [PER]}, {"spans": [PER, ORG]}]
    found = settle(votes, kind=SPANS, needed=3, review_at_most=0.5)
    assert found.value == {"spans": [PER, ORG]}
    assert found.agreement == pytest.approx((2 / 3 + 1 + 2 / 3) / 3)


@given(st.lists(st.sampled_from("abc"), max_size=7), st.integers(1, 4), st.randoms())
def test_the_order_of_votes_does_not_matter(names, needed, random):
    shuffled = names.copy()
    random.shuffle(shuffled)
    one, other = (settle(said("".join(x)), kind=CHOICE, needed=needed, review_at_most=0.4) for x in (names, shuffled))
    assert (one.value, one.outcome) == (other.value, other.outcome)
