"""Who meets the canary."""

import numpy as np

from apps.rules.rollouts.arms import PLACES, is_canary, place_of

ENTITIES = [f"user-{n}" for n in range(100_000)]


def test_raising_the_weight_moves_nobody_out_of_the_canary():
    at_10 = {e for e in ENTITIES if is_canary(e, salt="r1", weight=10)}
    at_25 = {e for e in ENTITIES if is_canary(e, salt="r1", weight=25)}
    assert at_10 < at_25
    assert abs(len(at_10) - 10_000) < 4 * np.sqrt(9_000) and abs(len(at_25) - 25_000) < 4 * np.sqrt(18_750)


def test_places_are_even_and_those_of_two_rollouts_have_nothing_to_do_with_each_other():
    first, second = (np.array([place_of(e, salt=salt) for e in ENTITIES]) for salt in ("r1", "r2"))
    assert first.min() >= 0 and first.max() < PLACES
    assert abs(np.corrcoef(first, second)[0, 1]) < 4 / np.sqrt(len(ENTITIES))
    tenths = np.bincount(first * 10 // PLACES, minlength=10)
    assert ((tenths - 10_000) ** 2 / 10_000).sum() < 28  # chi-square with 9 degrees, beyond 0.1 %


def test_a_weight_of_a_hundredth_of_a_percent_is_met_by_one_in_ten_thousand():
    assert 0 < sum(is_canary(e, salt="r1", weight=0.01) for e in ENTITIES) < 30


def test_any_text_is_an_entity():
    for entity in ("", "é", "\U0001f600", "a" * 10_000):
        assert 0 <= place_of(entity, salt="s" * 200) < PLACES
