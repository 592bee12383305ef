"""Where a rollout goes next. Phases and what ends them are Argo's: Failed aborts, Inconclusive waits for a person."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from apps.rules.rollouts.analysis import MetricJudgment, MetricPhase
from apps.rules.rollouts.policy import FULL, AnalysisStep, MetricSettings, RolloutPolicy
from apps.rules.sentences import sentence


class RolloutMove(StrEnum):
    NEXT = "next"  # the step is over
    WAIT = "wait"
    PAUSE = "pause"  # a person decides
    ABORT = "abort"
    FINISH = "finish"  # the canary serves everybody


@dataclass(frozen=True, slots=True)
class RolloutProgress:
    """`until` is when a wait ends by itself, where that is known."""

    move: RolloutMove
    reason: str = ""
    until: datetime | None = None


def progress(
    policy: RolloutPolicy, *, step: int, since: datetime, now: datetime, judgments: Mapping[int, MetricJudgment]
) -> RolloutProgress:
    """What follows from the step that a rollout stands at. `judgments` are of the analysis of this step, by metric."""
    at = policy.steps[step]
    if at.set_weight is not None:
        return RolloutProgress(RolloutMove.FINISH if at.set_weight == FULL else RolloutMove.NEXT)
    if at.set_mirror_route is not None:
        return RolloutProgress(RolloutMove.NEXT)
    if at.pause is not None:
        if at.pause.duration is None:
            return RolloutProgress(RolloutMove.PAUSE, sentence("The policy wants a person to go on from here."))
        until = since + at.pause.duration
        return RolloutProgress(RolloutMove.NEXT) if now >= until else RolloutProgress(RolloutMove.WAIT, until=until)
    assert at.analysis is not None
    return _analyzed(at.analysis, since, now, judgments)


def _analyzed(
    analysis: AnalysisStep, since: datetime, now: datetime, judgments: Mapping[int, MetricJudgment]
) -> RolloutProgress:
    counted = {at: j for at, j in judgments.items() if not analysis.metrics[at].dry_run}
    for phase, move in ((MetricPhase.FAILED, RolloutMove.ABORT), (MetricPhase.INCONCLUSIVE, RolloutMove.PAUSE)):
        for judgment in counted.values():
            if judgment.phase is phase:
                return RolloutProgress(move, judgment.reason)
    wanted = [at for at, metric in enumerate(analysis.metrics) if not metric.dry_run]
    if all(at in counted and counted[at].phase is MetricPhase.SUCCESSFUL for at in wanted):
        return RolloutProgress(RolloutMove.NEXT)
    return RolloutProgress(
        RolloutMove.WAIT, until=max((_over(metric, since) for metric in analysis.metrics), default=now)
    )


def _over(metric: MetricSettings, since: datetime) -> datetime:
    return since + metric.initial_delay + metric.interval * metric.count


def looks_due(metric: MetricSettings, *, since: datetime, now: datetime) -> int:
    """How many looks should have been taken by now; a clock that jumps back takes none away, since those taken are kept."""
    passed = now - since - metric.initial_delay
    due = max(passed // metric.interval, 0)
    return min(due, metric.count) if metric.count else due
