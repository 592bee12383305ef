"""Boundaries hold their promise: published values, unequal looks, and what chance does to good models."""

from math import inf

import numpy as np
import pytest

from apps.rules.rollouts.anytime import interval, mixture_ratio
from apps.rules.rollouts.boundaries import boundaries, planned, spent


def test_they_are_those_of_the_books():
    """gsDesign 3.6, sfLDOF, 5 equal looks, one-sided 0.025."""
    assert planned(looks=5, alpha=0.025) == pytest.approx([4.8769, 3.3569, 2.6803, 2.2898, 2.0310], abs=2e-4)


def test_one_look_is_the_plain_test():
    assert planned(looks=1, alpha=0.05) == pytest.approx([1.6449], abs=1e-4)


def test_all_error_is_spent_by_the_last_look_and_no_more_after_it():
    assert spent(0.05, 1.0) == pytest.approx(0.05) == spent(0.05, 2.0)
    assert boundaries(range(1, 7), looks=4, alpha=0.05)[4:] == (inf, inf)


def test_a_look_without_traffic_calls_nothing_and_leaves_its_error_to_the_next():
    still = boundaries([1, 1, 2, 3], looks=4, alpha=0.05)
    assert still[1] == inf and all(b < inf for i, b in enumerate(still) if i != 1)


@pytest.mark.parametrize(
    "information", [(1, 2, 3, 4, 5, 6), (1, 1.1, 1.2, 8, 9, 20), (5, 5, 5, 6, 30, 31)], ids=["even", "bursts", "idle"]
)
def test_no_more_good_models_are_stopped_than_was_allowed_whatever_the_traffic(information):
    draws = np.random.default_rng(3)
    steps = np.diff((0, *information))
    scores = (draws.normal(size=(40_000, 6)) * np.sqrt(steps)).cumsum(1) / np.sqrt(information)
    stopped = (scores >= np.array(boundaries(information, looks=6, alpha=0.05))).any(1).mean()
    assert stopped == pytest.approx(0.05, abs=0.004)  # 3.7 standard errors


def test_looking_for_ever_stops_no_more_than_was_allowed():
    draws = np.random.default_rng(4)
    sums = draws.normal(size=(3_000, 2_000)).cumsum(1)
    n = np.arange(1, 2_001)
    passed = [
        any(mixture_ratio(s / k, 1 / k, tau=0.1) >= 20 for s, k in zip(path[::20], n[::20], strict=True))
        for path in sums[:600]
    ]
    assert np.mean(passed) <= 0.05


def test_the_interval_leaves_zero_where_the_ratio_passes():
    for difference in (0.01, 0.02, 0.03, 0.05):
        low, _ = interval(difference, 1e-4, tau=0.01, alpha=0.05)
        assert (low > 0) == (mixture_ratio(difference, 1e-4, tau=0.01) > 20)


def test_nothing_is_said_of_no_variance():
    assert mixture_ratio(0.5, 0.0, tau=0.01) == 1.0
    assert interval(0.5, 0.0, tau=0.01, alpha=0.05) == (-inf, inf)
    assert mixture_ratio(1e9, 1e-9, tau=1.0) == inf
