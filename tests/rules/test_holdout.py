from hypothesis import given, settings
from hypothesis import strategies as st

from apps.rules.holdout import in_holdout

IDS = [f"example-{i}" for i in range(20_000)]
KNOWN = [False, False, False, False, False, False, True, False]


def test_the_share_is_kept():
    held = sum(in_holdout(name, salt="digits", share=0.05) for name in IDS)
    assert 900 < held < 1100  # 1,000 expected, deviation 31


def test_known_answers_never_change():
    assert [in_holdout(f"{i}", salt="s", share=0.3) for i in range(8)] == KNOWN


def test_two_projects_hold_out_different_examples():
    one = {name for name in IDS if in_holdout(name, salt="one", share=0.05)}
    two = {name for name in IDS if in_holdout(name, salt="two", share=0.05)}
    assert len(one & two) < 100  # 50 expected by chance


@settings(max_examples=40)
@given(st.text(max_size=20), st.text(max_size=5), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_only_adds_examples(name, salt, one, two):
    small, large = sorted((one, two))
    assert in_holdout(name, salt=salt, share=large) or not in_holdout(name, salt=salt, share=small)


def test_nothing_is_held_out_at_zero_and_everything_at_one():
    assert not any(in_holdout(name, salt="", share=0) for name in IDS)
    assert all(in_holdout(name, salt="", share=1) for name in IDS)
