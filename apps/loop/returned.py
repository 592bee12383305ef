"""Feedback as a source of labels: a logged request whose label came back becomes an example, once that is mature.

It is never put into the holdout: what users send back is no draw by chance. What lies there already keeps its label.
"""

import logging
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from apps.datasets import services as datasets
from apps.datasets.batches import KeptBeside, StoredRow
from apps.datasets.content import content_digest
from apps.datasets.models import Example
from apps.datasets.readers import Row
from apps.labeling.models import Label, LabelSource, ReturnedLabel
from apps.loop.services.intake import examples_follow_up
from apps.monitoring.models import AskedPayload, Feedback, FeedbackSettings, ReturnedAs
from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.selectors import schema_of
from apps.projects.task_types import PayloadRefused
from apps.rules.answers import Value
from apps.rules.feedback import LABEL
from apps.rules.sentences import sentence
from apps.transfer.storing.labels import labels_keep
from apps.work.jobs import ask
from apps.work.leases import Lease, LeaseLost, silent_taken
from apps.work.names import Job

logger = logging.getLogger(__name__)
PART, MOST_PARTS = 500, 40  # labels a transaction, transactions a turn: 20,000 labels, then others have theirs
EVERY = timedelta(minutes=1)


class ReturnedLost(LeaseLost):
    """Another worker makes examples of this project's feedback."""

    code = "returned_lost"


LEASE = Lease(timedelta(minutes=2), ReturnedLost)  # renewed before each part, which takes a second or two


def returned_sweep(*, at: datetime) -> list[int]:
    """Ask for each project that has mature labels to take in, once a minute at most. In the archive nothing starts."""
    wanted = FeedbackSettings.objects.filter(becomes_examples=True, project__archived_at=None)
    due = [s.project_id for s in wanted.filter(project__deleting_since=None) if _due(s, at).exists()]
    asked = silent_taken(FeedbackSettings.objects.filter(pk__in=due), sign="sent_at", at=at, after=EVERY)
    for project_id in asked:
        ask(Job.RETURNED, project_id)
    return asked


def _due(settings: FeedbackSettings, at: datetime) -> "QuerySet[Feedback]":
    """Mature labels that no example was made of yet, oldest answer first."""
    rows = Feedback.objects.filter(project=settings.project_id, name=LABEL, returned="")
    return rows.filter(answered_at__lte=at - settings.maturity).order_by("answered_at", "pk")


def returned_take(*, project_id: int) -> int:
    """Examples of all that is due, part by part under a lease; a part is whole or not there, so another worker goes on.

    Returns how many labels were taken. Raises ReturnedLost where another worker has it.
    """
    owner, taken = _claim(project_id, timezone.now()), 0
    try:
        for _ in range(MOST_PARTS):
            at = timezone.now()
            LEASE.renew(_rows(project_id), owner, at, gettext("Another worker makes examples of this feedback."))
            settings = FeedbackSettings.objects.select_related("project").get(pk=project_id)
            part = list(_due(settings, at)[:PART]) if settings.becomes_examples else []
            if not part:
                break
            taken += _take(settings.project, part, at)
    finally:
        FeedbackSettings.objects.filter(pk=project_id, owner=owner).update(leased_until=None, attempts=0)
    return taken


def _rows(project_id: int) -> "QuerySet[FeedbackSettings]":
    return FeedbackSettings.objects.filter(pk=project_id, project__archived_at=None)


@transaction.atomic
def _claim(project_id: int, at: datetime) -> uuid.UUID:
    row = _rows(project_id).select_for_update(of=("self",), no_key=True).first()
    if row is None or row.is_held(at):
        raise ReturnedLost(gettext("Another worker makes examples of this feedback."))
    owner = LEASE.take(row, at)
    row.save(update_fields=["owner", "leased_until", "attempts"])
    return owner


def _take(project: Project, part: Sequence[Feedback], at: datetime) -> int:
    rows = _asked(project, part)
    unasked = [f.pk for f in part if f.pk not in rows]
    Feedback.objects.filter(pk__in=unasked).update(returned=ReturnedAs.UNASKED)
    _leave_out(project, part, rows)
    beside = ReturnedLabels(project, {i: f for i, f in enumerate(part, start=1) if f.pk in rows})
    if rows:
        ingestion = datasets.ingestion_open(project=project, source="feedback", by=None, at=at)
        claimed = datasets.ingestion_claim(ingestion_id=ingestion.pk, at=at)
        assert claimed is not None  # nobody else knows its id yet
        given = (Row(i, rows[f.pk]) for i, f in beside.feedback.items())
        datasets.examples_ingest(ingestion=claimed, rows=given, now=lambda: at, beside=beside, drawn=False)
        datasets.ingestion_close(ingestion=claimed, at=at, beside={"labels": beside.taken})
        examples_follow_up(project, at=at)
    left = Feedback.objects.filter(pk__in=[f.pk for f in part], returned="")
    left.update(returned=ReturnedAs.LEFT_OUT)  # refused as rows: the reason stands with the refused rows
    return beside.taken


