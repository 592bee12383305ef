"""The learner that never stops, as people and the clock see it: its settings, a click, and when a worker is woken."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import DomainError, Invalid
from apps.labeling.kept_out import trained_on
from apps.labeling.models import Label, LabelSource
from apps.labeling.settled import returned_since
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.pages.numbers import fill
from apps.projects import task_types
from apps.projects.models import Project
from apps.rules.sentences import sentence, term
from apps.rules.words import count
from apps.training.models import OnlineLearner
from apps.training.services.runs import NoLearner
from apps.work.alone import alone
from apps.work.jobs import ask
from apps.work.names import Job

LATE = timedelta(minutes=10)  # a label may be committed so long after the moment that it bears
PUBLISH_EVERY = (1, 1_000_000)


def learner_of(project: Project) -> OnlineLearner:
    return OnlineLearner.objects.filter(project=project).first() or OnlineLearner(project=project)


@transaction.atomic
def online_set(*, project: Project, enabled: bool, publish_every: int, by: User, at: datetime) -> OnlineLearner:
    """Raises Invalid where the number is absurd, NoLearner where no model learns this kind of answer."""
    least, most = PUBLISH_EVERY
    if not least <= publish_every <= most:
        raise Invalid(
            fill(
                gettext("A model is made of {least} to {most:,} examples, not {publish_every:,}."),
                least=least,
                most=most,
                publish_every=publish_every,
            ),
            field="publish_every",
        )
    _refuse_without_a_learner(project)
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    before = OnlineLearner.objects.filter(project=project).values("enabled", "publish_every").first()
    learner, _ = OnlineLearner.objects.update_or_create(
        project=project, defaults={"enabled": enabled, "publish_every": publish_every}
    )
    on = sentence("on, a model every {examples}", examples=count(publish_every, "example"))
    words = on if enabled else term("off")
    event_record(
        project_id=project.pk,
        verb=Verb.ONLINE_SET,
        subject="online learning",
        by=by,
        at=at,
        sentence=sentence("{by} set online learning: {words}.", by=by, words=words),
        before=dict(before) if before else None,
        after={"enabled": enabled, "publish_every": publish_every},
    )
    if enabled:
        transaction.on_commit(lambda: online_send(project_id=project.pk))
    online_tell(project.pk)
    return learner


@transaction.atomic
def online_publish_ask(*, project: Project, by: User, at: datetime) -> OnlineLearner:
    """Make a model of the state at the next turn. Refused in words where nothing was learned since the last one."""
    learner = OnlineLearner.objects.select_for_update(no_key=True).filter(project=project).first()
    if learner is None or not learner.enabled:
        raise DomainError(gettext("Online learning is off. Switch it on first."))
    if not learner.unpublished:
        raise DomainError(
            gettext("Nothing was learned since the last model, so the next one would be the same.")
            if learner.last_run_id
            else gettext("Nothing was learned yet: no example outside the holdout has a label.")
        )
    if learner.asked_at is None:
        learner.asked_at = at
        learner.save(update_fields=["asked_at"])
        event_record(
            project_id=project.pk,
            verb=Verb.ONLINE_PUBLISH_ASKED,
            subject="online learning",
            by=by,
            at=at,
            sentence=sentence(
                "{by} asked for a model of {examples} learned online.",
                by=by,
                examples=count(learner.examples, "example"),
            ),
        )
    transaction.on_commit(lambda: online_send(project_id=project.pk))
    online_tell(project.pk)
    return learner


def online_send(*, project_id: int) -> None:
    """Without Redis the next turn of the clock sends it."""
    ask(Job.ONLINE, project_id)


def online_asked_since(*, project_id: int, at: datetime) -> bool:
    """Whether somebody asked for a model after a worker had looked, and has none yet."""
    return OnlineLearner.objects.filter(pk=project_id, enabled=True, asked_at__gte=at).exists()


def online_check(*, at: datetime) -> list[int]:
    """Wake each learner that has something to do and no worker. For the clock, every minute."""
    idle = OnlineLearner.objects.filter(project__archived_at=None).filter(
        Q(leased_until=None) | Q(leased_until__lt=at), enabled=True
    )
    woken = []
    for learner in idle:
        with alone("online learning", learner.project_id):
            if _has_work(learner, at):
                online_send(project_id=learner.project_id)
                woken.append(learner.project_id)
    return woken


def _has_work(learner: OnlineLearner, at: datetime) -> bool:
    if learner.asked_at or learner.unpublished >= learner.publish_every:
        return True
    if learner.updated_at and learner.updated_at > at - LATE and learner.cursor_at and learner.cursor_at > at - LATE:
        return True  # somebody may yet commit a label that is older than the cursor
    return labels_after(learner).exists() or bool(returned_since(learner.project_id, learner.feedback_cursor, 1))


def labels_after(learner: OnlineLearner) -> QuerySet[Label]:
    """Labels past the cursor; those of the holdout never, and those that came back by a cursor of their own."""
    labels = Label.objects.filter(project=learner.project_id, holdout=False, label__isnull=False)
    found = trained_on(labels, learner.project_id)
    found = found.exclude(source=LabelSource.FEEDBACK)
    if learner.cursor_at is None:
        return found
    return found.filter(
        Q(resolved_at__gt=learner.cursor_at) | Q(resolved_at=learner.cursor_at, pk__gt=learner.cursor_id)
    )


def _refuse_without_a_learner(project: Project) -> None:
    task = task_types.get(project.task_type)
    if not task.learns:
        raise NoLearner(gettext("No model learns “{title}” here.").format(title=str(task.title).lower()))


def online_tell(project_id: int) -> None:
    look_again(Topic.PROJECT.of(project_id), News.ONLINE, project_id)
