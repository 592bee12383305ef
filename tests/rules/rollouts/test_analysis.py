"""When what a canary did is enough to stop, to wait or to go on."""

from dataclasses import replace

import numpy as np
import pytest

from apps.rules.rollouts.analysis import MetricPhase, MetricPlan, MetricTest, judge
from apps.rules.rollouts.metrics import METRICS, ArmEvidence, Harm, LookEvidence, of_samples
from apps.rules.rollouts.ratio import mismatch
from apps.rules.rollouts.samples import ArmSample, compared

AGREEMENT, CLASS_MIX = METRICS["agreement"], METRICS["class-mix"]
PLAN = MetricPlan("Clicks", Harm.LOWER, looks=4, min_sample=100)


def look(canary_events: int, stable_events: int, *, canary: int = 1000, stable: int = 9000):
    arm, rest = (
        ArmSample.of_shares(requests=n, events=events)
        for n, events in ((canary, canary_events), (stable, stable_events))
    )
    return of_samples(arm, rest)


def looks(rate: float, other: float, number: int = 4):
    return [
        look(round(1000 * k * rate), round(9000 * k * other), canary=1000 * k, stable=9000 * k)
        for k in range(1, number + 1)
    ]


def test_a_much_worse_canary_fails_before_the_end_and_stays_failed():
    seen = looks(0.03, 0.05)
    first = next(n for n in range(1, 5) if judge(PLAN, seen[:n]).phase is MetricPhase.FAILED)
    assert first < 4
    assert judge(PLAN, seen).phase is MetricPhase.FAILED
    assert "harm" in judge(PLAN, seen).reason and "3.00 % against 5.00 %" in judge(PLAN, seen).reason


def test_a_better_canary_never_fails_and_succeeds_at_the_planned_end_only():
    seen = looks(0.08, 0.05)
    assert [judge(PLAN, seen[:n]).phase for n in range(5)] == [MetricPhase.RUNNING] * 4 + [MetricPhase.SUCCESSFUL]


def test_where_either_way_hurts_a_better_figure_fails_too():
    assert judge(replace(PLAN, harm=Harm.EITHER), looks(0.08, 0.05)).phase is MetricPhase.FAILED


def test_too_few_samples_at_the_end_are_inconclusive_and_say_how_many_are_missing():
    few = [look(1, 5 * k, canary=10 * k, stable=90 * k) for k in range(1, 5)]
    found = judge(PLAN, few)
    assert (found.phase, found.missing) == (MetricPhase.INCONCLUSIVE, 60)
    assert "60 samples missing" in found.reason


def test_an_arm_without_samples_is_inconclusive_not_good():
    none = [of_samples(None, ArmSample.of_shares(requests=10, events=1))] * 4
    assert judge(replace(PLAN, min_sample=0), none).phase is MetricPhase.INCONCLUSIVE


def test_one_failure_in_ten_thousand_requests_stops_nothing():
    """The normal approximation would call it 9 standard deviations; it is one chance in a hundred."""
    errors = MetricPlan("Errors", Harm.HIGHER, looks=4)
    assert judge(errors, [look(1, 0, canary=100, stable=9900)]).phase is MetricPhase.RUNNING
    assert judge(errors, [look(20, 0, canary=100, stable=9900)]).phase is MetricPhase.FAILED


def test_one_entity_that_asks_a_thousand_times_is_no_thousand_samples():
    draws = np.random.default_rng(5)
    plain = compared(ArmSample.of_shares(requests=1000, events=30), ArmSample.of_shares(requests=9000, events=450)).z
    clustered = compared(_clustered(draws, 20, 50, 30), _clustered(draws, 180, 50, 450)).z
    assert plain < -2.5 < clustered < 0


