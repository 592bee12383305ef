"""Policies as people write them, and what is said where they cannot be used."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.rules.rollouts.analysis import MetricJudgment, MetricPhase
from apps.rules.rollouts.policy import AT_ONCE, PolicyRefused, canary, policy_of, policy_of_yaml, shadow_first
from apps.rules.rollouts.progress import RolloutMove, looks_due, progress

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
METRIC = "steps: [{setWeight: 1}, {analysis: {metrics: [{name: error-rate, %s}]}}, {setWeight: 100}]"
DEEP = "[" * 3000


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("", "a mapping"),
        ("[", "line 1"),
        (DEEP, "cannot be read"),
        ("steps: []", "at least 1"),
        ("steps: [{setWeight: 150}]", "steps 1, setWeight): it is at most 100"),
        ("steps: [{setWeight: -1}, {setWeight: 100}]", "at least 0"),
        ("steps: [{setWeight: .nan}, {setWeight: 100}]", "steps 1, setWeight"),
        ("steps: [{setWeight: 10}]", "the last setWeight is 100"),
        ("steps: [{setWeight: 50}, {setWeight: 10}, {setWeight: 100}]", "weights only rise"),
        ("steps: [{setWeight: 100}, {pause: {}}]", "nothing follows"),
        ("steps: [{setWeight: 100, pause: {}}]", "exactly one"),
        ("steps: [{setWieght: 100}]", "“setWieght” is not known"),
        ("steps: [{setWeight: 100}]\nrollbackWindow: -1", "at least 0"),
        ("steps: [{pause: {duration: soon}}, {setWeight: 100}]", "no length of time"),
        ("steps: [{pause: {duration: 999d}}, {setWeight: 100}]", "longer than the 90 days"),
        ("steps: [{analysis: {metrics: [{name: error-rate}]}}, {setWeight: 100}]", "an analysis needs traffic"),
        ("steps: [{setWeight: 1}, {analysis: {metrics: [{name: clicks}]}}, {setWeight: 100}]", "no metric is called"),
        (METRIC % "failureLimt: 1", "“failureLimt” is not known"),
        (METRIC % "failureLimit: -1", "at least 0"),
        (METRIC % "count: 0", "needs a count"),
        (METRIC % "interval: 0s", "at least 1s"),
        (METRIC % "test: threshold", "needs successCondition"),
        (METRIC % "test: threshold, successCondition: 'open(1) < 2'", "nothing else"),
        (METRIC % "test: threshold, successCondition: 'reslut < 2'", "“reslut” is not known"),
        (METRIC % "test: threshold, successCondition: '0.95'", "compares nothing"),
        (METRIC % "test: threshold, successCondition: '2 ** 9 > result'", "+, -, * and /"),
        ("a: &a [x, x]\nsteps: [*a, *a]", "aliases"),
        ("steps: [{setWeight: 100}]\nsteps: []", "stands twice"),
        ("steps: [{setWeight: 100}]\n" + "#" * 20_000, "20,000 characters"),
        ("!!python/object/apply:os.system [ls]", "cannot be read"),
    ],
)
def test_it_is_refused_with_where_and_why(written, sentence):
    with pytest.raises(PolicyRefused) as refused:
        policy_of_yaml(written)
    said = str(refused.value)
    assert sentence in said and said.endswith(".") and "\n" not in said and len(said) < 400


@pytest.mark.parametrize("policy", [AT_ONCE, canary(), shadow_first()])
def test_what_is_written_reads_back_as_the_same(policy):
    assert policy_of(policy.written()) == policy


def test_lengths_of_time_are_written_as_they_were_read():
    policy = policy_of_yaml("steps: [{setWeight: 1}, {pause: {duration: 1h30m}}, {setWeight: 100}]")
    assert policy.written()["steps"][1] == {"pause": {"duration": "1h30m"}}


def test_all_tests_of_a_policy_share_its_false_aborts():
    policy = canary()
    metrics = [m for step in policy.steps if step.analysis for m in step.analysis.metrics]
    assert sum(policy.alpha_of(m) for m in metrics) == pytest.approx(policy.false_aborts) == pytest.approx(0.05)


def test_a_pause_ends_by_itself_or_waits_for_a_person():
    timed = policy_of_yaml("steps: [{setWeight: 1}, {pause: {duration: 10m}}, {pause: }, {setWeight: 100}]")
    before = progress(timed, step=1, since=NOON, now=NOON + timedelta(minutes=9), judgments={})
    assert before.move is RolloutMove.WAIT and before.until == NOON + timedelta(minutes=10)
    assert progress(timed, step=1, since=NOON, now=NOON + timedelta(minutes=10), judgments={}).move is RolloutMove.NEXT
    assert progress(timed, step=2, since=NOON, now=NOON + timedelta(days=9), judgments={}).move is RolloutMove.PAUSE
    assert progress(timed, step=3, since=NOON, now=NOON, judgments={}).move is RolloutMove.FINISH


@pytest.mark.parametrize(
    ("phases", "move"),
    [
        ((MetricPhase.SUCCESSFUL, MetricPhase.SUCCESSFUL), RolloutMove.NEXT),
        ((MetricPhase.SUCCESSFUL, MetricPhase.RUNNING), RolloutMove.WAIT),
        ((MetricPhase.INCONCLUSIVE, MetricPhase.FAILED), RolloutMove.ABORT),
        ((MetricPhase.INCONCLUSIVE, MetricPhase.RUNNING), RolloutMove.PAUSE),
        ((MetricPhase.SUCCESSFUL,), RolloutMove.WAIT),
    ],
)
def test_an_analysis_goes_the_way_of_its_worst_metric(phases, move):
    two = "steps: [{setWeight: 1}, {analysis: {metrics: [{name: error-rate}, {name: class-mix}]}}, {setWeight: 100}]"
    judgments = {at: MetricJudgment(phase, "x", ()) for at, phase in enumerate(phases)}
    assert progress(policy_of_yaml(two), step=1, since=NOON, now=NOON, judgments=judgments).move is move


def test_a_metric_on_trial_stops_nothing():
    dry = "steps: [{setWeight: 1}, {analysis: {metrics: [{name: error-rate}, {name: class-mix, dryRun: true}]}}, {setWeight: 100}]"
    judgments = {0: MetricJudgment(MetricPhase.SUCCESSFUL, "", ()), 1: MetricJudgment(MetricPhase.FAILED, "", ())}
    assert progress(policy_of_yaml(dry), step=1, since=NOON, now=NOON, judgments=judgments).move is RolloutMove.NEXT


def test_looks_come_due_one_by_one_and_no_more_than_planned():
    analysis = canary(interval="5m", looks=6).steps[1].analysis
    assert analysis is not None
    due = [
        looks_due(analysis.metrics[0], since=NOON, now=NOON + timedelta(minutes=m)) for m in (-60, 0, 4, 5, 29, 30, 999)
    ]
    assert due == [0, 0, 0, 1, 5, 6, 6]
