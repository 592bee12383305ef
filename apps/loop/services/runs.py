"""Annotate to train to evaluate: a person's click or the trigger starts a run; one whose judge died is judged again."""

import logging
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.errors import DomainError
from apps.evaluation.freshness import line_of
from apps.labeling.selectors import counts_of
from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.selectors import projects_in_use, schema_of
from apps.releases.selectors import champion_of
from apps.rules import trigger
from apps.rules.freshness import full_because
from apps.rules.sentences import joined, sentence, term
from apps.training.models import Run, RunKind, RunPriority, RunState, RunTrigger, Trigger
from apps.training.selectors import evidence_for, last_run_of, settings_of
from apps.training.services.policies import limits_of, policy_of
from apps.training.services.runs import NotEnoughLabels, run_start
from apps.training.services.schedules import schedule_claim, schedule_fired, schedules_due, schedules_ensure
from apps.work.alone import alone
from apps.work.jobs import ask
from apps.work.names import Job

logger = logging.getLogger(__name__)
JUDGED_WITHIN = timedelta(seconds=60)  # judging takes a few seconds; after a minute its worker is dead


def run_start_now(
    *,
    project: Project,
    kind: str,
    by: User | None,
    at: datetime,
    reason: str = "",
    seed: int = 0,
    trigger_type: RunTrigger = RunTrigger.MANUAL,
    priority: int = RunPriority.NORMAL,
) -> Run:
    """Start a run from the champion. An incremental run is made full where there is nothing to go on from, or where the
    project's rules say that the incremental line has to start anew; `fallback` then says why."""
    champion = champion_of(project)
    words = reason or (
        sentence("{by} asked for it.", by=by) if by else sentence("{by} asked for it.", by=term("System"))
    )
    base, fallback = champion.run if champion and kind == RunKind.INCREMENTAL else None, ""
    if base is not None and counts_of(project).fresh == 0:
        raise NotEnoughLabels(
            gettext(
                "No label is new since run {number}, so there is nothing to add. Label more, or train in full."
            ).format(number=base.number)
        )
    if kind == RunKind.INCREMENTAL:
        fallback = _full_because(project, base)
    if fallback:
        kind, base, words = RunKind.FULL, None, joined([words, fallback])
    return run_start(
        project=project,
        kind=kind,
        trigger=words,
        base_run=base,
        by=by,
        at=at,
        seed=seed,
        trigger_type=trigger_type,
        priority=priority,
        fallback=fallback,
    )


def _full_because(project: Project, base: Run | None) -> str:
    if base is None:
        return "There is no champion yet, so it trains in full."
    if base.kind == RunKind.ONLINE:
        return "The champion is an online model, which has no layers to go on from, so it trains in full."
    return full_because(line_of(base, schema_of(project).names), limits_of(policy_of(project)))


def triggers_check(*, at: datetime) -> list[Run]:
    """Start a run in every project whose trigger is due, those included whose trigger nobody has touched."""
    started = []
    for project in projects_in_use().select_related("trigger"):
        with alone("the trigger", project):
            run = _triggered(project, at)
            started += [run] if run else []
    return started


def _triggered(project: Project, at: datetime) -> Run | None:
    row = getattr(project, "trigger", None) or Trigger(project=project)
    learns = task_types.get(project.task_type).learns
    decision = _due(project, row, at) if row.enabled and learns else None
    if decision is None or not decision.fire or decision.cause is None:
        return None
    try:
        return run_start_now(
            project=project,
            kind=row.kind,
            by=None,
            at=at,
            reason=decision.reason,
            trigger_type=RunTrigger(decision.cause.value),
        )
    except DomainError as refused:  # one class only, or somebody was faster: nothing to wake anybody for
        logger.info("%s: the trigger did not start a run: %s", project, refused.message)
        return None


def _due(project: Project, row: Trigger, at: datetime) -> trigger.Decision | None:
    """What the rule says; None after a failed or canceled run until somebody has labeled again, or it would fail for ever."""
    last_run = last_run_of(project)
    evidence = evidence_for(row, last_run)
    stopped = last_run is not None and last_run.state in (RunState.FAILED, RunState.CANCELED)
    if last_run and stopped and (evidence.last_label_at is None or evidence.last_label_at <= last_run.queued_at):
        return None
    return trigger.decide(at, evidence, settings_of(row))


def schedules_check(*, at: datetime) -> list[Run]:
    """Start what is due by the clock. A schedule missed several times fires once; one that cannot start says why."""
    for project in projects_in_use().filter(schedules=None):
        with alone("the schedules", project):
            if task_types.get(project.task_type).learns:
                schedules_ensure(project=project, at=at)
    started = []
    for schedule_id in schedules_due(at=at):
        with alone("the schedule", schedule_id):
            run = _scheduled(schedule_id, at)
            started += [run] if run else []
    return started


def _scheduled(schedule_id: int, at: datetime) -> Run | None:
    schedule = schedule_claim(schedule_id=schedule_id, at=at)
    if schedule is None:
        return None
    reason = f"The schedule of {schedule.kind} runs."
    try:
        run = run_start_now(
            project=schedule.project,
            kind=schedule.kind,
            by=None,
            at=at,
            reason=reason,
            trigger_type=RunTrigger.SCHEDULE,
        )
    except DomainError as refused:
        schedule_fired(schedule=schedule, sentence=refused.message)
        return None
    schedule_fired(schedule=schedule, sentence=sentence("Run {number} was started.", number=run.number))
    return run


def verdicts_sweep(*, at: datetime) -> list[int]:
    """Runs that completed but became no model, or repetitions that nothing was compared with, because their worker died
    before or after the report: judge them now."""
    unjudged = Q(model_version=None, reproduces=None) | Q(reproduces__isnull=False, comparison=None)
    judging = Run.objects.filter(project__archived_at=None)
    waiting = judging.filter(unjudged, state=RunState.COMPLETED, finished_at__lt=at - JUDGED_WITHIN)
    ids = list(waiting.values_list("pk", flat=True))
    for run_id in ids:
        ask(Job.EVALUATE, run_id)
    return ids
