"""Whose turn it is: which queued run the next free worker takes, and the message that wakes one."""

from collections import Counter
from datetime import datetime

from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.services import english, event_record
from apps.audit.verbs import Verb
from apps.errors import DomainError, Invalid
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.projects.models import Project
from apps.rules.sentences import lowered, sentence
from apps.training.models import Policy, Run, RunPriority, RunState
from apps.work.jobs import ask
from apps.work.names import Job

IN_TURN = ("priority", "queued_at", "pk")


def places_free() -> dict[int, int]:
    """Runs that each project with a queued one may train now beside those it trains; none where it is archived.

    Dead workers' runs hold their place.
    """
    projects = (
        Run.objects.filter(state=RunState.QUEUED, project__archived_at=None)
        .values_list("project_id", flat=True)
        .distinct()
    )
    training = Counter(Run.objects.filter(state=RunState.RUNNING).values_list("project_id", flat=True))
    at_once = dict(Policy.objects.values_list("project_id", "runs_at_once"))
    return {p: at_once.get(p, 1) - training[p] for p in projects}


def turn_take() -> Run | None:
    """The queued run whose turn it is, its row locked, and its project's too, so that no second worker counts the same
    free place. To be called in a transaction; None when every queued run waits for a place."""
    free = places_free()
    waiting = Run.objects.filter(state=RunState.QUEUED, project_id__in=[p for p, n in free.items() if n > 0])
    for run_id, project_id in waiting.order_by(*IN_TURN).values_list("pk", "project_id"):
        Project.objects.select_for_update(no_key=True).get(pk=project_id)
        run = Run.objects.select_for_update(of=("self",), no_key=True).select_related("project").get(pk=run_id)
        if run.state == RunState.QUEUED and places_free().get(project_id, 0) > 0:
            return run
    return None


def turn_tell(*, at: datetime) -> None:
    """Wake a worker for the run whose turn it is: a place has become free. Without Redis the sweep does it later."""
    free = places_free()
    waiting = Run.objects.filter(state=RunState.QUEUED, project_id__in=[p for p, n in free.items() if n > 0])
    run_id = waiting.order_by(*IN_TURN).values_list("pk", flat=True).first()
    if run_id is not None:
        run_send(run_id=run_id, at=at)


def run_send(*, run_id: int, at: datetime) -> None:
    """Hand the job's name over. When Redis is away the run stays queued and the sweep sends it later."""
    if ask(Job.TRAIN, run_id):
        Run.objects.filter(pk=run_id).update(sent_at=at)


def run_prioritize(*, run: Run, priority: int, by: User, at: datetime) -> Run:
    """Change the turn of a queued run."""
    if priority not in RunPriority.values:
        raise Invalid(
            gettext("A priority is one of {values}, not {priority}.").format(
                values=", ".join(str(value) for value in RunPriority.values), priority=priority
            ),
            field="priority",
        )
    before = RunPriority(run.priority)
    if not Run.objects.filter(pk=run.pk, state=RunState.QUEUED).update(priority=priority):
        raise DomainError(
            gettext("Run {number} does not wait any more, so its turn cannot be changed.").format(number=run.number)
        )
    run.priority = priority
    event_record(
        project_id=run.project_id,
        verb=Verb.RUN_PRIORITIZED,
        subject=f"run {run.number}",
        by=by,
        at=at,
        sentence=sentence(
            "{by} gave run {number} {priority} priority.",
            by=by,
            number=run.number,
            priority=lowered(english(RunPriority(priority).label)),
        ),
        before={"priority": before},
        after={"priority": priority},
    )
    look_again(Topic.RUN.of(run.pk), News.RUN, run.pk)
    look_again(Topic.PROJECT.of(run.project_id), News.RUN, run.pk)
    return run
