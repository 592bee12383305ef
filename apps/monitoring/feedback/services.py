"""Take feedback in, join what waits with the log, give up what never found its answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import F

from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.monitoring.feedback.answers import AnsweredRequest, answered_requests, joined, worth_of
from apps.monitoring.feedback.settings import feedback_settings_of, log_shares_of
from apps.monitoring.models import Feedback, FeedbackLetter, FeedbackSettings
from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.selectors import LabelSchema, schema_of
from apps.rules.feedback import FeedbackSent, feedback_of
from apps.rules.log_sample import stays
from apps.rules.sentences import parts_of, sentence, words_of
from apps.rules.values import ValueRefused, shown
from apps.work.alone import alone
from apps.work.locks import Lock, lock

MOST_ROWS = 1_000  # of one call
UNKNOWN_FOR = timedelta(days=7)  # an id that no answer has is waited for
LOGGED_WITHIN = timedelta(hours=1)  # answers that are not there by then were left out by the sample, where one is drawn
FIRST_TRY, RAREST = timedelta(seconds=1), timedelta(minutes=10)
JOINED_AT_ONCE = 2_000  # of one project in one sweep
UPDATED = ("label", "value", "at", "received_at", "corrections", "worth", "returned")
JOINED = ("next_try_at", "answered_at", "model_number", "arm", "rollout", "entity", "predicted", "worth", "share")


class FeedbackStatus(StrEnum):
    """What became of one row."""

    JOINED = "joined"
    WAITING = "waiting"  # no answer of this id is logged yet
    CORRECTED = "corrected"
    KNOWN = "known"  # the same was sent before
    OLDER = "older"  # what is kept happened later
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class FeedbackRow:
    status: FeedbackStatus
    reason: str = ""


Key = tuple[str, int, str]


@transaction.atomic
def feedback_take(*, project: Project, rows: Sequence[Any], at: datetime) -> list[FeedbackRow]:
    """Each row is answered for itself, in the order they came. What cannot be used is kept with its reason."""
    lock(Lock.FEEDBACK, project.pk)
    schema, structured = schema_of(project), task_types.get(project.task_type).structured
    sent: list[FeedbackSent | str] = [_read(row, schema, structured, at) for row in rows]
    ids = {each.inference_id for each in sent if isinstance(each, FeedbackSent)}
    taking = _Taking(project, schema, answered_requests(project, ids), _have(project, ids), at)
    answers = [taking.take(each) for each in sent]
    Feedback.objects.bulk_create(taking.new.values())
    Feedback.objects.bulk_update(taking.changed.values(), UPDATED)
    refused = [(row, each.reason) for row, each in zip(rows, answers, strict=True) if each.status == "refused"]
    FeedbackLetter.objects.bulk_create([_letter(project, row, reason, at) for row, reason in refused])
    look_again(Topic.PROJECT.of(project.pk), News.FEEDBACK)
    return answers


def _read(row: Any, schema: LabelSchema, structured: bool, at: datetime) -> FeedbackSent | str:
    """What was sent, or why it cannot be used."""
    try:
        sent = feedback_of(row, now=at)
        return _with_label(sent, schema, structured) if sent.label else sent
    except ValueRefused as refused:
        return words_of(refused)


def _with_label(sent: FeedbackSent, schema: LabelSchema, structured: bool) -> FeedbackSent:
    if structured:
        raise ValueRefused(
            sentence("An answer of this project is not one label, so feedback is a number under a name.")
        )
    (name,) = schema.today([sent.label])
    if schema.by_name(name) is None:
        known = ", ".join(x.name for x in schema.offered[:10])
        raise ValueRefused(
            sentence("The project has no label “{value}”. It has {known}.", value=shown(sent.label), known=known)
        )
    return FeedbackSent(sent.inference_id, sent.item, sent.name, name, None, sent.at)


def _have(project: Project, ids: set[str]) -> dict[Key, Feedback]:
    rows = Feedback.objects.filter(project=project, inference_id__in=ids)
    return {(row.inference_id, row.item, row.name): row for row in rows}


class _Taking:
    """One call's rows on their way to the table; a later row of it sees what an earlier one did."""

    def __init__(
        self,
        project: Project,
        schema: LabelSchema,
        requests: Mapping[str, AnsweredRequest],
        have: dict[Key, Feedback],
        at: datetime,
    ) -> None:
        self.project, self.schema, self.requests, self.have, self.at = project, schema, requests, have, at
        self.new: dict[Key, Feedback] = {}
        self.changed: dict[Key, Feedback] = {}

    def take(self, sent: FeedbackSent | str) -> FeedbackRow:
        if isinstance(sent, str):
            return FeedbackRow(FeedbackStatus.REFUSED, sent)
        key = (sent.inference_id, sent.item or 0, sent.name)
        have = self.have.get(key)
        try:
            return self._again(key, have, sent) if have else self._first(key, sent)
        except ValueRefused as refused:
            return FeedbackRow(FeedbackStatus.REFUSED, words_of(refused))

    def _first(self, key: Key, sent: FeedbackSent) -> FeedbackRow:
        row = Feedback(
            project=self.project,
            inference_id=sent.inference_id,
            item=sent.item or 0,
            item_said=sent.item is not None,
            name=sent.name,
            label=sent.label,
            value=sent.value,
            at=sent.at,
            received_at=self.at,
            first_received_at=self.at,
            next_try_at=self.at + FIRST_TRY,
        )
        request = self.requests.get(sent.inference_id)
        if request is not None:
            row = joined(row, request, self.schema)
        self.have[key] = self.new[key] = row
        return FeedbackRow(FeedbackStatus.JOINED if request else FeedbackStatus.WAITING)

    def _again(self, key: Key, have: Feedback, sent: FeedbackSent) -> FeedbackRow:
        if (have.label, have.value) == (sent.label, sent.value):
            return FeedbackRow(FeedbackStatus.KNOWN)
        if sent.at < have.at:
            return FeedbackRow(FeedbackStatus.OLDER)
        have.label, have.value, have.at = sent.label, sent.value, sent.at
        have.received_at, have.corrections, have.returned = self.at, have.corrections + 1, ""
        if have.answered_at is not None:
            have.worth = worth_of(have, self.schema)
        if key not in self.new:
            self.changed[key] = have
        return FeedbackRow(FeedbackStatus.CORRECTED)


