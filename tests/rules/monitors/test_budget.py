"""Every type of monitor keeps its budget where nothing drifts, and finds what does; persistence and Benjamini-Hochberg too."""

import numpy as np
import pytest

from apps.rules.monitors import MONITORS, WindowTarget, judge_window, monitor_policy_of
from apps.rules.monitors.calibration import chance_of, judged, level_of, persistent, simes, windows_by_chance
from apps.rules.monitors.monitor import FeatureMeasure
from tests.rules.monitors import evidence

TYPES = {
    "class_mix": (evidence.answers, {}),
    "confidence": (evidence.answers, {}),
    "margin": (evidence.answers, {}),
    "estimated-performance": (evidence.answers, {"tolerance": 0.0}),
    "column-drift": (evidence.columns, {}),
    "data-quality": (evidence.columns, {"allowedShare": 0.0}),
    "embedding-drift": (evidence.vectors, {}),
    "volume": (evidence.volume, {}),
    "performance": (evidence.losses, {"tolerance": 0.0}),
    "fairness-drift": (evidence.groups, {"tolerance": 0.0}),
}


def judged_by(name, made, given, target):
    monitor = MONITORS[name]
    return judge_window(monitor, made, monitor.parameters.model_validate(given), target)


def test_no_type_is_forgotten_here():
    assert set(TYPES) == {each.name for each in MONITORS.own}


@pytest.mark.parametrize("name", TYPES)
def test_undrifted_windows_are_raised_no_more_often_than_the_budget_allows(name):
    made, given = TYPES[name]
    rng, allowed, windows = np.random.default_rng(20), 0.05, 240
    raised = 0
    windows = 60 if name == "performance" else windows  # each has a threshold of its own reference to simulate
    for seed in range(windows):
        target = WindowTarget(allowed, draws=150, seed=0 if name == "performance" else seed)
        raised += judged_by(name, made(rng), given, target).raised
    assert raised <= windows * allowed + 3 * (windows * allowed * (1 - allowed)) ** 0.5


# What is whole and moved is no matter of quality: its faults are tried one by one in test_types.py.
@pytest.mark.parametrize("name", [name for name in TYPES if name != "data-quality"])
def test_what_drifted_is_found_and_said(name):
    made, given = TYPES[name]
    target = WindowTarget(0.005, draws=400)
    found = [judged_by(name, made(np.random.default_rng(seed), moved=True), given, target) for seed in range(6)]
    assert sum(each.raised for each in found) >= 5
    said = next(each for each in found if each.raised)
    assert all(len(feature.reason.split()) > 3 for feature in said.drifted) and said.drifted


def test_the_domain_classifier_keeps_the_budget_and_finds_the_same():
    rng, raised = np.random.default_rng(3), 0
    given = {"method": "domain-classifier"}
    for seed in range(40):
        raised += judged_by("embedding-drift", evidence.vectors(rng), given, WindowTarget(0.05, seed=seed)).raised
    assert raised <= 6
    moved = evidence.vectors(rng, moved=True)
    assert judged_by("embedding-drift", moved, given, WindowTarget(0.005, seed=1)).raised


def shared_reference(rng, draws, windows, n=200, m=2_000):
    """A feature whose distance is mostly that of a small reference, which all windows share."""
    return np.abs(rng.normal(0, n**-0.5, (draws, 1)) - rng.normal(0, m**-0.5, (draws, windows)))


def test_two_of_three_windows_keep_the_budget_although_they_share_a_reference():
    rng, target = np.random.default_rng(0), WindowTarget(0.02, of_windows=3, raised_windows=2, draws=4_000)
    feature = FeatureMeasure("x", 0.0, "it moved", by_chance=shared_reference(rng, 4_000, 3))
    level = level_of(target, windows_by_chance([feature], 3))
    assert 0.02 <= level < 0.05, "far below the 10 % that independent windows would allow"
    fresh = shared_reference(rng, 20_000, 3)
    limit = np.quantile(feature.by_chance, 1 - level)
    pattern = (fresh[:, 2] > limit) & ((fresh > limit).sum(axis=1) >= 2)
    assert pattern.mean() == pytest.approx(0.02, abs=0.006)


def test_independent_windows_may_each_be_raised_more_often_where_two_of_three_are_asked():
    rng, target = np.random.default_rng(0), WindowTarget(0.02, of_windows=3, raised_windows=2, draws=4_000)
    feature = FeatureMeasure("x", 0.0, "it moved", by_chance=rng.random((4_000, 3)))
    assert level_of(target, windows_by_chance([feature], 3)) == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize(
    ("raised", "of", "k", "alarm"),
    [
        ([True], 1, 1, True),
        ([True, True, False], 3, 2, False),
        ([True, False, True], 3, 2, True),
        ([True, True, False, False, True], 3, 2, False),
        ([True], 3, 2, False),
        ([], 1, 1, False),
    ],
)
def test_an_alarm_needs_so_many_of_the_newest_windows_and_the_newest_itself(raised, of, k, alarm):
    assert persistent(raised, WindowTarget(0.1, of, k)) is alarm


def test_a_chance_beyond_all_that_was_drawn_goes_on_falling():
    drawn = np.random.default_rng(0).exponential(size=2_000)
    assert chance_of(12.0, drawn) == pytest.approx(np.exp(-12), rel=1.5)
    assert chance_of(0.0, drawn) == 1.0
    assert chance_of(0.5, np.zeros(200)) == pytest.approx(1 / 201), "no tail to follow, so only what was counted"


def test_benjamini_hochberg_finds_a_feature_at_simes_level_and_from_there_on():
    chances = np.array([0.001, 0.012, 0.2, 0.5])
    assert simes(chances) == pytest.approx(0.004)
    features = [FeatureMeasure(str(p), p, "it moved a bit", p_value=p) for p in chances]
    found = judged(features, WindowTarget(0.05))
    assert [f.drifted for f in found.features] == [True, True, False, False] and found.raised
    assert not judged(features, WindowTarget(0.003)).raised


def test_twenty_undrifted_columns_raise_no_more_windows_than_one():
    rng, raised = np.random.default_rng(5), 0
    for _ in range(600):
        features = [FeatureMeasure(str(i), 0.0, "it moved a bit", p_value=p) for i, p in enumerate(rng.random(20))]
        raised += judged(features, WindowTarget(0.05)).raised
    assert 12 <= raised <= 50


def test_a_window_that_just_misses_is_raised_by_a_larger_share_of_the_budget():
    found = judged([FeatureMeasure("x", 1.0, "it moved a bit", p_value=0.008)], WindowTarget(0.005))
    assert not found.raised and found.score >= found.thresholds[2.0] and found.score < found.thresholds[0.5]


def test_the_budget_is_shared_by_weight_and_by_how_often_windows_end():
    policy = monitor_policy_of(
        {
            "budget": 2,
            "monitors": [
                {"type": "class_mix", "window": "1d"},
                {"type": "confidence", "window": "12h", "weight": 3},
                {"type": "volume", "on": False},
            ],
        }
    )
    daily, twice, off = policy.monitors
    assert policy.share(daily) == 0.5 and policy.share(twice) == 1.5 and policy.share(off) == 0
    assert policy.target(daily).per_window == pytest.approx(0.5 / 30)
    assert policy.target(twice).per_window == pytest.approx(1.5 / 60)
