"""The third link: once enough labels of the lane are in, a run; and its release, once gates and slice allow it."""

from datetime import datetime
from typing import Any

from apps.accounts.models import User
from apps.errors import DomainError
from apps.evaluation.models import Outcome
from apps.labeling.services.drift_lane import LaneCounts, drift_lane_counts
from apps.loop.mending.closing import alarm_close, figure_of, slice_ask
from apps.loop.mending.shift import contradicted_in, run_shift_set, shift_in_force, shift_look
from apps.loop.mending.steps import FINAL, refusal_of, step_of, step_set
from apps.loop.models import Mending, MendingLink, StepState
from apps.loop.services.runs import run_start_now
from apps.monitoring.models import AlertVerdict
from apps.monitoring.monitors.scoring import alarm_judged
from apps.releases.models import ModelVersion, Rollout
from apps.releases.rollouts.services import release_start
from apps.releases.selectors import champion_of
from apps.rules.gates.drifted_slice import LEAST_JUDGES
from apps.rules.mending import AlarmPolicy, KindAdvice, LaneVerdict, LinkMode, kind_for, lane_verdict
from apps.rules.monitors.verdicts import AlarmJudgment
from apps.rules.sentences import joined, sentence
from apps.rules.words import percent
from apps.training.models import OPEN_STATES, Run, RunState, RunTrigger


def retrain_look(mending: Mending, policy: AlarmPolicy, at: datetime) -> None:
    """Wait for labels, then propose the run or start it, where they show that there is something to mend. A run that failed is
    started again by a person only."""
    mode = policy.mode(policy.retrain.mode, mending.alert.severity)
    counts = drift_lane_counts(mending.project, mending.pk)
    if mode is LinkMode.OFF or not counts.examples or mending.run_id is not None:
        return
    shift_look(mending)
    enough = min(policy.retrain.labels, counts.examples)
    if counts.labeled < enough or not counts.learned:
        words = sentence("{n} of {enough} labels are in; then a run starts.", n=counts.labeled, enough=enough)
        step_set(mending, MendingLink.RETRAIN, StepState.WAITING, words, at=at)
    elif _is_wrong(mending, policy, counts, at):
        _train(mending, policy, mode, counts, at)


def _is_wrong(mending: Mending, policy: AlarmPolicy, counts: LaneCounts, at: datetime) -> bool:
    """Whether a run is due. What its labels do not show to be wrong closes the alarm, once all of them are in."""
    found = contradicted_in(mending)
    told = lane_verdict(mending.alert.kind, found, complete=not counts.waiting)
    if policy.retrain.where == "labeled" or told is LaneVerdict.WRONG:
        return True
    facts = {"n": found.contradicted, "of": found.of, "usual": percent(found.usual)}
    if told is LaneVerdict.OPEN:
        words = sentence(
            "{n} of {of} labels contradict what was answered; usual is {usual}. Whether that is more is told by the {waiting} that "
            "are asked for.",
            **facts,
            waiting=counts.waiting,
        )
        step_set(mending, MendingLink.RETRAIN, StepState.WAITING, words, at=at)
        return False
    words = sentence("Not needed: what was answered is wrong there as seldom as ever, by its labels.")
    step_set(mending, MendingLink.RETRAIN, StepState.NOTHING, words, at=at)
    because = sentence(
        "{n} of {of} labels contradict what was answered, not surely more than the usual {usual}.", **facts
    )
    alarm_close(mending, joined([sentence("Closed by itself."), because]), at)
    alarm_judged(alert=mending.alert, found=AlarmJudgment(AlertVerdict.FALSE, because), at=at)
    return False


def _train(mending: Mending, policy: AlarmPolicy, mode: LinkMode, counts: LaneCounts, at: datetime) -> None:
    if mode is LinkMode.AUTO:
        try:
            retrain_do(mending, policy, by=None, at=at)
        except DomainError as refused:  # another run is on, or one label only: looked at again
            step_set(mending, MendingLink.RETRAIN, StepState.WAITING, refused.message, at=at)
    else:
        step_set(mending, MendingLink.RETRAIN, StepState.PROPOSED, _reason(mending, policy, counts), at=at)


def _reason(mending: Mending, policy: AlarmPolicy, counts: LaneCounts) -> str:
    said = sentence("{n} labels of alarm {number} are in.", n=counts.labeled, number=mending.pk)
    return joined([said, _kind(mending, policy).because])


def _kind(mending: Mending, policy: AlarmPolicy) -> KindAdvice:
    shift = shift_in_force(mending, policy).kind
    return kind_for(mending.alert.kind, policy.retrain.kind, shift, contradicted_in(mending))


