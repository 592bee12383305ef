"""Columns that say the label by themselves are warned of; columns that merely help are not."""

from dataclasses import replace

import numpy as np

from tests.training.recipes import recipe_for
from workers.training.fit.leaks import leaking_columns
from workers.training.fit.loop import fit
from workers.training.models.inputs import TabularInput

QUICK = replace(recipe_for("tabular-classification"), epochs=2, least_steps=10, hidden=8)


def rows(n: int = 300, classes: int = 2) -> tuple[list[dict[str, object]], np.ndarray]:
    rng = np.random.default_rng(0)
    y = rng.integers(classes, size=n)
    made: list[dict[str, object]] = [
        {
            "hint": float(each + rng.normal()),
            "refund": None if each == 0 else float(rng.uniform(5, 9)),
            "level": 10.0 * each + rng.uniform(),
            "status": f"closed {each}" if rng.random() > 0.005 else "open",
            "ticket": f"T{number // 2}",
            "region": "EU" if rng.random() < 0.5 else "US",
        }
        for number, each in enumerate(y)
    ]
    return made, y


def names(given: list[dict[str, object]], y: np.ndarray) -> list[str]:
    read = TabularInput.fit(given)
    columns = tuple(name for name, _, _ in read.numbers), tuple(name for name, _ in read.categories)
    return [each.name for each in leaking_columns(read.tensor(given), y, *columns, 0)]


def test_a_value_a_gap_and_a_category_that_say_the_label_are_found() -> None:
    assert names(*rows()) == ["refund", "level", "status"]


def test_of_several_labels_each_has_to_be_told_apart() -> None:
    assert names(*rows(600, classes=5)) == ["level", "status"]


def test_one_frequent_label_makes_no_leak() -> None:
    given, y = rows()
    rare = np.where(np.arange(300) < 15, 1, 0)
    assert names([{"hint": row["hint"]} for row in given], rare) == []
    assert names(given, np.zeros(300, np.int64)) == [] and names(given[:8], y[:8]) == []


def test_a_run_says_so_in_its_log() -> None:
    given, y = rows()
    told: list[str] = []
    fit([{"hint": row["hint"], "level": row["level"]} for row in given], y, ("no", "yes"), QUICK, on_notice=told.append)
    assert told[0].startswith("the column “level” alone says the label of 100.0% of rows held back: is it known")
    assert not any("hint" in each for each in told)


def test_a_name_with_a_few_rows_each_is_no_leak() -> None:
    """A customer whose calls all end alike says who calls, not what was written down later."""
    y = np.arange(300) % 61 % 2
    assert names([{"customer": f"C{number % 61}"} for number in range(300)], y) == []
    assert names([{"customer": f"C{number % 20}"} for number in range(300)], np.arange(300) % 20 % 2) == ["customer"]
