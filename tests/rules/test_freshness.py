"""When an incremental run is made full."""

import pytest

from apps.rules.freshness import Gap, Limits, Line, full_because

AB = ("a", "b")


@pytest.mark.parametrize(
    ("line", "limits", "words"),
    [
        (Line(3, AB, AB), Limits(), ""),
        (Line(0, AB, ("b", "a")), Limits(), ""),
        (Line(0, AB, ("a", "b", "c")), Limits(), "the labels changed: “c” came"),
        (Line(0, AB, ("b",)), Limits(), "the labels changed: “a” went"),
        (Line(0, AB, ("b",)), Limits(on_schema_change=False), ""),
        (Line(20, AB, AB), Limits(), "after 20 incremental runs in a row"),
        (Line(19, AB, AB), Limits(), ""),
        (Line(900, AB, AB), Limits(increments=None), ""),
        (Line(1, AB, AB, Gap(1.2, 0.1, 2.3)), Limits(), "better than the incremental line by 1.2 points (0.1 to 2.3)"),
        (Line(1, AB, AB, Gap(1.2, 0.1, 2.3)), Limits(on_gap=False), ""),
        (Line(1, AB, AB, Gap(1.2, -0.1, 2.3)), Limits(), ""),
        (Line(1, AB, AB, Gap(-1.2, -2.0, -0.3)), Limits(), ""),
    ],
)
def test_each_rule_says_why_and_can_be_switched_off(line: Line, limits: Limits, words: str) -> None:
    found = full_because(line, limits)
    assert words in found if words else found == ""


def test_many_new_labels_are_not_all_named() -> None:
    assert "“c”, “d”, “e” and 2 more came" in full_because(Line(0, AB, (*AB, *"cdefg")), Limits())
