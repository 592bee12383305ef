"""What follows from an alarm, as rules: the policy, which requests are asked about, and which kind of run mends."""

import numpy as np
import pytest

from apps.rules.mending import LinkMode, alarm_policy_of, excess_of, kind_for, slice_picks, standing_alarm_policy
from apps.rules.policies import PolicyRefused, yaml_read


def test_where_nobody_set_a_policy_everything_is_proposed() -> None:
    policy = standing_alarm_policy()
    assert {policy.rollback.mode, policy.lane.mode, policy.retrain.mode} == {LinkMode.PROPOSE}


def test_warnings_only_propose_unless_the_policy_lets_them_act() -> None:
    policy = alarm_policy_of({"lane": {"mode": "auto"}})
    assert [policy.mode(policy.lane.mode, s) for s in ("alarms", "warns")] == [LinkMode.AUTO, LinkMode.PROPOSE]
    assert policy.mode(LinkMode.OFF, "warns") is LinkMode.OFF
    all_act = alarm_policy_of({"severity": "warns", "lane": {"mode": "auto"}})
    assert all_act.mode(all_act.lane.mode, "warns") is LinkMode.AUTO


def test_a_bare_off_is_off_and_what_was_written_is_read_again() -> None:
    policy = alarm_policy_of(yaml_read("rollback: {mode: off, window: 6h}\nretrain: {labels: 40, kind: full}"))
    assert (policy.rollback.mode, policy.retrain.kind) == (LinkMode.OFF, "full")
    assert alarm_policy_of(policy.written()) == policy


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"lane": {"mode": "on"}}, "lane, mode"),
        ({"lane": {"examples": 29}}, "at least 30"),
        ({"retrain": {"labels": 121}}, "waits for 121 labels and the lane asks for 120"),
        ({"rollback": {"window": "1 day"}}, "no length of time"),
        ({"rollbak": {}}, "“rollbak” is not known here"),
        ({"retrain": {"kind": "sweep"}}, "retrain, kind"),
        (3, "it is a mapping"),
    ],
)
def test_a_policy_that_cannot_be_used_says_why(given: object, words: str) -> None:
    with pytest.raises(PolicyRefused, match=words):
        alarm_policy_of(given)


def test_a_value_is_in_excess_where_its_part_of_the_column_became_more_frequent() -> None:
    before, now = list(range(20, 60)) * 5, [20, 21, 90, 91, None, "x", float("nan"), 92]
    found = excess_of(before, now)
    assert found[[2, 3, 7]].min() > 0.5 and found[[4, 5, 6]].max() == 0
    cities = excess_of(["Rome", "Oslo"] * 50, ["Rome", "Lima", "Lima", ""])
    assert cities[[1, 2]].tolist() == pytest.approx([2 / 3, 2 / 3]) and cities[[0, 3]].tolist() == [0, 0]
    assert excess_of([], [1, 2]).tolist() == [0, 0] and excess_of([1, 2], [None]).tolist() == [0]


def test_every_third_judges_and_judges_are_drawn_by_chance_not_by_doubt() -> None:
    rng = np.random.default_rng(0)
    excess, sure = np.ones(3000), rng.uniform(0.5, 1, 3000)
    picks = slice_picks(excess, sure, most=300, seed=7)
    judging = [p for p in picks if p.judges]
    assert (len(picks), len(judging)) == (300, 100) and len({p.place for p in picks}) == 300
    assert abs(sure[[p.place for p in judging]].mean() - sure.mean()) < 0.05
    doubted = [p.place for p in picks if p.why == "unsure"]
    assert len(doubted) == 67 and sure[doubted].max() < 0.56
    assert {p.by_chance for p in picks if p.place in doubted} == {False} and all(p.by_chance for p in judging)
    first = picks[:18]
    assert sum(p.judges for p in first) == 6 and sum(p.why == "unsure" for p in first) == 4, "wherever people stop"


def test_only_the_drifted_part_is_asked_about_and_all_where_it_has_no_parts() -> None:
    excess = np.array([0, 0.3, 0, 0.3, 0.1, 0])
    assert {p.place for p in slice_picks(excess, np.full(6, np.nan), most=30, seed=1)} == {1, 3, 4}
    assert len(slice_picks(np.zeros(6), np.full(6, np.nan), most=30, seed=1)) == 6
    assert slice_picks(np.zeros(0), np.zeros(0), most=30, seed=1) == []
    assert all(p.why == "typical" for p in slice_picks(excess, np.full(6, np.nan), most=30, seed=1))


def test_wrong_answers_ask_for_a_full_run_and_the_policy_has_the_last_word() -> None:
    assert kind_for("loss", None).kind == "full" and kind_for("drift", None).kind == "incremental"
    assert kind_for("loss", "fine-tune").kind == "fine-tune"