def retrain_do(mending: Mending, policy: AlarmPolicy, *, by: User | None, at: datetime) -> Run:
    """Start the run, once. Raises DomainError where one of the alarm is on, or none can be."""
    run = mending.run
    if run is not None and run.state not in (RunState.FAILED, RunState.CANCELED):
        raise refusal_of(sentence("Run {number} was started for this alarm already.", number=run.number))
    counts = drift_lane_counts(mending.project, mending.pk)
    if not counts.learned:
        raise refusal_of(sentence("No label of the lane is in yet that a model may learn from."))
    shift_look(mending)
    made = run_start_now(
        project=mending.project,
        kind=_kind(mending, policy).kind,
        by=by,
        at=at,
        reason=_reason(mending, policy, counts),
        trigger_type=RunTrigger.DRIFT,
    )
    mending.run, mending.asked_at, mending.measured_number = made, None, None
    mending.save(update_fields=["run", "asked_at", "measured_number"])
    run_shift_set(mending, policy, made)
    words = sentence("Run {number} was started on {n} labels of the lane.", number=made.number, n=counts.learned)
    step_set(mending, MendingLink.RETRAIN, StepState.DONE, words, at=at, by=by, run=made.number)
    return made


def release_look(mending: Mending, policy: AlarmPolicy, at: datetime) -> None:
    """Follow the run to its release: by the project's own policy, where the gates passed and the slice is not worse for it."""
    run, step = mending.run, step_of(mending, MendingLink.RELEASE)
    if run is None or (step is not None and step.state in FINAL):
        return
    if run.state in (RunState.FAILED, RunState.CANCELED):
        words = sentence("Run {number} ended without a model; look at it, then train again.", number=run.number)
        step_set(mending, MendingLink.RETRAIN, StepState.PROPOSED, words, at=at)
        return
    version = ModelVersion.objects.filter(run=run).select_related("report", "run").first()
    if run.state in OPEN_STATES or version is None:
        words = sentence("Run {number} is on its way.", number=run.number)
        step_set(mending, MendingLink.RELEASE, StepState.WAITING, words, at=at)
        return
    _release(mending, policy, version, at)


def _release(mending: Mending, policy: AlarmPolicy, version: ModelVersion, at: datetime) -> None:
    number = version.number
    state, words = (
        _went(mending, version) or _held_up(mending, version, at) or (StepState.PROPOSED, _proposal(mending, version))
    )
    sure = version.report.outcome == Outcome.PASS or version.report.overridden
    by_itself = policy.mode(policy.retrain.mode, mending.alert.severity) is LinkMode.AUTO and sure
    if state == StepState.PROPOSED and by_itself and mending.after >= mending.before:
        try:
            release_start(version=version, reason=f"Alarm {mending.pk}: {figure_of(mending)}", by=None, at=at)
        except DomainError as refused:  # a second person, another rollout: a person goes on, or it is tried again
            words = joined([words, refused.message])
        else:
            state, words = _went(mending, version) or (state, words)
    facts: dict[str, Any] = {"version": number} if state == StepState.DONE else {}
    step_set(mending, MendingLink.RELEASE, state, words, at=at, **facts)


def _went(mending: Mending, version: ModelVersion) -> tuple[StepState, str] | None:
    """Where its release stands; None where there was none."""
    number, champion = version.number, champion_of(mending.project)
    rollout = Rollout.objects.filter(project=mending.project, version=version).order_by("-id").first()
    if champion is not None and champion.pk == version.pk:
        return StepState.DONE, sentence("v{number} serves.", number=number)
    if rollout is None:
        return None
    if rollout.is_open:
        return StepState.WAITING, sentence("v{number} is on its way to users.", number=number)
    return StepState.NOTHING, sentence("v{number} was released and does not serve any more.", number=number)


def _held_up(mending: Mending, version: ModelVersion, at: datetime) -> tuple[StepState, str] | None:
    """What it waits for: gates, labels that judge, the worker that measures."""
    number = version.number
    if version.report.closes:
        return StepState.WAITING, sentence("v{number} failed a gate; the champion stays.", number=number)
    judged = drift_lane_counts(mending.project, mending.pk).judged
    if judged < LEAST_JUDGES:
        words = sentence(
            "v{number} waits: {n} of the {least} labels that judge the slice are in.",
            number=number,
            n=judged,
            least=LEAST_JUDGES,
        )
        return StepState.WAITING, words
    if mending.measured_number != number:
        slice_ask(mending, at)
        return StepState.WAITING, sentence("v{number} is measured on the slice.", number=number)
    return None


def _proposal(mending: Mending, version: ModelVersion) -> str:
    number, figure = version.number, figure_of(mending)
    if mending.after < mending.before:
        return sentence("v{number} is worse on the slice: {figure}. A person decides.", number=number, figure=figure)
    return sentence("Release v{number} on Models: {figure}.", number=number, figure=figure)
