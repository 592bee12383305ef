"""Annotate to train to evaluate: a person's click or the trigger starts a run; one whose judge died is judged again."""

import contextlib
import logging
from datetime import datetime, timedelta

from apps.accounts.models import User
from apps.errors import DomainError
from apps.integrations import wiring
from apps.integrations.ports import Unavailable
from apps.labeling.models import Annotation
from apps.labeling.selectors import counts_of
from apps.projects.models import Project
from apps.releases.selectors import champion_of
from apps.rules import trigger
from apps.training.jobs import Job, Queue
from apps.training.models import OPEN_STATES, Run, RunKind, RunState, Trigger
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
    """Start a run in every project whose trigger is due."""
    started = []
    for row in Trigger.objects.filter(enabled=True).select_related("project"):
        fresh = counts_of(row.project).fresh
        last_label = (
            Annotation.objects.filter(project=row.project).order_by("-id").values_list("answered_at", flat=True).first()
        )
        last_run = (
            Run.objects.filter(project=row.project).order_by("-number").values_list("queued_at", flat=True).first()
        )
        decision = trigger.due(
            at, new_labels=fresh, needed=row.new_labels, last_label_at=last_label, last_run_at=last_run,
            debounce_s=row.debounce_s, run_open=Run.objects.filter(project=row.project, state__in=OPEN_STATES).exists(),
        )  # fmt: skip
        if not decision.fire:
            continue
        try:
            started.append(run_start_now(project=row.project, kind=row.kind, by=None, at=at, reason=decision.reason))
        except DomainError as refused:  # one class only, or somebody was faster: nothing to wake anybody for
            logger.info("%s: the trigger did not start a run: %s", row.project, refused.message)
    return started


def verdicts_sweep(*, at: datetime) -> list[int]:
    """Runs that completed but became no model, because their worker died before or after the report: judge them now."""
    waiting = Run.objects.filter(state=RunState.COMPLETED, model_version=None, finished_at__lt=at - JUDGED_WITHIN)
    ids = list(waiting.values_list("pk", flat=True))
    for run_id in ids:
        with contextlib.suppress(Unavailable):
            wiring.jobs.send(Job.EVALUATE, args=(run_id,), queue=Queue.TRAINING)
    return ids
