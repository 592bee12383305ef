"""Sweeps as people and the clock see them: start, cancel, send the next trials, send again what was lost."""

import uuid
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Q
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import DomainError, Invalid
from apps.labeling.models import Label
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.pages.numbers import fill
from apps.projects import task_types
from apps.projects.models import Project
from apps.rules.sentences import sentence, term
from apps.rules.sweeps import LEAST_LABELS, TRIALS, Span, fault_of
from apps.rules.words import count
from apps.training.models import Sweep, SweepState, Trial, TrialState
from apps.training.services.runs import NoLearner
from apps.work.alone import alone
from apps.work.jobs import ask
from apps.work.names import Job

AT_ONCE = 4  # messages of one sweep in the queue; all of them would keep every run waiting behind them
RESEND_AFTER = timedelta(seconds=30)
OPEN = (TrialState.QUEUED, TrialState.RUNNING)


class SweepOpen(DomainError):
    code = "sweep_open"


@transaction.atomic
def sweep_start(
    *, project: Project, space: Mapping[str, Span], trials: int, by: User | None, at: datetime, seed: int = 0
) -> Sweep:
    """Lay all trials as rows and send the first. Raises Invalid with the field, SweepOpen, NoLearner."""
    _check(space, trials)
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    _refuse_what_cannot_be_compared(project)
    opened = Sweep.objects.filter(project=project, state=SweepState.RUNNING).first()
    if opened:
        raise SweepOpen(
            gettext("Sweep {number} is still trying. Wait for it or cancel it.").format(number=opened.number),
            sweep=opened.number,
        )
    last = Sweep.objects.filter(project=project).aggregate(n=Max("number"))["n"] or 0
    sweep = Sweep.objects.create(
        project=project,
        number=last + 1,
        study_name=f"sweep-{uuid.uuid4().hex[:16]}",
        trials_wanted=trials,
        seed=seed,
        space={name: asdict(span) for name, span in space.items()},
        started_by=by,
        started_at=at,
    )
    Trial.objects.bulk_create([Trial(sweep=sweep, number=n) for n in range(1, trials + 1)])
    event_record(
        project_id=project.pk,
        verb=Verb.SWEEP_STARTED,
        subject=f"sweep {sweep.number}",
        by=by,
        at=at,
        sentence=sentence(
            "{by} started sweep {number}: {trials} of {names}.",
            by=by or term("System"),
            number=sweep.number,
            trials=count(trials, "trial"),
            names=", ".join(space),
        ),
        after={"space": sweep.space, "trials": trials, "seed": seed},
    )
    transaction.on_commit(lambda: trials_send(sweep_id=sweep.pk, at=at))
    sweep_tell(sweep)
    return sweep


def _check(space: Mapping[str, Span], trials: int) -> None:
    least, most = TRIALS
    if not least <= trials <= most:
        raise Invalid(
            fill(
                gettext("A sweep has {least} to {most} trials, not {trials:,}."), least=least, most=most, trials=trials
            ),
            field="trials",
        )
    if not space:
        raise Invalid(gettext("A sweep needs at least one setting to vary."), field="space")
    sentences = {
        "unknown": gettext("No setting called “{name}” can be varied. Known are {known}."),
        "order": gettext("{name} must go from a lower to a higher value, not from {low:g} to {high:g}."),
        "range": gettext("{name} must lie between {low:g} and {high:g}."),
        "whole": gettext("{name} takes whole numbers only."),
        "log": gettext("{name} cannot start at {low:g} on a logarithmic scale; begin above 0."),
    }
    for name, span in space.items():
        fault = fault_of(name, span)
        if fault:
            raise Invalid(sentences[fault[0]].format(**fault[1]), field=name)


def _refuse_what_cannot_be_compared(project: Project) -> None:
    task = task_types.get(project.task_type)
    if not task.learns:
        raise NoLearner(gettext("No model learns “{title}” here.").format(title=str(task.title).lower()))
    labels = Label.objects.filter(project=project, holdout=False, label__isnull=False)
    found = labels.count()
    if found < LEAST_LABELS:
        raise Invalid(
            gettext(
                "A sweep compares recipes on a fifth of the labels, so it needs {least} labels outside the holdout; "
                "there are {found}."
            ).format(least=LEAST_LABELS, found=found)
        )
    if labels.values("label").distinct().count() < 2:
        raise Invalid(gettext("Every labeled example has the same label. A model needs two to tell apart."))