def _asked(project: Project, part: Sequence[Feedback]) -> dict[int, dict[str, Any]]:
    """The row of a file for each piece of feedback of which the log kept what was asked."""
    kept = AskedPayload.objects.filter(project=project, inference_id__in={f.inference_id for f in part})
    by_place = {(k.inference_id, k.item): k for k in kept.order_by("pk").iterator(chunk_size=PART)}
    found = dict[int, dict[str, Any]]()
    for f in part:
        payload = by_place.get((f.inference_id, f.item))
        if payload is not None:
            assert f.answered_at is not None
            found[f.pk] = row_asked(payload, external_id(f), f.answered_at) | {"label": f.label}
    return found


def row_asked(payload: AskedPayload, name: str, at: datetime) -> dict[str, Any]:
    """What a logged request asked about, as a row of a file."""
    image = {} if payload.image is None else {"image": bytes(payload.image)}
    return {**payload.row, **image, "id": name, "collected_at": at.isoformat()}


def external_id(feedback: Feedback) -> str:
    """An example is called as its request was; a row of several bears its place."""
    return f"{feedback.inference_id}#{feedback.item}" if feedback.item_said else feedback.inference_id


def _leave_out(project: Project, part: Sequence[Feedback], rows: dict[int, dict[str, Any]]) -> None:
    """What shows the same as an example of the holdout would have to join it there."""
    task, digests = task_types.get(project.task_type), dict[int, str]()
    for pk, row in rows.items():
        try:
            payload = task.read({k: v for k, v in row.items() if k not in ("id", "label", "collected_at")})
        except PayloadRefused:
            continue
        digests[pk] = content_digest(payload.fields, payload.blob)
    held = Example.objects.filter(project=project, holdout=True, content_digest__in=set(digests.values()))
    protected = set(held.values_list("content_digest", flat=True))
    out = [pk for pk, digest in digests.items() if digest in protected]
    for pk in out:
        del rows[pk]
    Feedback.objects.filter(pk__in=out).update(returned=ReturnedAs.LEFT_OUT)


class ReturnedLabels:
    """The `Beside` of apps.datasets for one part; `feedback` is by row number."""

    def __init__(self, project: Project, feedback: Mapping[int, Feedback]) -> None:
        self.project, self.feedback, self.taken = project, feedback, 0
        self._labels = {label.name: label.pk for label in schema_of(project).labels}

    def named(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return dict(values)

    def read(self, values: Mapping[str, Any]) -> tuple[Mapping[str, Any], Any]:
        return {k: v for k, v in values.items() if k != "label"}, {"label": values["label"]}

    def check(self, said: Any, fields: Mapping[str, Any], at: datetime) -> Value:
        if said["label"] not in self._labels:
            raise PayloadRefused(sentence("The project has no label “{value}” any more.", value=said["label"]))
        return dict(said)

    def keep(self, kept: Sequence[StoredRow], *, at: datetime) -> KeptBeside:
        """Within the batch's transaction: label, where it came from, and that this is done."""
        free = [(k, k.beside) for k in kept if not k.holdout]
        self._make_room(free)
        new = labels_keep(self.project, free, self._columns, at=at, source=LabelSource.FEEDBACK)
        made = [k for k, _ in free if k.row_number in new]
        ReturnedLabel.objects.filter(example_id__in=[k.example_id for k in made]).delete()
        ReturnedLabel.objects.bulk_create([self._returned(k, at) for k in made])
        done = [self.feedback[k.row_number].pk for k in made]
        Feedback.objects.filter(pk__in=done).update(returned=ReturnedAs.EXAMPLE)
        self.taken += len(made)
        return KeptBeside(new=set(new))

    def _make_room(self, given: Sequence[tuple[StoredRow, Value]]) -> None:
        """A correction replaces what came back before; what people said stands."""
        wanted = {k.example_id: self._labels[str(value["label"])] for k, value in given}
        before = Label.objects.filter(example_id__in=wanted, source=LabelSource.FEEDBACK)
        other = [pk for pk, label_id in before.values_list("pk", "label_id") if wanted[pk] != label_id]
        Label.objects.filter(pk__in=other).delete()

    def _columns(self, value: Value | None) -> tuple[int | None, Value | None]:
        return (self._labels[str(value["label"])], None) if value else (None, None)

    def _returned(self, k: StoredRow, at: datetime) -> ReturnedLabel:
        f = self.feedback[k.row_number]
        assert f.answered_at is not None and f.model_number is not None
        return ReturnedLabel(
            project=self.project,
            example_id=k.example_id,
            inference_id=f.inference_id,
            item=f.item,
            model_number=f.model_number,
            predicted=f.predicted,
            answered_at=f.answered_at,
            said_at=f.at,
            at=at,
        )