def _clustered(draws, entities: int, each: int, events: int) -> ArmSample:
    """All events with a tenth of the entities."""
    worth = np.zeros(entities)
    lucky = max(entities // 10, 1)
    worth[:lucky] = events / lucky
    x = np.full(entities, each)
    return ArmSample(entities, x.sum(), worth.sum(), (x**2).sum(), (worth**2).sum(), (x * worth).sum())


def test_open_ended_it_waits_for_ever_and_fails_when_harm_is_plain():
    plan = replace(PLAN, test=MetricTest.MSPRT, looks=0)
    assert judge(plan, looks(0.05, 0.05, 30)).phase is MetricPhase.RUNNING
    assert judge(plan, looks(0.03, 0.05, 30)).phase is MetricPhase.FAILED
    assert judge(plan, looks(0.09, 0.05, 30)).phase is MetricPhase.RUNNING


@pytest.mark.parametrize(
    ("limit", "rates", "phase"),
    [
        (0, (0.9, 0.96, 0.96, 0.96), MetricPhase.FAILED),
        (1, (0.9, 0.96, 0.96, 0.96), MetricPhase.SUCCESSFUL),
        (1, (0.9, 0.9, 0.96, 0.96), MetricPhase.FAILED),
        (0, (0.96, 0.96, 0.96), MetricPhase.RUNNING),
    ],
)
def test_thresholds_count_failures_as_argo_does(limit, rates, phase):
    plan = MetricPlan(
        "Right", Harm.LOWER, MetricTest.THRESHOLD, looks=4, success_condition="result >= 0.95", failure_limit=limit
    )
    assert judge(plan, [look(round(1000 * r), 8550) for r in rates]).phase is phase


def test_two_conditions_of_which_none_is_met_are_inconclusive():
    plan = MetricPlan(
        "Right", Harm.LOWER, MetricTest.THRESHOLD, success_condition="result > 0.9", failure_condition="result < 0.5"
    )
    assert judge(plan, [look(700, 8550)]).phase is MetricPhase.INCONCLUSIVE
    assert judge(replace(plan, inconclusive_limit=1), [look(700, 8550)]).phase is MetricPhase.RUNNING


def test_another_mix_of_answers_is_found_and_the_same_is_not():
    even = LookEvidence(ArmEvidence(labels={"a": 500, "b": 500}), ArmEvidence(labels={"a": 4500, "b": 4500}))
    other = LookEvidence(ArmEvidence(labels={"a": 900, "c": 100}), ArmEvidence(labels={"a": 4500, "b": 4500}))
    plan = MetricPlan(CLASS_MIX.title, CLASS_MIX.harm, looks=4)
    assert judge(plan, [CLASS_MIX.look(even, None)] * 4).phase is MetricPhase.SUCCESSFUL
    assert judge(plan, [CLASS_MIX.look(other, None)] * 4).phase is MetricPhase.FAILED


def test_agreement_is_held_against_the_limit():
    plan = MetricPlan(AGREEMENT.title, AGREEMENT.harm, looks=4)
    for agreed, phase in ((900, MetricPhase.SUCCESSFUL), (600, MetricPhase.FAILED)):
        evidence = LookEvidence(ArmEvidence(), ArmEvidence(), mirrored=1000, agreed=agreed)
        assert judge(plan, [AGREEMENT.look(evidence, 0.8)] * 4).phase is phase


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda m: m.name)
def test_every_metric_takes_no_evidence_at_all_and_is_inconclusive_then(metric):
    nothing = metric.look(LookEvidence(ArmEvidence(), ArmEvidence()), metric.limit)
    plan = MetricPlan(metric.title, metric.harm, looks=2, min_sample=1)
    assert judge(plan, [nothing, nothing]).phase is MetricPhase.INCONCLUSIVE


def test_a_split_that_is_not_what_was_asked_for_is_found():
    assert mismatch(canary=1_000, stable=9_000, weight=10) is None
    assert mismatch(canary=1_300, stable=9_000, weight=10) is not None
    assert mismatch(canary=0, stable=0, weight=10) is None
    assert mismatch(canary=5, stable=0, weight=100) is None
