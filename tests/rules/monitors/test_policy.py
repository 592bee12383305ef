"""Policies of monitors: what is taken, what is refused in which sentence, and what a kept one does where its package is gone."""

from datetime import timedelta

import pytest

from apps.rules.monitors import (
    MONITORS,
    NothingToRead,
    Severity,
    WindowTarget,
    expected_alarms,
    kept_monitor_policy,
    monitor_policy_of,
    monitor_policy_of_yaml,
    standing_monitors,
)
from apps.rules.policies import PolicyRefused
from tests.rules.monitors.evidence import answers

MIX = {"type": "class_mix"}


def refused(**given):
    with pytest.raises(PolicyRefused) as fault:
        monitor_policy_of({"monitors": [MIX], **given})
    return str(fault.value)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"budget": 0}, "(budget): it is at least 0.01"),
        ({"budget": float("nan")}, "(budget): it is a finite number"),
        ({"monitors": []}, "it has at least 1"),
        ({"monitors": [MIX] * 31}, "it has at most 30"),
        ({"monitors": [{"type": "astrology"}]}, "no monitor is called “astrology”; class_mix, confidence,"),
        ({"monitors": [MIX, MIX]}, "two monitors are called “class_mix”; give one of them a name of its own."),
        ({"monitors": [{**MIX, "name": "a mix"}]}, "a name has small letters, digits and single dashes only"),
        ({"monitors": [{**MIX, "window": "5m"}]}, "(monitors 1, window): a window is 15m to 28d long"),
        ({"monitors": [{**MIX, "window": "soon"}]}, "“soon” is no length of time"),
        ({"monitors": [{**MIX, "raisedWindows": 3, "ofWindows": 2}]}, "3 of 2 windows cannot be raised"),
        ({"monitors": [{**MIX, "ofWindows": 11}]}, "it is at most 10"),
        ({"monitors": [{**MIX, "weight": 0}]}, "it is at least 0.01"),
        ({"monitors": [{**MIX, "severity": "shouts"}]}, "it is one of 'warns', 'alarms'"),
        ({"monitors": [{**MIX, "parameters": {"leastRows": 1}}]}, "parameters, leastRows: it is at least 2"),
        ({"monitors": [{**MIX, "parameters": {"columns": ["a"]}}]}, "parameters, columns: “columns” is not known here"),
        ({"monitor": []}, "“monitor” is not known here"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_its_place(given, sentence):
    assert sentence in refused(**given)


@pytest.mark.parametrize("given", [None, 7, [], "budget"])
def test_what_is_no_mapping_is_refused_with_an_example(given):
    with pytest.raises(PolicyRefused, match=r"like “monitors: \[{type: class_mix}\]”"):
        monitor_policy_of(given)


def test_yaml_is_read_and_written_as_it_was_said():
    column = "{type: column-drift, window: 12h, raisedWindows: 2, ofWindows: 3, parameters: {columns: [age]}}"
    text = f"budget: 2\nmonitors:\n- {column}\n"
    policy = monitor_policy_of_yaml(text)
    [settings] = policy.monitors
    assert (settings.length, settings.acts, settings.called) == (timedelta(hours=12), Severity.WARNS, "column-drift")
    assert monitor_policy_of(policy.written()) == policy
    assert policy.written()["monitors"][0]["window"] == "12h"
    with pytest.raises(PolicyRefused, match="stands twice"):
        monitor_policy_of_yaml("budget: 1\nbudget: 2")


def test_without_a_policy_predictions_volume_and_losses_are_watched():
    assert [each.called for each in standing_monitors().monitors] == [
        "class_mix",
        "confidence",
        "volume",
        "performance",
    ]
    assert MONITORS["performance"].severity is Severity.ALARMS


def test_a_kept_policy_outlives_the_package_whose_monitor_it_names():
    kept = kept_monitor_policy({"monitors": [MIX, {"type": "acme", "parameters": {"size": 3}}]})
    gone = kept.monitors[1]
    with pytest.raises(NothingToRead, match="No monitor of the type “acme” is installed any more"):
        gone.judged(None, WindowTarget(0.1))
    assert kept.written()["monitors"][1] == {"type": "acme", "parameters": {"size": 3}}


def test_settings_that_a_monitor_no_longer_takes_switch_it_off_in_words():
    import numpy as np

    kept = kept_monitor_policy({"monitors": [{**MIX, "parameters": {"leastRows": 0}}]})
    with pytest.raises(NothingToRead, match="cannot be used any more: leastRows: it is at least 2"):
        kept.monitors[0].judged(answers(np.random.default_rng(0)), WindowTarget(0.1))


def test_what_cannot_tell_raises_no_false_alarm_and_is_not_expected_to():
    policy = monitor_policy_of(
        {"budget": 1, "monitors": [MIX, {"type": "confidence"}, {"type": "volume", "weight": 2}]}
    )
    assert expected_alarms(policy, {"class_mix": True, "confidence": True}) == 0.5
    assert expected_alarms(policy, dict.fromkeys(("class_mix", "confidence", "volume"), True)) == 1


def test_a_monitor_is_made_more_sensitive_at_the_cost_of_the_others():
    policy = monitor_policy_of({"budget": 1, "monitors": [MIX, {"type": "confidence"}]})
    sharper = policy.reweighted("class_mix", 2)
    assert [round(sharper.share(each), 3) for each in sharper.monitors] == [0.667, 0.333]
    assert policy.reweighted("class_mix", 1e9).monitors[0].weight == 100
