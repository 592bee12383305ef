"""Annotate to train to evaluate: a person's click or the trigger starts a run; one whose judge died is judged again."""

import contextlib
import logging
from datetime import datetime, timedelta

from apps.accounts.models import User
from apps.errors import DomainError
from apps.integrations import wiring
from apps.integrations.ports import Unavailable
from apps.labeling.models import Label
from apps.labeling.selectors import counts_of, fresh_labels
from apps.projects.models import Project
from apps.releases.selectors import champion_of
from apps.rules import trigger
from apps.training.jobs import Job, Queue
from apps.training.models import Run, RunKind, RunState, Trigger
from apps.training.services.runs import NotEnoughLabels, run_start

logger = logging.getLogger(__name__)
JUDGED_WITHIN = timedelta(seconds=60)  # judging takes a few seconds; after a minute its worker is dead


def run_start_now(
    *, project: Project, kind: str, by: User | None, at: datetime, reason: str = "", seed: int = 0
) -> Run:
    """Start a run from the champion. Without a champion an incremental run has nothing to start from and is made full."""
    champion = champion_of(project)
    base = champion.run if champion and kind == RunKind.INCREMENTAL else None
    words = reason or f"{by} asked for it."
    if base is not None and counts_of(project).fresh == 0:
        raise NotEnoughLabels(
            f"No label is new since run {base.number}, so there is nothing to add. Label more, or train in full."
        )
    if kind == RunKind.INCREMENTAL and base is None:
        kind, words = RunKind.FULL, f"{words} There is no champion yet, so it trains in full."
    return run_start(project=project, kind=kind, trigger=words, base_run=base, by=by, at=at, seed=seed)


def triggers_check(*, at: datetime) -> list[Run]:
    """Start a run in every project whose trigger is due, those included whose trigger nobody has touched."""
    started = []
    for project in Project.objects.select_related("trigger"):
        row = getattr(project, "trigger", None) or Trigger(project=project)
        decision = _due(project, row, at) if row.enabled else None
        if decision is None or not decision.fire:
            continue
        try:
            started.append(run_start_now(project=project, kind=row.kind, by=None, at=at, reason=decision.reason))
        except DomainError as refused:  # one class only, or somebody was faster: nothing to wake anybody for
            logger.info("%s: the trigger did not start a run: %s", project, refused.message)
    return started


def _due(project: Project, row: Trigger, at: datetime) -> trigger.Decision | None:
    """What the rule says; None after a failed or canceled run until somebody has labeled again, or it would fail for ever."""
    labels = Label.objects.filter(project=project, holdout=False).order_by("-resolved_at")
    last_label = labels.values_list("resolved_at", flat=True).first()
    last_run = Run.objects.filter(project=project).order_by("-number").first()
    stopped = last_run is not None and last_run.state in (RunState.FAILED, RunState.CANCELED)
    if last_run and stopped and (last_label is None or last_label <= last_run.queued_at):
        return None
    return trigger.due(
        at, new_labels=fresh_labels(project), needed=row.new_labels, last_label_at=last_label,
        last_run_at=last_run.queued_at if last_run else None, debounce_s=row.debounce_s,
        run_open=bool(last_run and last_run.is_open),
    )  # fmt: skip


def verdicts_sweep(*, at: datetime) -> list[int]:
    """Runs that completed but became no model, because their worker died before or after the report: judge them now."""
    waiting = Run.objects.filter(state=RunState.COMPLETED, model_version=None, finished_at__lt=at - JUDGED_WITHIN)
    ids = list(waiting.values_list("pk", flat=True))
    for run_id in ids:
        with contextlib.suppress(Unavailable):
            wiring.jobs.send(Job.EVALUATE, args=(run_id,), queue=Queue.TRAINING)
    return ids
