"""Answers: checked, stored once, kept even when late, and what each leads to."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.errors import DomainError, Invalid, NotFound
from apps.labeling.models import (
    Annotation,
    Assignment,
    AssignmentState,
    ErrorKind,
    FrontierItem,
    Lane,
    ReviewWhy,
    SetAside,
    SkipReason,
)
from apps.labeling.services.assignments import slots_lock
from apps.labeling.services.gold import Judged, gold_judge, pause_if_failing
from apps.labeling.services.labels import label_resolve
from apps.labeling.services.reviews import review_decide, review_open, reviews_wanted
from apps.live.publish import look_again
from apps.projects import task_types
from apps.projects.models import SchemaLabel
from apps.projects.selectors import schema_of
from apps.rules.answers import AnswerRefused, Value

SKIPS_TO_SET_ASIDE = 2  # one person may just not know; two rarely err together
IDLE_MS = 5 * 60 * 1000  # the clock for time per label stops after 5 min (Labelbox)
MOST_COMMENT = 4000  # characters


@dataclass(frozen=True)
class Answer:
    """What a person said about one assignment. Exactly one of `label`, `value` and `skip_reason`."""

    client_id: uuid.UUID
    assignment_id: int
    token: uuid.UUID
    label: str = ""
    value: Value | None = None
    skip_reason: str = ""
    comment: str = ""
    flagged: bool = False
    error_kind: str = ""
    active_ms: int = 0
    shown_at: datetime | None = None


@dataclass(frozen=True)
class Said:
    """An answer that fits: the columns that keep it and, unless it is a skip, its value."""

    value: Value | None
    columns: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Saved:
    """A stored answer, and what is known about it if the example is gold."""

    annotation: Annotation
    judged: Judged | None = None


def annotation_submit(*, project_id: int, answer: Answer, by: User, at: datetime) -> Annotation:
    """Store one answer; the same `client_id` again returns the stored one. Raises Invalid or NotFound, loses nothing.

    An answer after the lease ran out counts as usual while the slot is free, and as a surplus vote once it is not.
    """
    return annotation_take(project_id=project_id, answer=answer, by=by, at=at).annotation


@transaction.atomic
def annotation_take(*, project_id: int, answer: Answer, by: User, at: datetime) -> Saved:
    """As `annotation_submit`, with the verdict on a gold example."""
    if stored := annotation_stored(project_id, answer.client_id, by):
        return saved_again(stored)
    given = _given(project_id, answer, by)
    said = _said(given, answer, at)
    siblings = example_locked(given, by)
    if stored := annotation_stored(project_id, answer.client_id, by):  # sent twice at once: the other one held the lock
        return saved_again(stored)
    assignment = _current(siblings, given, by)
    if Annotation.objects.filter(assignment=assignment, withdrawn_at=None).exists():
        raise DomainError(_("You have already answered this example; undo first to change it."))
    surplus = filled_by_other(assignment, siblings)
    judged = gold_judge(assignment=assignment, value=said.value)
    annotation = _store(assignment, answer, said, by=by, at=at, surplus=surplus, judged=judged)
    if not surplus:
        _close(assignment, skipped=said.value is None)
    _follow(assignment, annotation, judged, at)
    look_again(f"project.{project_id}", "labels")
    return Saved(annotation, judged)


def saved_again(stored: Annotation) -> Saved:
    return Saved(stored, gold_judge(assignment=stored.assignment, value=_value(stored)))


def _value(annotation: Annotation) -> Value | None:
    return annotation.value or ({"label": annotation.label.name} if annotation.label else None)


def annotation_stored(project_id: int, client_id: uuid.UUID, by: User) -> Annotation | None:
    rows = Annotation.objects.select_related("label", "assignment__project").filter(client_id=client_id)
    stored = rows.first()
    if stored and (stored.annotator_id != by.pk or stored.project_id != project_id):
        raise Invalid(_("This answer’s id was used by somebody else. Reload the page and answer again."))
    return stored


def _given(project_id: int, answer: Answer, by: User) -> Assignment:
    """The assignment that the answer names, with its example and project."""
    rows = Assignment.objects.filter(pk=answer.assignment_id, project_id=project_id, holder=by, token=answer.token)
    given = rows.select_related("example", "project").first()
    if given is None:
        raise NotFound(_("This example was never given to you under this token. Reload the page to get the next one."))
    return given


def example_locked(given: Assignment, by: User) -> list[Assignment]:
    """Every assignment of the example, locked in key order; this person's slots before them, as a lease does."""
    same = Assignment.objects.filter(example_id=given.example_id)
    slots_lock(same.filter(holder=by))
    return list(same.select_for_update(of=("self",), no_key=True).order_by("pk"))


def _current(siblings: Sequence[Assignment], given: Assignment, by: User) -> Assignment:
    """When the lease had run out and the same person was given the example once more, the answer is for the newer one."""
    own = [a for a in siblings if a.holder_id == by.pk]
    newer = next((a for a in own if a.state != AssignmentState.EXPIRED), None)
    found = newer or next(a for a in own if a.pk == given.pk)
    found.example, found.project = given.example, given.project
    return found


