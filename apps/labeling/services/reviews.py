"""Where answers disagree nobody guesses: a reviewer decides, and says what kind of error it was."""

import json
from collections.abc import Sequence
from datetime import datetime

from django.db.models import Max, Q

from apps.audit.services import english, event_record
from apps.audit.verbs import Verb
from apps.datasets.models import Example
from apps.labeling.models import Annotation, Assignment, ErrorKind, FrontierItem, Lane, Review, ReviewState, ReviewWhy
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.projects.models import Project
from apps.rules.answers import Value
from apps.rules.sentences import lowered, sentence

QUEUED_FOR_ALL = (Lane.ACTIVE, Lane.RANDOM, Lane.HOLDOUT, Lane.AUDIT, Lane.DRIFT)


def reviews_wanted(project: Project) -> bool:
    """A closed review lane means that nobody reviews: a further person is asked instead."""
    return bool(project.queue.lane_weights.get(Lane.REVIEW, 0))


def answers_differ(why: str, said: Sequence[Value | None]) -> bool:
    """Whether a review opened for this reason is about answers that differ: with a flag alone they need not."""
    given = {json.dumps(value, sort_keys=True) for value in said if value is not None}
    return why != ReviewWhy.FLAG or len(given) > 1


def review_open(*, example: Example, why: str, agreement: float | None, at: datetime) -> Review:
    """One open review an example, with its slot in the review lane, oldest first. Within the caller's transaction."""
    review, made = Review.objects.get_or_create(
        example=example,
        state=ReviewState.OPEN,
        defaults={"project_id": example.project_id, "why": why, "agreement": agreement, "opened_at": at},
    )
    if made and not FrontierItem.objects.filter(example=example, lane=Lane.REVIEW).exists():
        FrontierItem.objects.create(
            project_id=example.project_id,
            example=example,
            slot=slot_after(example.pk),
            lane=Lane.REVIEW,
            rank=review.pk % 2**31,
            reason={"strategy": "review", "why": why},
            queued_at=at,
        )
        look_again(Topic.PROJECT.of(example.project_id), News.QUEUE)
    return review


def slot_after(example_id: int) -> int:
    """A slot that nobody has had or waits for."""
    had = Assignment.objects.filter(example_id=example_id).aggregate(last=Max("slot"))["last"]
    waits = FrontierItem.objects.filter(example_id=example_id).aggregate(last=Max("slot"))["last"]
    return max(-1 if had is None else had, -1 if waits is None else waits) + 1


def review_close(*, example: Example, at: datetime) -> None:
    """Later answers, or an undone one, settled it: nobody needs to review."""
    closed = Review.objects.filter(example=example, state=ReviewState.OPEN).update(
        state=ReviewState.CLOSED, decided_at=at
    )
    if closed:
        free = Q(leased_until=None) | Q(leased_until__lt=at)
        FrontierItem.objects.filter(free, example=example, lane=Lane.REVIEW).delete()


def review_decide(*, annotation: Annotation, at: datetime) -> None:
    """A reviewer's answer closes the review with what they found."""
    review = Review.objects.filter(example_id=annotation.example_id, state=ReviewState.OPEN).first()
    if review is None:
        return
    review.state, review.decided_by, review.decided_at = ReviewState.DECIDED, annotation.annotator, at
    review.error_kind, review.note = annotation.error_kind, annotation.comment
    review.save(update_fields=["state", "decided_by", "decided_at", "error_kind", "note"])
    event_record(
        project_id=annotation.project_id,
        verb=Verb.REVIEW_DECIDED,
        subject=f"example {annotation.example_id}",
        by=annotation.annotator,
        at=at,
        sentence=_decided(annotation),
        before={"state": ReviewState.OPEN},
        after={"state": review.state, "error_kind": review.error_kind},
    )
    look_again(Topic.PROJECT.of(annotation.project_id), News.QUALITY)


def _decided(annotation: Annotation) -> str:
    if not annotation.error_kind:
        return sentence("{by} decided a review", by=annotation.annotator)
    kind = lowered(english(ErrorKind(annotation.error_kind).label))
    return sentence("{by} decided a review: {kind}", by=annotation.annotator, kind=kind)


def review_reopen(*, annotation: Annotation, at: datetime) -> None:
    """The reviewer undid the answer: the review waits again."""
    last = Review.objects.filter(example_id=annotation.example_id).order_by("-opened_at", "-pk").first()
    if last and last.state == ReviewState.DECIDED and last.decided_by_id == annotation.annotator_id:
        last.state, last.decided_by, last.decided_at, last.error_kind, last.note = ReviewState.OPEN, None, None, "", ""
        last.save(update_fields=["state", "decided_by", "decided_at", "error_kind", "note"])


def ask_one_more(*, example: Example, lane: str, at: datetime) -> None:
    """Every slot is answered and the votes are split: one more slot, in front of its lane, for somebody else."""
    _ask_again(example=example, lane=lane, strategy="tie", at=at)


def ask_the_rest(*, example: Example, lane: str, at: datetime) -> None:
    """Somebody has answered, more answers are wanted and nobody is asked for one: in front of its lane it is asked for."""
    _ask_again(example=example, lane=lane if lane in QUEUED_FOR_ALL else Lane.ACTIVE, strategy="begun", at=at)


def _ask_again(*, example: Example, lane: str, strategy: str, at: datetime) -> None:
    if FrontierItem.objects.filter(example=example).exclude(lane=Lane.REVIEW).exists():
        return
    FrontierItem.objects.create(
        project_id=example.project_id,
        example=example,
        slot=slot_after(example.pk),
        lane=lane,
        rank=0,
        reason={"strategy": strategy},
        queued_at=at,
    )
