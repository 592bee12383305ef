"""One value for many examples at once, each still an answer of its own; and one example taken out of the queue's turn.

Both are chosen by a person, so they stand in the lane “bulk”: they count neither for the lift nor for the gates.
"""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.datasets.models import Example
from apps.errors import DomainError, Invalid, NotFound
from apps.labeling.locks import examples_locked
from apps.labeling.models import (
    Annotation,
    Assignment,
    AssignmentState,
    FrontierItem,
    GoldItem,
    Label,
    Lane,
    Pause,
    ReviewWhy,
    SetAside,
)
from apps.labeling.services.annotations import IDLE_MS
from apps.labeling.services.assignments import LEASE
from apps.labeling.services.labels import label_resolve
from apps.labeling.services.reviews import review_open, reviews_wanted, slot_after
from apps.labeling.services.undo import CannotUndo
from apps.labeling.values import columns_of
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.pages.sentences import refusal
from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.selectors import guidelines_of, schema_of
from apps.rules.answers import AnswerRefused, Value

MOST = 100  # examples of one batch


class CannotTake(DomainError):
    code = "cannot_take"


@dataclass(frozen=True)
class Batch:
    """What became of a batch: the examples that have the answer now, and why the others have not."""

    client_id: uuid.UUID
    saved: tuple[int, ...]
    left_out: Mapping[str, int]  # a sentence -> how many examples

    @property
    def sentence(self) -> str:
        saved = ngettext("{n} example labeled.", "{n} examples labeled.", len(self.saved)).format(n=len(self.saved))
        return " ".join([saved, *self.left_out])


