"""Undo and edit the last answers: the old one is withdrawn and stays on record."""

import uuid
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.errors import DomainError
from apps.labeling.models import Annotation, Assignment, AssignmentState, FrontierItem, Lane, SetAside
from apps.labeling.services.annotations import (
    Answer,
    Saved,
    annotation_stored,
    annotation_take,
    filled_by_other,
    saved_again,
)
from apps.labeling.services.assignments import LEASE
from apps.labeling.services.example_state import example_state
from apps.labeling.services.labels import label_resolve
from apps.labeling.services.reviews import review_reopen
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.projects.models import Project

UNDO_DEPTH = 20  # twice what STANDARDS calls the least


class CannotUndo(DomainError):
    code = "cannot_undo"


@transaction.atomic
def annotation_withdraw(*, project_id: int, client_id: uuid.UUID, by: User, at: datetime) -> Assignment:
    """Undo one of the person's last answers: it stays on record as withdrawn and the example is theirs again."""
    annotation = _recent(project_id, client_id, by)
    assignment, state = annotation.assignment, example_state(annotation.example_id)
    if not annotation.surplus and filled_by_other(assignment, state.assignments):
        raise CannotUndo(_("Somebody else has this example since you skipped it, so the skip stays."))
    annotation.withdrawn_at = at
    annotation.save(update_fields=["withdrawn_at"])
    SetAside.objects.filter(example_id=annotation.example_id).delete()
    if not annotation.surplus:
        _reopen(assignment, at)
    if assignment.lane == Lane.REVIEW:
        review_reopen(annotation=annotation, at=at)
    if assignment.lane != Lane.GOLD:
        label_resolve(example_id=annotation.example_id, at=at)
    look_again(Topic.PROJECT.of(project_id), News.LABELS)
    return assignment


def _recent(project_id: int, client_id: uuid.UUID, by: User) -> Annotation:
    """One of the person's last answers that stand. Raises CannotUndo for any other."""
    own = Annotation.objects.filter(project_id=project_id, annotator=by, withdrawn_at=None)
    recent = own.select_related("assignment__example", "assignment__project", "assignment__guidelines").order_by("-id")[
        :UNDO_DEPTH
    ]
    found = next((a for a in recent if a.client_id == client_id), None)
    if found is None:
        raise CannotUndo(
            _("Only your last {n} answers can be undone, and this is not one of them.").format(n=UNDO_DEPTH)
        )
    return found


@transaction.atomic
def annotation_edit(*, project: Project, of: uuid.UUID, answer: Answer, by: User, at: datetime) -> Saved:
    """Replace one of the person's last answers by another on the same example; the old one stays on record as withdrawn.

    Of `answer` the assignment and its token are not read. The same answer under its `client_id` again returns what is stored.
    """
    if stored := annotation_stored(project.pk, answer.client_id, by):
        return saved_again(stored, answer)
    shown_at = _recent(project.pk, of, by).shown_at
    again = annotation_withdraw(project_id=project.pk, client_id=of, by=by, at=at)
    said = replace(answer, assignment_id=again.pk, token=again.token, shown_at=answer.shown_at or shown_at)
    return annotation_take(project=project, answer=said, by=by, at=at)


def _reopen(assignment: Assignment, at: datetime) -> None:
    assignment.state, assignment.token = AssignmentState.LEASED, uuid.uuid4()
    assignment.leased_until = at + LEASE
    assignment.save(update_fields=["state", "token", "leased_until"])
    if assignment.lane in (Lane.GOLD, Lane.BULK):
        return  # they wait in no lane
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
