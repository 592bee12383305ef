"""Which names may point at a version."""

import pytest

from apps.rules.aliases import alias_of, same_alias
from apps.rules.values import ValueRefused


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("staging", "staging"),
        ("  eu-west_2 ", "eu-west_2"),
        ("a", "a"),
        ("7b", "7b"),
        ("v3-rc", "v3-rc"),
        ("próximo", "próximo"),
        ("cafe\u0301", "café"),
        ("x" * 40, "x" * 40),
        ("championship", "championship"),
    ],
)
def test_a_word_is_an_alias(given: str, kept: str) -> None:
    assert alias_of(given) == kept


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("", "empty"),
        (" \u200b ", "empty"),
        ("x" * 41, "at most 40 fit"),
        ("champion", "release a version"),
        ("Champion", "release a version"),
        ("cham\u200bpion", "release a version"),
        ("CANDIDATE", "nobody sets it"),
        ("shadow", "copies"),
        ("Latest", "newest version"),
        ("v3", "number of a version"),
        ("V12", "number of a version"),
        ("3", "number of a version"),
        ("٣", "number of a version"),
        ("two words", "letters, digits"),
        ("a/b", "letters, digits"),
        ("a.b", "letters, digits"),
        ("..", "letters, digits"),
        ("<b>", "letters, digits"),
        ("a\nb", "control character"),
        ("a\x00b", "NUL character"),
    ],
)
def test_what_is_no_alias_is_refused_with_what_is_wrong(given: str, why: str) -> None:
    with pytest.raises(ValueRefused, match=why):
        alias_of(given)


def test_two_names_that_look_the_same_are_one() -> None:
    assert same_alias("Staging", "staging") and same_alias("caf\u00e9", "cafe\u0301")
    assert not same_alias("staging", "stage")
