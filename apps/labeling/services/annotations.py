"""Answers: checked, stored once, kept even when late, and what each leads to."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.datasets.erasing import assignment_erased
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
from apps.labeling.services.example_state import ExampleState, Vote, example_state_of
from apps.labeling.services.gold import GoldVerdict, gold_judge, pause_if_failing
from apps.labeling.services.labels import label_resolve
from apps.labeling.services.reviews import answers_differ, review_decide, review_open, reviews_wanted
from apps.labeling.values import value_of, value_today
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.pages.sentences import refusal
from apps.projects import task_types
from apps.projects.models import Project
from apps.rules.answers import AnswerRefused, Value
from apps.statements import insert

SKIPS_TO_SET_ASIDE = 2  # one person may just not know; two rarely err together
IDLE_MS = 5 * 60 * 1000  # the clock for time per label stops after 5 min (Labelbox)
MOST_COMMENT = 4000  # characters


class AnswerSaidOtherwise(DomainError):
    """An id that was used comes again with another answer, or after it was undone: kept is what stood before."""

    code = "said_otherwise"


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
class CheckedAnswer:
    """An answer that fits: the columns that keep it and, unless it is a skip, its value."""

    value: Value | None
    columns: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Saved:
    """A stored answer, and what is known about it if the example is gold."""

    annotation: Annotation
    judged: GoldVerdict | None = None


def annotation_submit(*, project_id: int, answer: Answer, by: User, at: datetime) -> Annotation:
    """Store one answer; the same answer under its `client_id` again returns the stored one. Loses nothing.

    An answer after the lease ran out counts as usual while the slot is free, and as a surplus vote once it is not.
    Raises Invalid, NotFound, and AnswerSaidOtherwise where the id stands for another answer or for one that was undone.
    """
    project = Project.objects.get(pk=project_id)
    return annotation_take(project=project, answer=answer, by=by, at=at).annotation


def annotation_take(*, project: Project, answer: Answer, by: User, at: datetime) -> Saved:
    """As `annotation_submit`, with the verdict on a gold example."""
    try:
        with transaction.atomic():
            return annotation_store(project=project, answer=answer, by=by, at=at)
    except (DomainError, IntegrityError):  # sent again, perhaps at this very moment: then it stands already
        if stored := annotation_stored(project.pk, answer.client_id, by):
            return saved_again(stored, answer)
        raise


def saved_again(stored: Annotation, answer: Answer) -> Saved:
    """What stands under the id, for the same answer sent again. Raises AnswerSaidOtherwise for any other."""
    if stored.withdrawn_at is not None:
        raise AnswerSaidOtherwise(_("This answer was undone, so its id is used up. Send the answer under a new id."))
    if not _same(stored, answer):
        raise AnswerSaidOtherwise(
            _("Under this id another answer is kept, and it stays. Undo it first, or send this one under a new id.")
        )
    return Saved(stored, gold_judge(assignment=stored.assignment, value=value_of(stored)))


def _same(stored: Annotation, answer: Answer) -> bool:
    """Whether both say the same; how long it took and when it was shown may differ."""
    beside = (answer.skip_reason, answer.comment.replace("\x00", ""), answer.flagged)
    if beside != (stored.skip_reason, stored.comment, stored.flagged):
        return False
    known, raw = value_of(stored), answer.value or ({"label": answer.label} if answer.label else None)
    if known is None or raw is None:
        return known == raw
    kind = task_types.get(stored.assignment.project.task_type).answer
    try:
        fields = stored.assignment.example.fields if kind.structured else {}
        return kind.check(raw, labels=kind.labels_in(known), fields=fields) == known
    except AnswerRefused:
        return False


def annotation_stored(project_id: int, client_id: uuid.UUID, by: User) -> Annotation | None:
    """What is kept under this id. Raises Invalid when it is somebody else’s."""
    known = Annotation.objects.select_related("label", "assignment__project").filter(client_id=client_id).first()
    if known and (known.annotator_id, known.project_id) != (by.pk, project_id):
        raise Invalid(_("This answer’s id was used by somebody else. Reload the page and answer again."))
    return known


def annotation_store(*, project: Project, answer: Answer, by: User, at: datetime) -> Saved:
    """Within the caller's transaction. Raises DomainError or IntegrityError also for an answer that stands already."""
    state = example_state_of(answer.assignment_id, project)
    given = _given(state, project, answer, by) if state else None
    if state is None or given is None:
        if assignment_erased(project, answer.assignment_id):
            raise NotFound(
                _("This example was deleted while you had it, so your answer is not kept. Go on with the next.")
            )
        words = _("This example was never given to you under this token. Reload the page to get the next one.")
        raise NotFound(words)
    assignment = _current(state, given)
    checked = _checked(given, answer, state)
    done = assignment.state in (AssignmentState.ANSWERED, AssignmentState.SKIPPED)
    if done or assignment.pk in state.answered:  # a surplus vote leaves its assignment as it was: expired
        raise DomainError(_("You have already answered this example; undo first to change it."))
    surplus = filled_by_other(assignment, state.assignments)
    judged = gold_judge(assignment=assignment, value=checked.value)
    annotation = _store(assignment, answer, checked, by=by, at=at, surplus=surplus, judged=judged)
    _follow(state, annotation, checked.value, judged)
    look_again(Topic.PROJECT.of(project.pk), News.LABELS)
    return Saved(annotation, judged)


