"""When an incremental run is made full."""

import pytest

from apps.rules.freshness import FreshnessLimits, FreshnessLine, Gap, full_because

AB = ("a", "b")


@pytest.mark.parametrize(
    ("line", "limits", "words"),
    [
        (FreshnessLine(3, AB, AB), FreshnessLimits(), ""),
        (FreshnessLine(0, AB, ("b", "a")), FreshnessLimits(), ""),
        (FreshnessLine(0, AB, ("a", "b", "c")), FreshnessLimits(), "the labels changed: “c” came"),
        (FreshnessLine(0, AB, ("b",)), FreshnessLimits(), "the labels changed: “a” went"),
        (FreshnessLine(0, AB, ("b",)), FreshnessLimits(on_schema_change=False), ""),
        (FreshnessLine(20, AB, AB), FreshnessLimits(), "after 20 incremental runs in a row"),
        (FreshnessLine(19, AB, AB), FreshnessLimits(), ""),
        (FreshnessLine(900, AB, AB), FreshnessLimits(increments=None), ""),
        (
            FreshnessLine(1, AB, AB, Gap(1.2, 0.1, 2.3)),
            FreshnessLimits(),
            "better than the incremental line by 1.2 points (0.1 to 2.3)",
        ),
        (FreshnessLine(1, AB, AB, Gap(1.2, 0.1, 2.3)), FreshnessLimits(on_gap=False), ""),
        (FreshnessLine(1, AB, AB, Gap(1.2, -0.1, 2.3)), FreshnessLimits(), ""),
        (FreshnessLine(1, AB, AB, Gap(-1.2, -2.0, -0.3)), FreshnessLimits(), ""),
    ],
)
def test_each_rule_says_why_and_can_be_switched_off(line: FreshnessLine, limits: FreshnessLimits, words: str) -> None:
    found = full_because(line, limits)
    assert words in found if words else found == ""


def test_many_new_labels_are_not_all_named() -> None:
    assert "“c”, “d”, “e” and 2 more came" in full_because(FreshnessLine(0, AB, (*AB, *"cdefg")), FreshnessLimits())