@transaction.atomic
def sweep_cancel(*, sweep: Sweep, by: User, at: datetime) -> Sweep:
    """What waits ends at once; what trains ends within seconds. Nothing becomes a model."""
    sweep = Sweep.objects.select_for_update(no_key=True).get(pk=sweep.pk)
    if sweep.state != SweepState.RUNNING:
        raise DomainError(
            gettext("Sweep {number} is {state} already; there is nothing to cancel.").format(
                number=sweep.number, state=sweep.get_state_display().lower()
            )
        )
    sweep.state, sweep.cancel_requested_at, sweep.finished_at = SweepState.CANCELED, at, at
    sweep.save(update_fields=["state", "cancel_requested_at", "finished_at"])
    sweep.trials.filter(state=TrialState.QUEUED).update(state=TrialState.CANCELED, finished_at=at)
    sweep.trials.filter(state=TrialState.RUNNING, leased_until__lt=at).update(state=TrialState.CANCELED, finished_at=at)
    event_record(
        project_id=sweep.project_id,
        verb=Verb.SWEEP_CANCELED,
        subject=f"sweep {sweep.number}",
        by=by,
        at=at,
        sentence=sentence("{by} canceled sweep {number}.", by=by, number=sweep.number),
        after={"state": sweep.state},
    )
    sweep_tell(sweep)
    return sweep


def trials_send(*, sweep_id: int, at: datetime) -> list[int]:
    """Put the next trials into the queue, so many that AT_ONCE of them are there or training."""
    with transaction.atomic():
        sweep = Sweep.objects.select_for_update(no_key=True).get(pk=sweep_id)
        if sweep.state != SweepState.RUNNING or sweep.project.archived_at is not None:
            return []
        under_way = sweep.trials.filter(Q(state=TrialState.RUNNING) | Q(state=TrialState.QUEUED, sent_at__isnull=False))
        waiting = sweep.trials.filter(state=TrialState.QUEUED, sent_at=None).order_by("number")
        chosen = list(waiting.values_list("pk", flat=True)[: max(AT_ONCE - under_way.count(), 0)])
        Trial.objects.filter(pk__in=chosen).update(sent_at=at)
    for trial_id in chosen:
        _send(trial_id)
    return chosen


def _send(trial_id: int) -> None:
    """Without Redis the message counts as lost and is sent again by the clock."""
    ask(Job.TRIAL, trial_id)


def sweeps_check(*, at: datetime) -> list[int]:
    """Send again what nobody took, what a dead worker left, and what closes a sweep whose last worker died.

    For the clock, every few seconds. Returns the ids of the trials that were sent.
    """
    sent: list[int] = []
    for sweep in Sweep.objects.filter(state=SweepState.RUNNING, project__archived_at=None):
        with alone("the sweep", sweep.pk):
            sent += _sent_again(sweep, at)
    return sent


def _sent_again(sweep: Sweep, at: datetime) -> list[int]:
    stale = Q(sent_at=None) | Q(sent_at__lt=at - RESEND_AFTER)
    lost = sweep.trials.filter(
        stale, Q(state=TrialState.QUEUED, sent_at__isnull=False) | Q(state=TrialState.RUNNING, leased_until__lt=at)
    )
    ids = list(lost.values_list("pk", flat=True))
    if not sweep.trials.filter(state__in=OPEN).exists():
        ids = list(sweep.trials.filter(stale).order_by("-number").values_list("pk", flat=True)[:1])
    Trial.objects.filter(pk__in=ids).update(sent_at=at)
    for trial_id in ids:
        _send(trial_id)
    return [*ids, *trials_send(sweep_id=sweep.pk, at=at)]


def sweep_tell(sweep: Sweep) -> None:
    look_again(Topic.SWEEP.of(sweep.pk), News.SWEEP, sweep.pk)
    look_again(Topic.PROJECT.of(sweep.project_id), News.SWEEP, sweep.pk)