def _given(state: ExampleState, project: Project, answer: Answer, by: User) -> Assignment | None:
    """The assignment that the answer names, if it is this person's under this token."""
    named = (answer.assignment_id, project.pk, by.pk, answer.token)
    return next((a for a in state.assignments if (a.pk, a.project_id, a.holder_id, a.token) == named), None)


def _current(state: ExampleState, given: Assignment) -> Assignment:
    """When the lease had run out and the same person was given the example once more, the answer is for the newer one."""
    own = (a for a in state.assignments if a.holder_id == given.holder_id and a.state != AssignmentState.EXPIRED)
    current = next(own, given)
    given.project = current.project = state.project
    given.example = current.example = state.example
    return current


def _checked(given: Assignment, answer: Answer, state: ExampleState) -> CheckedAnswer:
    """Raises Invalid when the answer fits neither the labels that may be given nor the example."""
    labels = state.offered
    chosen = [answer.label != "", answer.value is not None, answer.skip_reason != ""]
    if sum(chosen) != 1:
        raise Invalid(_("An answer is either a label or a reason to skip."), field="label")
    if len(answer.comment) > MOST_COMMENT:
        raise Invalid(_("A comment has at most {n} characters.").format(n=MOST_COMMENT), field="comment")
    if answer.skip_reason:
        return CheckedAnswer(None, {"skip_reason": _skip_reason(answer.skip_reason)})
    silent = answer.error_kind == "" and given.lane == Lane.REVIEW and not _differed(given, state)
    if given.lane == Lane.REVIEW and not silent and answer.error_kind not in ErrorKind.values:
        known = ", ".join(ErrorKind.values)
        raise Invalid(
            _("A review says why the answers differed: one of {known}.").format(known=known), field="error_kind"
        )
    task = task_types.get(given.project.task_type)
    fields = given.example.fields if task.structured else {}
    raw = answer.value if answer.value is not None else {"label": answer.label}
    try:
        try:
            value = task.answer.check(raw, labels=list(labels), fields=fields)
        except AnswerRefused:  # a label that was renamed while the answer was on its way
            value = task.answer.check(value_today(given.project, raw), labels=list(labels), fields=fields)
    except AnswerRefused as refused:
        raise Invalid(refusal(refused), field="value" if answer.value is not None else "label") from refused
    return CheckedAnswer(value, {"value": value} if task.structured else {"label_id": labels[value["label"]]})


def _differed(given: Assignment, state: ExampleState) -> bool:
    """Whether a reviewer decides between answers; where somebody only flagged there is nothing to explain."""
    said = [vote.value for vote in state.votes if vote.lane != Lane.REVIEW]
    return answers_differ(given.reason.get("why", ""), said)


