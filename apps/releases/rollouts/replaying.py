"""What another policy would have made of a rollout's recorded answers: the same looks, judged by the same code.

The answers are those of the weights that were, since nobody knows what other users would have met; the times are the policy's,
counted from when the rollout began. A pause without a duration is passed at once, since nobody knows how long it would have been.
"""

import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from django.utils.translation import gettext

from apps.errors import Invalid
from apps.monitoring.arms import arms_seen
from apps.monitoring.feedback.settings import feedback_settings_of
from apps.releases.models import Rollout
from apps.releases.rollouts.moving import SETTLING, with_feedback
from apps.releases.rollouts.selectors import plan_of, title_of
from apps.rules.rollouts.analysis import MetricJudgment, judge
from apps.rules.rollouts.metrics import METRICS, Figures
from apps.rules.rollouts.policy import FULL, AnalysisStep, MetricSettings, RolloutPolicy
from apps.rules.rollouts.progress import RolloutMove, progress
from apps.rules.sentences import sentence

MOST_TIMES = 400  # moments at which one replay looks at the log
WITHIN_S = 10.0  # a request waits so long, then is told how far it came


class ReplayOutcome(StrEnum):
    ABORTED = "aborted"
    PAUSED = "paused"  # a person would have been asked
    PROMOTED = "promoted"
    RECORD_ENDS = "record_ends"  # the rollout ended before this policy would have
    CUT_OFF = "cut_off"  # it took too long


@dataclass(frozen=True, slots=True)
class ReplayLook:
    """One metric at one look; `step` counts from 0 as in the policy, `number` from 1 within its step."""

    step: int
    number: int
    metric: str
    title: str
    is_share: bool
    at: datetime
    figures: Figures
    judgment: MetricJudgment


@dataclass(frozen=True, slots=True)
class Replay:
    """`look` is the number of the look that decided, None where none did."""

    outcome: ReplayOutcome
    step: int
    at: datetime
    words: str
    look: int | None = None
    looks: tuple[ReplayLook, ...] = ()


@dataclass(slots=True)
class _Record:
    """The rollout whose answers are read, and what was seen so far."""

    rollout: Rollout
    policy: RolloutPolicy
    until: datetime
    stop_at: float  # of the monotonic clock
    looks: list[ReplayLook] = field(default_factory=list)
    times: int = 0

    @property
    def is_spent(self) -> bool:
        return self.times >= MOST_TIMES or time.monotonic() > self.stop_at


def replay(*, rollout: Rollout, policy: RolloutPolicy, now: datetime) -> Replay:
    """Step by step through the policy. Raises Invalid where nobody stood beside the version."""
    if rollout.stable is None:
        raise Invalid(
            gettext("The first champion stood beside nobody, so there is nothing to replay."), field="rollout"
        )
    record = _Record(rollout, policy, rollout.ended_at or now, time.monotonic() + WITHIN_S)
    clock = rollout.started_at
    for number, step in enumerate(policy.steps):
        if step.set_weight == FULL:
            words = sentence("It would have reached everybody after {time}.", time=_since(record, clock))
            return _ended(record, ReplayOutcome.PROMOTED, number, clock, words)
        if step.pause is not None:
            clock += step.pause.duration or timedelta(0)
        if step.analysis is not None:
            found = _analyzed(record, step.analysis, number, clock)
            if isinstance(found, Replay):
                return found
            clock = found
        if clock > record.until:
            break
    words = sentence(
        "The record ends after {time}, before this policy would have ended.", time=_since(record, record.until)
    )
    return _ended(record, ReplayOutcome.RECORD_ENDS, number, record.until, words)


def _analyzed(record: _Record, analysis: AnalysisStep, number: int, began: datetime) -> Replay | datetime:
    """When the analysis is over, or how the replay ended in it."""
    taken: dict[int, list[Figures]] = {place: [] for place in range(len(analysis.metrics))}
    judged = {place: judge(plan_of(record.policy, metric), []) for place, metric in enumerate(analysis.metrics)}
    maturity = feedback_settings_of(record.rollout.project).maturity
    for at, places in _times(record, analysis, began, maturity):
        if record.is_spent:
            words = sentence("The replay was cut off after {n:,} looks; it takes too long.", n=len(record.looks))
            return _ended(record, ReplayOutcome.CUT_OFF, number, at, words)
        record.times += 1
        since = began + SETTLING
        evidence = arms_seen(rollout=record.rollout.pk, since=since, until=at)
        for place in places:
            metric = analysis.metrics[place]
            seen = with_feedback(evidence, record.rollout, metric, since, at)
            taken[place].append(METRICS[metric.name].look(seen, metric.limit))
            judged[place] = judge(plan_of(record.policy, metric), taken[place])
            record.looks.append(_shown(metric, number, taken[place], judged[place], at))
        found = progress(record.policy, step=number, since=began, now=at, judgments=judged)
        if found.move is RolloutMove.NEXT:
            return at
        if found.move is not RolloutMove.WAIT:
            return _stopped(record, found.move, found.reason, number, at)
    return record.until + timedelta(microseconds=1)


def _stopped(record: _Record, move: RolloutMove, reason: str, number: int, at: datetime) -> Replay:
    look = record.looks[-1].number
    named = {"step": number + 1, "look": look, "time": _since(record, at), "reason": reason}
    if move is RolloutMove.ABORT:
        words = sentence("It would have aborted at step {step}, look {look}, after {time}: {reason}", **named)
        return _ended(record, ReplayOutcome.ABORTED, number, at, words, look)
    words = sentence("It would have asked a person at step {step}, look {look}, after {time}: {reason}", **named)
    return _ended(record, ReplayOutcome.PAUSED, number, at, words, look)


def _times(
    record: _Record, analysis: AnalysisStep, began: datetime, maturity: timedelta
) -> list[tuple[datetime, list[int]]]:
    """The moments up to the end of the record at which looks are due, each with the metrics that look then."""
    due: dict[datetime, list[int]] = defaultdict(list)
    for place, metric in enumerate(analysis.metrics):
        since = began + metric.initial_delay + (maturity if metric.feedback_name else timedelta(0))
        possible = max(int((record.until - since) / metric.interval), 0)
        for k in range(1, min(possible, metric.count or MOST_TIMES) + 1):
            due[since + k * metric.interval].append(place)
    return sorted(due.items())


def _shown(
    metric: MetricSettings, number: int, taken: list[Figures], judgment: MetricJudgment, at: datetime
) -> ReplayLook:
    title, share = title_of(metric), metric.is_share
    return ReplayLook(number, len(taken), metric.name, title, share, at, taken[-1], judgment)


def _since(record: _Record, at: datetime) -> str:
    minutes = (at - record.rollout.started_at) / timedelta(minutes=1)
    if minutes < 1:
        return sentence("{n:.0f} s", n=60 * minutes)
    if minutes < 120:
        return sentence("{n:.0f} min", n=minutes)
    return sentence("{n:.1f} h", n=minutes / 60)


def _ended(
    record: _Record, outcome: ReplayOutcome, step: int, at: datetime, words: str, look: int | None = None
) -> Replay:
    return Replay(outcome, step, at, words, look, tuple(record.looks))
