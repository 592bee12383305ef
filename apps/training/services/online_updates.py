"""The learner as its worker drives it: claim, learn, publish, give back, each under an owner token.

The state is a file, the row says which. A new state is written under a new name first; the row then takes its address,
the cursor and the counters in one transaction. A worker that dies in between leaves the old state beside the old cursor.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext

from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.datasets.models import DatasetVersion
from apps.projects.models import Project
from apps.rules.sentences import parts_of, sentence
from apps.rules.words import count
from apps.training.models import OnlineLearner, OnlinePoint, Run, RunKind, RunPoint, RunState, RunTrigger
from apps.training.services.online import online_tell
from apps.training.services.ownership import tell
from apps.work.leases import Lease, LeaseLost

CURVE = 500  # newest points that a published run carries along


class OnlineLost(LeaseLost):
    """Another worker has the learner, or it was switched off."""

    code = "online_lost"


# Renewed before each part is learned; the longest step embeds a part's texts.
LEASE = Lease(timedelta(minutes=2), OnlineLost)


@dataclass(frozen=True)
class Update:
    """What one part of new labels did. The loss is a sum of nats, said before each example was learned."""

    state_url: str
    examples: int
    loss_sum: float
    right: int
    seconds: float
    cursor_at: datetime | None
    cursor_id: int
    feedback_cursor: int


@dataclass(frozen=True)
class Published:
    """A state as a model: where it is, what it was made with, and the version that holds its labels."""

    artifact_url: str
    weights_digest: str
    version: DatasetVersion
    recipe: Mapping[str, Any]
    packages: Mapping[str, str]
    device: str


@transaction.atomic
def online_claim(*, project_id: int, at: datetime) -> OnlineLearner:
    """Take the learner for one update. Raises OnlineLost where another worker has it or it is off."""
    learner = (
        OnlineLearner.objects.select_for_update(of=("self",), no_key=True)
        .select_related("project")
        .filter(pk=project_id)
        .first()
    )
    if learner is None or not learner.enabled:
        raise OnlineLost(gettext("Online learning is off."))
    if learner.project.archived_at is not None:
        raise OnlineLost(gettext("The project is in the archive, where nothing is learned."))
    if learner.is_held(at):
        raise OnlineLost(gettext("Another worker is learning for this project."))
    LEASE.take(learner, at)
    learner.save(update_fields=["owner", "leased_until"])
    return learner


def online_renew(*, project_id: int, owner: uuid.UUID, at: datetime) -> None:
    """Raises OnlineLost."""
    rows = OnlineLearner.objects.filter(pk=project_id, enabled=True)
    LEASE.renew(rows, owner, at, gettext("The learner was taken over or switched off."))


@transaction.atomic
def online_restart(
    *, project_id: int, owner: uuid.UUID, label_names: Sequence[str], encoder: str, reason: str, at: datetime
) -> OnlineLearner:
    """Forget what was learned and begin at the first label. The curve begins again too: it would mix two learners."""
    learner = _owned(project_id, owner)
    learner.points.all().delete()
    learner.state_url, learner.label_names, learner.encoder = "", list(label_names), encoder
    learner.examples = learner.unpublished = learner.right = learner.cursor_id = learner.feedback_cursor = 0
    learner.loss_sum = learner.seconds = 0.0
    learner.cursor_at, learner.error = None, reason[:400]
    learner.save()
    if reason:
        event_record(
            project_id=project_id,
            verb=Verb.ONLINE_RESTARTED,
            subject="online learning",
            by=None,
            at=at,
            sentence=sentence("Online learning began again at the first label: {reason}", reason=reason),
        )
    online_tell(project_id)
    return learner


@transaction.atomic
def online_learned(*, project_id: int, owner: uuid.UUID, update: Update, at: datetime) -> OnlineLearner:
    """State, cursor and counters together. Raises OnlineLost, and then none of them has moved."""
    learner = _owned(project_id, owner)
    learner.state_url, learner.cursor_at, learner.cursor_id = update.state_url, update.cursor_at, update.cursor_id
    learner.feedback_cursor = update.feedback_cursor
    learner.examples += update.examples
    learner.unpublished += update.examples
    learner.loss_sum += update.loss_sum
    learner.right += update.right
    learner.seconds += update.seconds
    learner.updated_at, learner.leased_until = at, at + LEASE.length
    learner.save()
    if update.examples:
        OnlinePoint.objects.create(
            learner=learner,
            examples=learner.examples,
            learned=update.examples,
            at=at,
            loss=update.loss_sum / update.examples,
            accuracy=update.right / update.examples,
        )
    online_tell(project_id)
    return learner


@transaction.atomic
def online_published(*, project_id: int, owner: uuid.UUID, published: Published, at: datetime) -> Run:
    """Record the state as a completed run, which is then judged like any other. Raises OnlineLost."""
    project = Project.objects.select_for_update(no_key=True).get(pk=project_id)
    learner = _owned(project_id, owner)
    seconds = learner.seconds - _seconds_before(learner)
    number = (Run.objects.filter(project=project).aggregate(n=Max("number"))["n"] or 0) + 1
    new = count(learner.unpublished, "example")
    words = (
        sentence("{new} learned online, asked for by a person", new=new)
        if learner.asked_at
        else sentence("{new} learned online", new=new)
    )
    run = Run.objects.create(
        project=project,
        number=number,
        kind=RunKind.ONLINE,
        state=RunState.COMPLETED,
        trigger=words,
        trigger_parts=parts_of(words),
        trigger_type=RunTrigger.ONLINE,
        dataset_version=published.version,
        recipe=dict(published.recipe),
        code_version=settings.CODE_VERSION,
        packages=dict(published.packages),
        queued_at=at,
        started_at=at - timedelta(seconds=seconds),
        finished_at=at,
        attempts=1,
        step=learner.examples,
        steps_total=learner.examples,
        device=published.device,
        labels=learner.examples,
        new_labels=learner.unpublished,
        label_names=learner.label_names,
        artifact_url=published.artifact_url,
        weights_digest=published.weights_digest,
        device_s=seconds,
        samples_per_s=learner.unpublished / seconds if seconds else None,
        measured={
            "learner_s": learner.seconds,
            "progressive_loss": learner.loss_sum / learner.examples,
            "progressive_accuracy": learner.right / learner.examples,
        },
    )
    points = list(learner.points.order_by("-examples", "-pk")[:CURVE])
    RunPoint.objects.bulk_create(
        [RunPoint(run=run, step=p.examples, epoch=1.0, train_loss=p.loss, at=p.at) for p in reversed(points)],
        ignore_conflicts=True,
    )
    learner.unpublished, learner.asked_at, learner.last_run = 0, None, run
    learner.save(update_fields=["unpublished", "asked_at", "last_run"])
    event_record(
        project_id=project_id,
        verb=Verb(f"run.{run.state}"),
        subject=f"run {run.number}",
        by=None,
        at=at,
        sentence=sentence("Run {number} completed: {new} learned online.", number=run.number, new=new),
        after={"state": run.state},
    )
    tell(run)
    online_tell(project_id)
    return run


def _seconds_before(learner: OnlineLearner) -> float:
    """Of learning, until the last model was made; none where the learner has begun again since."""
    if learner.last_run is None:
        return 0.0
    before = float(learner.last_run.measured.get("learner_s", 0.0))
    return before if before <= learner.seconds else 0.0


def online_release(*, project_id: int, owner: uuid.UUID, error: str | None, at: datetime) -> None:
    """Give the learner back. `error` is a sentence for its page; None leaves what stands there."""
    mine = OnlineLearner.objects.filter(pk=project_id, owner=owner)
    mine.filter(unpublished=0).update(asked_at=None)  # a click that came while its model was made
    mine.update(leased_until=None, **({} if error is None else {"error": error[:400]}))
    online_tell(project_id)


def _owned(project_id: int, owner: uuid.UUID) -> OnlineLearner:
    rows = OnlineLearner.objects.filter(pk=project_id, enabled=True).select_related("last_run")
    return LEASE.owned(rows, owner, gettext("The learner was taken over or switched off."))