def _skip_reason(reason: str) -> str:
    if reason not in SkipReason.values:
        sentence = _("The reason “{reason}” is not one of {known}.")
        raise Invalid(sentence.format(reason=reason, known=", ".join(SkipReason.values)), field="skip_reason")
    return reason


def filled_by_other(assignment: Assignment, siblings: Sequence[Assignment]) -> bool:
    """Whether somebody else has the slot: taken after this lease ran out, or after this person skipped it."""
    taken = (AssignmentState.LEASED, AssignmentState.ANSWERED)
    return any(a.slot == assignment.slot and a.pk != assignment.pk and a.state in taken for a in siblings)


# With the answer its slot goes, or waits for others where it was skipped: they may know.
_STATE = "closed AS (UPDATE labeling_assignment SET state = %s WHERE id = %s), "
_ANSWERED = f"{_STATE} slot AS (DELETE FROM labeling_frontieritem WHERE example_id = %s AND slot = %s)"
_SKIPPED = (
    f"{_STATE} slot AS (UPDATE labeling_frontieritem SET leased_until = NULL WHERE example_id = %s AND slot = %s)"
)


def _store(
    assignment: Assignment,
    answer: Answer,
    checked: CheckedAnswer,
    *,
    by: User,
    at: datetime,
    surplus: bool,
    judged: GoldVerdict | None,
) -> Annotation:
    shown_at = min(max(answer.shown_at or assignment.leased_at, assignment.leased_at), at)
    annotation = Annotation(
        client_id=answer.client_id,
        project_id=assignment.project_id,
        example_id=assignment.example_id,
        assignment=assignment,
        annotator=by,
        **checked.columns,
        comment=answer.comment.replace("\x00", ""),
        flagged=answer.flagged,
        error_kind=answer.error_kind if assignment.lane == Lane.REVIEW else "",
        shown_at=shown_at,
        answered_at=at,
        active_ms=min(max(answer.active_ms, 0), IDLE_MS),
        surplus=surplus,
        right=judged.right if judged else None,
    )
    if surplus:
        return insert(annotation)
    skipped = checked.value is None
    assignment.state = AssignmentState.SKIPPED if skipped else AssignmentState.ANSWERED
    closed = [assignment.state, assignment.pk, assignment.example_id, assignment.slot]
    return insert(annotation, beside=_SKIPPED if skipped else _ANSWERED, more=closed)


def _follow(state: ExampleState, annotation: Annotation, value: Value | None, judged: GoldVerdict | None) -> None:
    """What one answer leads to: a label, a review, a pause, an example set aside."""
    assignment, project, at = annotation.assignment, state.project, annotation.answered_at
    if assignment.lane == Lane.GOLD:
        if judged and not judged.right:
            pause_if_failing(project=project, person=annotation.annotator, at=at)
        return
    if value is None:
        _set_aside_if_skipped_often(assignment, annotation.skip_reason, at)
    else:
        if assignment.lane == Lane.REVIEW:
            review_decide(annotation=annotation, at=at)
        vote = Vote(value, annotation.label_id, assignment.lane, annotation.shown_at)
        waiting = state.waiting - (set() if annotation.surplus else {assignment.slot})
        state = replace(state, votes=(*state.votes, vote), waiting=waiting)
        label_resolve(example_id=state.example.pk, at=at, state=state)
    if annotation.flagged and assignment.lane != Lane.REVIEW and reviews_wanted(project):
        review_open(example=state.example, why=ReviewWhy.FLAG, agreement=None, at=at)


def _set_aside_if_skipped_often(assignment: Assignment, reason: str, at: datetime) -> None:
    skips = Annotation.objects.filter(example_id=assignment.example_id, withdrawn_at=None).exclude(skip_reason="")
    if skips.count() >= SKIPS_TO_SET_ASIDE:
        SetAside.objects.get_or_create(
            example_id=assignment.example_id, defaults={"project_id": assignment.project_id, "reason": reason, "at": at}
        )
        FrontierItem.objects.filter(example_id=assignment.example_id).delete()
