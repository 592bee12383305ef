"""Answers: stored once, kept even when late, undone without being erased."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from apps.accounts.models import User
from apps.errors import DomainError, Invalid, NotFound
from apps.labeling.models import Annotation, Assignment, AssignmentState, FrontierItem, SetAside, SkipReason
from apps.labeling.services.assignments import LEASE, slots_lock
from apps.labeling.services.labels import label_resolve
from apps.live.publish import look_again
from apps.projects.models import SchemaLabel

SKIPS_TO_SET_ASIDE = 2  # one person may just not know; two rarely err together
UNDO_DEPTH = 10  # STANDARDS: at least the last 10
IDLE_MS = 5 * 60 * 1000  # the clock for time per label stops after 5 min (Labelbox)


class CannotUndo(DomainError):
    code = "cannot_undo"


@dataclass(frozen=True)
class Answer:
    """What a person said about one assignment. Exactly one of `label` and `skip_reason`."""

    client_id: uuid.UUID
    assignment_id: int
    token: uuid.UUID
    label: str = ""
    skip_reason: str = ""
    active_ms: int = 0
    shown_at: datetime | None = None


@transaction.atomic
def annotation_submit(*, project_id: int, answer: Answer, by: User, at: datetime) -> Annotation:
    """Store one answer; the same `client_id` again returns the stored one. Raises Invalid or NotFound, loses nothing.

    An answer after the lease ran out counts as usual while the slot is free, and as a surplus vote once it is not.
    """
    if stored := _stored(project_id, answer, by):
        return stored
    label = _label_of(project_id, answer)
    assignment = _assignment_locked(project_id, answer, by)
    if stored := _stored(project_id, answer, by):  # sent twice at once: the other one held the lock
        return stored
    if Annotation.objects.filter(assignment=assignment, withdrawn_at=None).exists():
        raise DomainError("You have already answered this example; undo first to change it.")
    surplus = _filled_by_other(assignment)
    shown_at = min(max(answer.shown_at or assignment.leased_at, assignment.leased_at), at)
    annotation = Annotation.objects.create(
        client_id=answer.client_id, project_id=project_id, example_id=assignment.example_id, assignment=assignment,
        annotator=by, label=label, skip_reason=answer.skip_reason, shown_at=shown_at, answered_at=at,
        active_ms=min(max(answer.active_ms, 0), IDLE_MS), surplus=surplus,
    )  # fmt: skip
    if not surplus:
        _close(assignment, skipped=label is None)
    if label is not None:
        label_resolve(example_id=assignment.example_id, at=at)
    else:
        _set_aside_if_skipped_often(assignment, answer.skip_reason, at)
    look_again(f"project.{project_id}", "labels")
    return annotation


def _stored(project_id: int, answer: Answer, by: User) -> Annotation | None:
    stored = Annotation.objects.filter(client_id=answer.client_id).first()
    if stored and (stored.annotator_id != by.pk or stored.project_id != project_id):
        raise Invalid("This answer’s id was used by somebody else. Reload the page and answer again.")
    return stored


def _assignment_locked(project_id: int, answer: Answer, by: User) -> Assignment:
    """The assignment that the answer is for, its slot locked first.

    When the lease had run out and the same person was given the example once more, the answer is for the newer
    assignment: nobody votes twice on one example.
    """
    given = Assignment.objects.filter(pk=answer.assignment_id, project_id=project_id, holder=by, token=answer.token)
    old = given.first()
    if old is None:
        raise NotFound("This example was never given to you under this token. Reload the page to get the next one.")
    same = Assignment.objects.filter(example_id=old.example_id, holder=by)
    slots_lock(same)
    locked = {a.pk: a for a in same.select_for_update(of=("self",), no_key=True).order_by("pk")}
    newer = (a for a in locked.values() if a.state != AssignmentState.EXPIRED)
    return next(newer, locked[old.pk])


def _label_of(project_id: int, answer: Answer) -> SchemaLabel | None:
    if bool(answer.label) == bool(answer.skip_reason):
        raise Invalid("An answer is either a label or a reason to skip.", field="label")
    if answer.skip_reason:
        if answer.skip_reason not in SkipReason.values:
            known = ", ".join(SkipReason.values)
            raise Invalid(f"The reason “{answer.skip_reason}” is not one of {known}.", field="skip_reason")
        return None
    label = SchemaLabel.objects.filter(project_id=project_id, name=answer.label).first()
    if label is None:
        raise Invalid(f"The label “{answer.label}” is not in the project’s labels.", field="label")
    return label


def _filled_by_other(assignment: Assignment) -> bool:
    """Whether somebody else has the slot: taken after this lease ran out, or after this person skipped it."""
    return (
        Assignment.objects.filter(
            example_id=assignment.example_id,
            slot=assignment.slot,
            state__in=[AssignmentState.LEASED, AssignmentState.ANSWERED],
        )
        .exclude(pk=assignment.pk)
        .exists()
    )


def _close(assignment: Assignment, *, skipped: bool) -> None:
    assignment.state = AssignmentState.SKIPPED if skipped else AssignmentState.ANSWERED
    assignment.save(update_fields=["state"])
    item = FrontierItem.objects.filter(example_id=assignment.example_id, slot=assignment.slot)
    if skipped:
        item.update(leased_until=None)  # others may know
    else:
        item.delete()


def _set_aside_if_skipped_often(assignment: Assignment, reason: str, at: datetime) -> None:
    skips = Annotation.objects.filter(example_id=assignment.example_id, label=None, withdrawn_at=None)
    if skips.count() >= SKIPS_TO_SET_ASIDE:
        SetAside.objects.get_or_create(
            example_id=assignment.example_id, defaults={"project_id": assignment.project_id, "reason": reason, "at": at}
        )
        FrontierItem.objects.filter(example_id=assignment.example_id).delete()


@transaction.atomic
def annotation_withdraw(*, project_id: int, client_id: uuid.UUID, by: User, at: datetime) -> Assignment:
    """Undo one of the person's last answers: it stays on record as withdrawn and the example is theirs again."""
    recent = list(
        Annotation.objects.filter(project_id=project_id, annotator=by, withdrawn_at=None).order_by("-id")[:UNDO_DEPTH]
    )
    annotation = next((a for a in recent if a.client_id == client_id), None)
    if annotation is None:
        raise CannotUndo(f"Only your last {UNDO_DEPTH} answers can be undone, and this is not one of them.")
    slots_lock(Assignment.objects.filter(pk=annotation.assignment_id))
    assignment = Assignment.objects.select_for_update(of=("self",), no_key=True).get(pk=annotation.assignment_id)
    if not annotation.surplus and _filled_by_other(assignment):
        raise CannotUndo("Somebody else has this example since you skipped it, so the skip stays.")
    annotation.withdrawn_at = at
    annotation.save(update_fields=["withdrawn_at"])
    SetAside.objects.filter(example_id=annotation.example_id).delete()
    if not annotation.surplus:
        _reopen(assignment, at)
    label_resolve(example_id=annotation.example_id, at=at)
    look_again(f"project.{project_id}", "labels")
    return assignment


def _reopen(assignment: Assignment, at: datetime) -> None:
    assignment.state, assignment.token = AssignmentState.LEASED, uuid.uuid4()
    assignment.leased_until = at + LEASE
    assignment.save(update_fields=["state", "token", "leased_until"])
    FrontierItem.objects.update_or_create(
        example_id=assignment.example_id,
        slot=assignment.slot,
        defaults={
            "project_id": assignment.project_id,
            "lane": assignment.lane,
            "rank": assignment.rank,
            "reason": assignment.reason,
            "run_number": assignment.run_number,
            "selection_probability": assignment.selection_probability,
            "queued_at": assignment.leased_at - timedelta(seconds=1),
            "leased_until": at + LEASE,
        },
    )