def _said(given: Assignment, answer: Answer, at: datetime) -> Said:
    """Raises Invalid when the answer fits neither the schema nor the example."""
    chosen = [answer.label != "", answer.value is not None, answer.skip_reason != ""]
    if sum(chosen) != 1:
        raise Invalid(_("An answer is either a label or a reason to skip."), field="label")
    if len(answer.comment) > MOST_COMMENT:
        raise Invalid(_("A comment has at most {n} characters.").format(n=MOST_COMMENT), field="comment")
    if answer.skip_reason:
        return Said(None, {"skip_reason": _skip_reason(answer.skip_reason)})
    if given.lane == Lane.REVIEW and answer.error_kind not in ErrorKind.values:
        known = ", ".join(ErrorKind.values)
        raise Invalid(
            _("A review says why the answers differed: one of {known}.").format(known=known), field="error_kind"
        )
    task = task_types.get(given.project.task_type)
    labels = _may_be_given(given)
    raw = answer.value if answer.value is not None else {"label": answer.label}
    try:
        value = task.answer.check(raw, labels=list(labels), fields=given.example.fields)
    except AnswerRefused as refused:
        raise Invalid(str(refused), field="value" if answer.value is not None else "label") from refused
    if task.structured:
        return Said(value, {"value": value})
    return Said(value, {"label": labels[value["label"]]})


def _skip_reason(reason: str) -> str:
    if reason not in SkipReason.values:
        sentence = _("The reason “{reason}” is not one of {known}.")
        raise Invalid(sentence.format(reason=reason, known=", ".join(SkipReason.values)), field="skip_reason")
    return reason


def _may_be_given(given: Assignment) -> dict[str, SchemaLabel]:
    """The offered labels, and those retired only after the example was shown: an answer on its way is not lost."""
    labels = schema_of(given.project).labels
    return {x.name: x for x in labels if x.retired_at is None or x.retired_at > given.leased_at}


def filled_by_other(assignment: Assignment, siblings: Sequence[Assignment]) -> bool:
    """Whether somebody else has the slot: taken after this lease ran out, or after this person skipped it."""
    taken = (AssignmentState.LEASED, AssignmentState.ANSWERED)
    return any(a.slot == assignment.slot and a.pk != assignment.pk and a.state in taken for a in siblings)


def _store(
    assignment: Assignment, answer: Answer, said: Said, *, by: User, at: datetime, surplus: bool, judged: Judged | None
) -> Annotation:
    shown_at = min(max(answer.shown_at or assignment.leased_at, assignment.leased_at), at)
    return Annotation.objects.create(
        client_id=answer.client_id, project_id=assignment.project_id, example_id=assignment.example_id,
        assignment=assignment, annotator=by, **said.columns, comment=answer.comment.replace("\x00", ""),
        flagged=answer.flagged, error_kind=answer.error_kind if assignment.lane == Lane.REVIEW else "",
        shown_at=shown_at, answered_at=at, active_ms=min(max(answer.active_ms, 0), IDLE_MS), surplus=surplus,
        right=judged.right if judged else None,
    )  # fmt: skip


def _follow(assignment: Assignment, annotation: Annotation, judged: Judged | None, at: datetime) -> None:
    """What one answer leads to: a label, a review, a pause, an example set aside."""
    if assignment.lane == Lane.GOLD:
        if judged and not judged.right:
            pause_if_failing(project=assignment.project, person=annotation.annotator, at=at)
        return
    if annotation.skip_reason:
        _set_aside_if_skipped_often(assignment, annotation.skip_reason, at)
    else:
        if assignment.lane == Lane.REVIEW:
            review_decide(annotation=annotation, at=at)
        label_resolve(example_id=assignment.example_id, at=at)
    if annotation.flagged and assignment.lane != Lane.REVIEW and reviews_wanted(assignment.project):
        review_open(example=assignment.example, why=ReviewWhy.FLAG, agreement=None, at=at)


def _close(assignment: Assignment, *, skipped: bool) -> None:
    assignment.state = AssignmentState.SKIPPED if skipped else AssignmentState.ANSWERED
    assignment.save(update_fields=["state"])
    item = FrontierItem.objects.filter(example_id=assignment.example_id, slot=assignment.slot)
    if skipped:
        item.update(leased_until=None)  # others may know
    else:
        item._raw_delete("default")  # nothing refers to a slot


def _set_aside_if_skipped_often(assignment: Assignment, reason: str, at: datetime) -> None:
    skips = Annotation.objects.filter(example_id=assignment.example_id, withdrawn_at=None).exclude(skip_reason="")
    if skips.count() >= SKIPS_TO_SET_ASIDE:
        SetAside.objects.get_or_create(
            example_id=assignment.example_id, defaults={"project_id": assignment.project_id, "reason": reason, "at": at}
        )
        FrontierItem.objects.filter(example_id=assignment.example_id).delete()
