"""Start, cancel and sweep runs. The row is written first; the job's name follows after commit and may be lost."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max, Q
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.services import english, event_record
from apps.audit.verbs import Verb
from apps.datasets.models import DatasetVersion
from apps.errors import DomainError, Invalid
from apps.labeling.models import Label
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.projects import task_types
from apps.projects.access import refuse_archived
from apps.projects.models import Project
from apps.rules.sentences import lowered, parts_of, sentence, term
from apps.training.models import OPEN_STATES, Run, RunKind, RunPriority, RunState, RunTrigger
from apps.training.services.turns import places_free, run_send, turn_tell

RESEND_AFTER = timedelta(seconds=20)  # a queued run that no worker took: its message may be lost


class RunOpen(DomainError):
    code = "run_open"


class NoLearner(DomainError):
    code = "no_learner"


class NotEnoughLabels(Invalid):
    code = "not_enough_labels"


@transaction.atomic
def run_start(
    *,
    project: Project,
    kind: str,
    trigger: str,
    base_run: Run | None,
    by: User | None,
    at: datetime,
    seed: int = 0,
    trigger_type: RunTrigger = RunTrigger.MANUAL,
    priority: int = RunPriority.NORMAL,
    fallback: str = "",
    recipe: dict[str, Any] | None = None,
    dataset_version: DatasetVersion | None = None,
    reproduces: Run | None = None,
    cloned_from: Run | None = None,
) -> Run:
    """Queue one run. Raises NotEnoughLabels in words, RunOpen when one of this kind is queued or training already.

    `recipe` holds the settings that differ from the kind's defaults; without `dataset_version` the worker writes one.
    """
    if kind not in RunKind.values:
        raise Invalid(
            gettext("The kind “{kind}” is not known. Known are {values}.").format(
                kind=kind, values=", ".join(RunKind.values)
            ),
            field="kind",
        )
    refuse_archived(Project.objects.select_for_update(no_key=True).get(pk=project.pk))
    _refuse_without_a_learner(project, kind)
    if reproduces is None:
        _refuse_a_second_run(project, kind)
    if dataset_version is None:
        _refuse_too_few_labels(project)
    last = Run.objects.filter(project=project).aggregate(n=Max("number"))["n"] or 0
    try:
        with transaction.atomic():
            run = Run.objects.create(
                project=project,
                number=last + 1,
                kind=kind,
                trigger=trigger[:200],
                trigger_parts=parts_of(trigger),
                base_run=base_run,
                started_by=by,
                queued_at=at,
                seed=seed,
                code_version=settings.CODE_VERSION,
                trigger_type=trigger_type,
                priority=priority,
                fallback=fallback[:200],
                recipe=recipe or {},
                dataset_version=dataset_version,
                reproduces=reproduces,
                cloned_from=cloned_from,
            )
    except IntegrityError:
        raise RunOpen(gettext("Another run of this kind is open already.")) from None
    event_record(
        project_id=project.pk,
        verb=Verb.RUN_STARTED,
        subject=f"run {run.number}",
        by=by,
        at=at,
        sentence=sentence(
            "{by} started run {number} ({kind}): {trigger}",
            by=by or term("System"),
            number=run.number,
            kind=lowered(english(RunKind(kind).label)),
            trigger=trigger,
        ),
        after={"state": run.state, "trigger": run.trigger_type},
    )
    transaction.on_commit(lambda: run_send(run_id=run.pk, at=at))
    look_again(Topic.PROJECT.of(project.pk), News.RUN, run.pk)
    return run


def _refuse_without_a_learner(project: Project, kind: str) -> None:
    task = task_types.get(project.task_type)
    if not task.learns:
        raise NoLearner(
            gettext(
                "No model learns “{title}” here. Its answers are collected, checked and exported; guesses of "
                "a model of your own can be imported as suggestions."
            ).format(title=str(task.title).lower())
        )

    if kind == RunKind.FINE_TUNE and not task.reads_vectors:
        raise NoLearner(
            gettext(
                "Fine-tuning goes on training a text encoder. Models of “{title}” train all their layers in every run."
            ).format(title=str(task.title).lower())
        )


def _refuse_a_second_run(project: Project, kind: str) -> None:
    running = Run.objects.filter(project=project, kind=kind, state__in=OPEN_STATES, reproduces=None).first()
    if running:
        raise RunOpen(
            gettext("Run {number} is {state_display} already. Labels given meanwhile go into the run after it.").format(
                number=running.number, state_display=running.get_state_display().lower()
            ),
            run=running.number,
        )


def _refuse_too_few_labels(project: Project) -> None:
    labels = Label.objects.filter(project=project, holdout=False)
    if not labels.exists():
        raise NotEnoughLabels(gettext("There is nothing to train on: no example outside the holdout has a label yet."))
    classes = labels.values_list("label__name", flat=True).distinct()
    if len(classes[:2]) < 2:
        raise NotEnoughLabels(
            gettext(
                "Every labeled example is “{classes}”. A model needs at least two different labels to learn from."
            ).format(classes=classes[0])
        )


def runs_sweep(*, at: datetime) -> list[int]:
    """Send again what is queued, has a place and is not taken, and what runs under a lease that ended: its worker is dead."""
    with_place = [project for project, places in places_free().items() if places > 0]
    lost = Run.objects.filter(Q(sent_at=None) | Q(sent_at__lt=at - RESEND_AFTER)).filter(
        Q(state=RunState.QUEUED, project_id__in=with_place) | Q(state=RunState.RUNNING, leased_until__lt=at)
    )
    ids = list(lost.values_list("pk", flat=True))
    for run_id in ids:
        run_send(run_id=run_id, at=at)
    return ids


@transaction.atomic
def run_cancel(*, run: Run, by: User, at: datetime) -> Run:
    """A queued run ends at once; a training one ends at its next report, within seconds, and keeps its checkpoint."""
    run = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
    if not run.is_open:
        raise DomainError(
            gettext("Run {number} is {state_display} already; there is nothing to cancel.").format(
                number=run.number, state_display=run.get_state_display().lower()
            )
        )
    if run.cancel_requested_at is not None:
        return run
    run.cancel_requested_at = at
    dead_worker = run.state == RunState.RUNNING and run.leased_until is not None and run.leased_until < at
    if run.state == RunState.QUEUED or dead_worker:
        run.state, run.finished_at = RunState.CANCELED, at
    run.save(update_fields=["cancel_requested_at", "state", "finished_at"])
    event_record(
        project_id=run.project_id,
        verb=Verb.RUN_CANCELED,
        subject=f"run {run.number}",
        by=by,
        at=at,
        sentence=sentence("{by} canceled run {number}.", by=by, number=run.number),
        after={"state": run.state},
    )
    if not run.is_open:
        transaction.on_commit(lambda: turn_tell(at=at))
    _tell(run)
    return run


def _tell(run: Run) -> None:
    look_again(Topic.RUN.of(run.pk), News.RUN, run.pk)
    look_again(Topic.PROJECT.of(run.project_id), News.RUN, run.pk)
