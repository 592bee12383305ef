"""From an example's own page: a reviewer's decision on it, whatever it was before, and a second look by somebody else."""

import uuid
from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.datasets.models import Example
from apps.errors import DomainError, NotFound
from apps.labeling.locks import examples_locked
from apps.labeling.models import (
    Annotation,
    Assignment,
    AssignmentState,
    FrontierItem,
    GoldItem,
    Lane,
    Pause,
    ReviewWhy,
    SetAside,
)
from apps.labeling.services.annotations import Answer, Saved, annotation_stored, annotation_take, saved_again
from apps.labeling.services.assignments import LEASE
from apps.labeling.services.reviews import review_open, slot_after
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.projects.models import Project
from apps.projects.selectors import guidelines_of
from apps.rules.sentences import sentence

ANSWERED = (AssignmentState.ANSWERED, AssignmentState.SKIPPED)


class CannotCorrect(DomainError):
    code = "cannot_correct"


@transaction.atomic
def example_correct(*, project: Project, example_id: int, answer: Answer, by: User, at: datetime) -> Saved:
    """Decide what an example is, as a review does; what this person answered before is withdrawn and stays on record.

    Of `answer` the assignment and its token are not read. The same answer under its `client_id` again changes nothing.
    An example of the holdout may be corrected like any other and stays in the holdout. Raises CannotCorrect for gold,
    and while somebody else reviews it.
    """
    if stored := annotation_stored(project.pk, answer.client_id, by):
        return saved_again(stored, answer)
    example = _open_to(project, example_id, by)
    _own_withdraw(example, by, at)
    assignment = _lease(project, example, by, at)
    SetAside.objects.filter(example=example).delete()
    said = replace(answer, assignment_id=assignment.pk, token=assignment.token)
    return annotation_take(project=project, answer=said, by=by, at=at)


@transaction.atomic
def correction_take(*, project: Project, example_id: int, by: User, at: datetime) -> Assignment:
    """The same for answers that are drawn: a lease in the review lane, which the desk shows next.

    Raises CannotCorrect also for whoever has answered it: the answer would be gone before the new one is drawn.
    """
    example = _open_to(project, example_id, by)
    own = Assignment.objects.filter(example=example, holder=by)
    held = own.filter(state=AssignmentState.LEASED, lane=Lane.REVIEW, leased_until__gte=at).first()
    if held:
        return held
    if own.filter(state__in=ANSWERED).exists():
        raise CannotCorrect(_("You have answered it yourself, so somebody else corrects it."))
    return _lease(project, example, by, at)


def _open_to(project: Project, example_id: int, by: User) -> Example:
    """The locked example. Raises CannotCorrect or NotFound."""
    if Pause.objects.filter(project=project, person=by, lifted_at=None).exists():
        raise CannotCorrect(_("You are paused in this project until somebody lifts it. Nothing was stored."))
    example = examples_locked(project, [example_id]).get(example_id)
    if example is None:
        raise NotFound(_("There is no such example in this project."))
    _refuse_gold(example)
    return example


def _refuse_gold(example: Example) -> None:
    if GoldItem.objects.filter(pk=example.pk).exists():
        raise CannotCorrect(
            _("Its answer is known: the example is gold. Take it out of gold first, which a manager or admin may do.")
        )


def _own_withdraw(example: Example, by: User, at: datetime) -> None:
    own = Assignment.objects.filter(example=example, holder=by, state__in=ANSWERED)
    Annotation.objects.filter(assignment__in=own, withdrawn_at=None).update(withdrawn_at=at)
    own.update(state=AssignmentState.EXPIRED)


def _lease(project: Project, example: Example, by: User, at: datetime) -> Assignment:
    """On the review's slot, which is made where there is none. Raises CannotCorrect where somebody else holds it."""
    leased = Assignment.objects.filter(example=example, state=AssignmentState.LEASED)
    for held in leased.filter(holder=by):
        FrontierItem.objects.filter(example=example, slot=held.slot).update(leased_until=None)
    leased.filter(holder=by).update(state=AssignmentState.EXPIRED)
    review_open(example=example, why=ReviewWhy.FLAG, agreement=None, at=at)
    waiting = FrontierItem.objects.filter(example=example, lane=Lane.REVIEW).first()
    if waiting and waiting.leased_until and waiting.leased_until >= at:
        raise CannotCorrect(_("Somebody else reviews this example right now. Look again in a few minutes."))
    slot = waiting.slot if waiting else slot_after(example.pk)
    leased.filter(slot=slot).update(state=AssignmentState.EXPIRED)
    FrontierItem.objects.filter(example=example, slot=slot).update(leased_until=at + LEASE)
    return Assignment.objects.create(
        project=project,
        example=example,
        slot=slot,
        holder=by,
        token=uuid.uuid4(),
        leased_at=at,
        leased_until=at + LEASE,
        lane=Lane.REVIEW,
        rank=0,
        reason={"strategy": "review", "why": ReviewWhy.FLAG},
        guidelines=guidelines_of(project),
    )


@transaction.atomic
def example_ask_again(*, project: Project, example_id: int, by: User, at: datetime) -> FrontierItem:
    """Put an example in front of somebody who has not answered it, before all doubted ones of the relabel lane.

    What was set aside is asked again too. Raises CannotCorrect for gold, for what waits already, and where nobody is
    given anything from that lane.
    """
    example = examples_locked(project, [example_id]).get(example_id)
    if example is None:
        raise NotFound(_("There is no such example in this project."))
    _refuse_gold(example)
    if FrontierItem.objects.filter(example=example).exists():
        raise CannotCorrect(_("It waits for an answer already."))
    if not project.queue.lane_weights.get(Lane.RELABEL, 0):
        raise CannotCorrect(_("The relabel lane has weight 0, so nobody would be asked. A manager can open it."))
    SetAside.objects.filter(example=example).delete()
    item = FrontierItem.objects.create(
        project=project,
        example=example,
        slot=slot_after(example.pk),
        lane=Lane.RELABEL,
        rank=0,
        reason={"strategy": "asked"},
        queued_at=at,
    )
    event_record(
        project_id=project.pk,
        verb=Verb.EXAMPLE_ASKED_AGAIN,
        subject=f"example {example.pk}",
        by=by,
        at=at,
        sentence=sentence(
            "{by} asked for a second look at example {external_id}.", by=by, external_id=example.external_id
        ),
    )
    look_again(Topic.PROJECT.of(project.pk), News.QUEUE)
    return item