def _letter(project: Project, row: Any, reason: str, at: datetime) -> FeedbackLetter:
    given = row.get("inference_id") if isinstance(row, Mapping) else None
    named = shown(given, 99) if isinstance(given, str | int) and not isinstance(given, bool) else ""
    return FeedbackLetter(
        project=project, at=at, inference_id=named[:100], row=_short(row), reason=reason[:300], parts=parts_of(reason)
    )


def _short(row: Any) -> Any:
    """What can be kept of whatever was sent."""
    if not isinstance(row, Mapping):
        return {"row": shown(row, 200)}
    return {shown(key): shown(value, 200) for key, value in list(row.items())[:10]}


def feedback_sweep(*, at: datetime) -> None:
    """Join what waits; each project alone. In the archive nothing moves."""
    due = Feedback.objects.filter(answered_at=None, next_try_at__lte=at, project__archived_at=None)
    projects = Project.objects.filter(pk__in=due.order_by().values("project_id").distinct(), deleting_since=None)
    for project in projects:
        with alone("feedback", project):
            feedback_join(project=project, at=at)


@transaction.atomic
def feedback_join(*, project: Project, at: datetime) -> int:
    """How many found their answer. What waits longer is tried more rarely; after a week it is given up."""
    lock(Lock.FEEDBACK, project.pk)
    due = Feedback.objects.filter(project=project, answered_at=None, next_try_at__lte=at).order_by("next_try_at")
    waiting = list(due[:JOINED_AT_ONCE])
    requests, schema = answered_requests(project, (row.inference_id for row in waiting)), schema_of(project)
    found, later, lost = list[Feedback](), list[Feedback](), list[tuple[Feedback, str]]()
    least, out = log_shares_of(feedback_settings_of(project)).least, list[int]()
    for row in waiting:
        request, age = requests.get(row.inference_id), at - row.first_received_at
        if request is not None:
            try:
                found.append(joined(row, request, schema))
            except ValueRefused as refused:
                lost.append((row, words_of(refused)))
        elif age >= LOGGED_WITHIN and not stays(row.inference_id, least):
            out.append(row.pk)
        elif age >= UNKNOWN_FOR:
            lost.append(
                (row, sentence("No answer was logged under this id within {days} days.", days=UNKNOWN_FOR.days))
            )
        else:
            row.next_try_at = at + min(max(age, FIRST_TRY), RAREST)
            later.append(row)
    Feedback.objects.bulk_update(found, JOINED)
    Feedback.objects.bulk_update(later, ["next_try_at"])
    _give_up(project, lost, at)
    _leave_out(project, out)
    if found or lost or out:
        look_again(Topic.PROJECT.of(project.pk), News.FEEDBACK)
    return len(found)


def _give_up(project: Project, lost: Sequence[tuple[Feedback, str]], at: datetime) -> None:
    letters = [_letter(project, _as_sent(row), reason, at) for row, reason in lost]
    FeedbackLetter.objects.bulk_create(letters)
    Feedback.objects.filter(pk__in=[row.pk for row, _ in lost]).delete()


def _leave_out(project: Project, ids: Sequence[int]) -> None:
    """What came back for answers that the log, as the project wants it, has no row of: counted, and no fault of anybody."""
    if ids:
        Feedback.objects.filter(pk__in=ids).delete()
        FeedbackSettings.objects.filter(project=project).update(left_out=F("left_out") + len(ids))


def _as_sent(row: Feedback) -> dict[str, Any]:
    said = {"label": row.label} if row.label else {"name": row.name, "value": row.value}
    item = {"item": row.item} if row.item_said else {}
    return {"inference_id": row.inference_id, **item, **said, "at": row.at.isoformat()}