def annotations_bulk(
    *,
    project: Project,
    example_ids: Sequence[int],
    value: Mapping[str, Any],
    client_id: uuid.UUID,
    by: User,
    at: datetime,
    active_ms: int = 0,
) -> Batch:
    """Store the value for each example that wants an answer; the same `client_id` again stores nothing twice.

    Left out, and said in words: what is labeled, known beforehand, set aside, in the holdout, held by somebody, or
    answered by this person already. Raises Invalid for a value that does not fit.
    """
    checked = _checked(project, value, example_ids)
    with transaction.atomic():
        _refuse_paused(project, by)
        examples = examples_locked(project, example_ids)
        stored = _stored(project, client_id, by)
        if stored:
            return Batch(client_id, tuple(a.example_id for a in stored), {})
        why = _why_not(project, list(examples), by, at)
        why |= {pk: _MISSING for pk in example_ids if pk not in examples}
        free = [pk for pk in examples if pk not in why]
        _store(project, free, checked, client_id, by, at, active_ms // max(1, len(free)))
        for pk in free:
            label_resolve(example_id=pk, at=at)
        look_again(Topic.PROJECT.of(project.pk), News.LABELS)
    counted = Counter(why.values())
    return Batch(client_id, tuple(free), {_words(reason, n): n for reason, n in counted.items()})


def _checked(project: Project, value: Mapping[str, Any], example_ids: Sequence[int]) -> Value:
    task = task_types.get(project.task_type)
    if not task.answer.in_bulk:
        raise Invalid(_("Spans and boxes lie elsewhere in each example, so they are drawn one by one."))
    if not example_ids:
        raise Invalid(_("Select at least one example."), field="example")
    if len(set(example_ids)) > MOST:
        raise Invalid(_("At most {n} examples are labeled at once.").format(n=MOST), field="example")
    try:
        return task.answer.check(value, labels=[x.name for x in schema_of(project).offered], fields={})
    except AnswerRefused as refused:
        raise Invalid(refusal(refused), field="label") from refused


def _refuse_paused(project: Project, by: User) -> None:
    if Pause.objects.filter(project=project, person=by, lifted_at=None).exists():
        raise DomainError(_("You are paused in this project until somebody lifts it. Nothing was stored."))


def _stored(project: Project, client_id: uuid.UUID, by: User) -> list[Annotation]:
    own = Annotation.objects.filter(project=project, annotator=by, assignment__reason__batch=str(client_id))
    return list(own.select_related("assignment").order_by("pk"))


_MISSING, _LABELED, _GOLD, _ASIDE, _HOLDOUT, _HELD, _OWN = (
    "missing",
    "labeled",
    "gold",
    "aside",
    "holdout",
    "held",
    "own",
)


def _why_not(project: Project, ids: Sequence[int], by: User, at: datetime) -> dict[int, str]:
    """Example to the reason why it gets no answer now; the later reasons here weigh more."""
    standing = Assignment.objects.filter(example_id__in=ids)
    held = standing.filter(state=AssignmentState.LEASED, leased_until__gte=at)
    said = standing.filter(holder=by, state__in=(AssignmentState.ANSWERED, AssignmentState.SKIPPED))
    found: dict[int, str] = {}
    for reason, rows, column in (
        (_HELD, held, "example_id"),
        (_OWN, said, "example_id"),
        (_ASIDE, SetAside.objects.filter(pk__in=ids), "pk"),
        (_LABELED, Label.objects.filter(pk__in=ids), "pk"),
        (_HOLDOUT, Example.objects.filter(pk__in=ids, holdout=True), "pk"),
        (_GOLD, GoldItem.objects.filter(pk__in=ids), "pk"),
    ):
        found |= dict.fromkeys(rows.order_by().values_list(column, flat=True), reason)
    if _GOLD in found.values():  # nobody is told which examples are gold
        found = {pk: _LABELED if reason == _GOLD else reason for pk, reason in found.items()}
    return found


def _words(reason: str, n: int) -> str:
    one, many = {
        _MISSING: (_("{n} was not found here."), _("{n} were not found here.")),
        _LABELED: (_("{n} is labeled already."), _("{n} are labeled already.")),
        _ASIDE: (
            _("{n} is set aside because two people skipped it."),
            _("{n} are set aside because two people skipped them."),
        ),
        _HOLDOUT: (
            _("{n} is in the holdout, which is asked one by one and by chance."),
            _("{n} are in the holdout, which is asked one by one and by chance."),
        ),
        _HELD: (_("{n} is before somebody right now."), _("{n} are before somebody right now.")),
        _OWN: (_("{n} you have answered already."), _("{n} you have answered already.")),
    }[reason]
    return (one if n == 1 else many).format(n=n)


def _store(
    project: Project, ids: Sequence[int], value: Value, client_id: uuid.UUID, by: User, at: datetime, active_ms: int
) -> None:
    guidelines, columns = guidelines_of(project), columns_of(project, value)
    Assignment.objects.filter(example_id__in=ids, holder=by, state=AssignmentState.LEASED).update(
        state=AssignmentState.EXPIRED
    )  # ran out, or it would be held
    for pk in ids:
        assignment = Assignment.objects.create(
            project=project,
            example_id=pk,
            slot=slot_after(pk),
            holder=by,
            state=AssignmentState.ANSWERED,
            token=uuid.uuid4(),
            leased_at=at,
            leased_until=at,
            lane=Lane.BULK,
            rank=0,
            reason={"strategy": "bulk", "batch": str(client_id)},
            guidelines=guidelines,
        )
        Annotation.objects.create(
            client_id=uuid.uuid5(client_id, str(pk)),
            project=project,
            example_id=pk,
            assignment=assignment,
            annotator=by,
            **columns,
            shown_at=at,
            answered_at=at,
            active_ms=min(max(active_ms, 0), IDLE_MS),
        )
        _one_slot_less(pk, at)


def _one_slot_less(example_id: int, at: datetime) -> None:
    """The answer takes the place of one that was to be asked for, so that no example gets more answers than wanted."""
    free = FrontierItem.objects.filter(Q(leased_until=None) | Q(leased_until__lt=at), example_id=example_id)
    waiting = free.exclude(lane=Lane.REVIEW).order_by("-slot").first()
    if waiting:
        waiting.delete()


@transaction.atomic
def bulk_withdraw(*, project: Project, client_id: uuid.UUID, by: User, at: datetime) -> int:
    """Undo the person's last batch as a whole; the answers stay on record as withdrawn. Raises CannotUndo for others."""
    if client_id != last_batch(project=project, by=by):
        raise CannotUndo(_("Only your last batch can be undone, and this is not it."))
    stored = [a for a in _stored(project, client_id, by) if a.withdrawn_at is None]
    examples_locked(project, [a.example_id for a in stored])
    Annotation.objects.filter(pk__in=[a.pk for a in stored]).update(withdrawn_at=at)
    Assignment.objects.filter(pk__in=[a.assignment_id for a in stored]).update(state=AssignmentState.EXPIRED)
    for annotation in stored:
        label_resolve(example_id=annotation.example_id, at=at)
    look_again(Topic.PROJECT.of(project.pk), News.LABELS)
    return len(stored)


def last_batch(*, project: Project, by: User) -> uuid.UUID | None:
    """Of the person's answers that stand, the newest batch; None where the newest answer is none of a batch."""
    own = Annotation.objects.filter(project=project, annotator=by, withdrawn_at=None).select_related("assignment")
    newest = own.order_by("-id").first()
    batch = newest.assignment.reason.get("batch") if newest else None
    return uuid.UUID(batch) if batch else None


@transaction.atomic
def assignment_take(*, project: Project, example_id: int, by: User, at: datetime) -> Assignment:
    """A lease on exactly this example, out of the queue's turn. Raises CannotTake with the reason why not."""
    _refuse_paused(project, by)
    if example_id not in examples_locked(project, [example_id]):
        raise NotFound(_("There is no such example in this project."))
    own = Assignment.objects.filter(
        example_id=example_id, holder=by, state=AssignmentState.LEASED, leased_until__gte=at
    )
    if have := own.first():
        return have
    reason = _why_not(project, [example_id], by, at).get(example_id)
    if reason:
        raise CannotTake(_("Not now: {why}").format(why=_words(reason, 1).replace("1 ", "it ", 1)))
    Assignment.objects.filter(example_id=example_id, state=AssignmentState.LEASED, leased_until__lt=at).update(
        state=AssignmentState.EXPIRED
    )
    free = FrontierItem.objects.filter(Q(leased_until=None) | Q(leased_until__lt=at), example_id=example_id)
    waiting = free.exclude(lane=Lane.REVIEW).order_by("slot").first()
    if waiting:  # its own slot, so that nobody else is asked meanwhile
        FrontierItem.objects.filter(pk=waiting.pk).update(leased_until=at + LEASE)
    return Assignment.objects.create(
        project=project,
        example_id=example_id,
        slot=waiting.slot if waiting else slot_after(example_id),
        holder=by,
        token=uuid.uuid4(),
        leased_at=at,
        leased_until=at + LEASE,
        lane=Lane.BULK,
        rank=0,
        reason={"strategy": "chosen"},
        guidelines=guidelines_of(project),
    )


@transaction.atomic
def example_flag(*, project: Project, example_id: int, by: User, at: datetime) -> None:
    """Ask a reviewer to look at an example. Raises Invalid where nobody reviews."""
    example = Example.objects.filter(project=project, pk=example_id).first()
    if example is None:
        raise NotFound(_("There is no such example in this project."))
    if not reviews_wanted(project):
        raise Invalid(_("Nobody reviews in this project: its review lane is closed."))
    review_open(example=example, why=ReviewWhy.FLAG, agreement=None, at=at)
