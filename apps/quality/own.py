"""What comes back to whoever labels: their day, and which of their answers were decided otherwise, with the reviewer's word."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from apps.accounts.models import User
from apps.labeling.desk.selectors import OwnProgress, own_progress
from apps.labeling.models import (
    Annotation,
    ErrorKind,
    FrontierItem,
    GoldItem,
    Label,
    LabelSource,
    Lane,
    Pause,
    Review,
    ReviewState,
)
from apps.projects.models import Project
from apps.quality.selectors import summary_of, words_of

NEWEST = 2000  # own answers that are looked at: what is older teaches nobody
LISTED = 30


@dataclass(frozen=True)
class ReturnedAnswer:
    """One own answer that somebody decided on. `answered` and `now` are words; `note` is the reviewer's, or gold's own."""

    kind: Literal["review", "gold", "others"]
    example_id: int
    summary: str
    answered: str
    now: str
    finding: str
    note: str
    at: datetime

    @property
    def stands(self) -> bool:
        return self.answered == self.now


@dataclass(frozen=True)
class OwnDay:
    """What an annotator's home shows."""

    progress: OwnProgress
    waiting: int  # slots that may be theirs: nobody holds them, and they have not answered
    pause: Pause | None
    returned: tuple[ReturnedAnswer, ...]


def own_day(project: Project, user: User, at: datetime) -> OwnDay:
    pause = Pause.objects.filter(project=project, person=user, lifted_at=None).first()
    return OwnDay(own_progress(project, user, at), _waiting(project, user, at), pause, returned_to(project, user))


def _waiting(project: Project, user: User, at: datetime) -> int:
    mine = Annotation.objects.filter(example=OuterRef("example"), annotator=user, withdrawn_at=None)
    free = FrontierItem.objects.filter(project=project).exclude(lane=Lane.REVIEW).exclude(leased_until__gte=at)
    return free.filter(~Exists(mine)).values("example").distinct().count()


def returned_to(project: Project, user: User) -> tuple[ReturnedAnswer, ...]:
    """Newest first: what reviewers decided, what was wrong on gold, and labels that others agreed on otherwise."""
    own = Annotation.objects.filter(project=project, annotator=user, withdrawn_at=None, skip_reason="")
    newest = own.filter(pk__in=list(own.order_by("-pk").values_list("pk", flat=True)[:NEWEST]))
    told = newest.select_related("label", "example", "assignment")
    found = [*_decided(told, project), *_gold(told, project)]
    return tuple(sorted(found, key=lambda x: x.at, reverse=True)[:LISTED])


def _decided(told: QuerySet[Annotation], project: Project) -> list[ReturnedAnswer]:
    decided = Review.objects.filter(
        example=OuterRef("example"), state=ReviewState.DECIDED, decided_at__gt=OuterRef("answered_at")
    )
    otherwise = Q(example__label__source=LabelSource.CONSENSUS, example__label__label__isnull=False)
    otherwise &= ~Q(example__label__label=F("label"))
    asked = told.exclude(assignment__lane__in=[Lane.REVIEW, Lane.GOLD]).filter(Exists(decided) | otherwise)
    rows = list(asked.order_by("-pk")[:LISTED])
    labels = Label.objects.filter(pk__in=[x.example_id for x in rows]).select_related("label").in_bulk()
    reviews = {r.example_id: r for r in _reviews(rows)}
    return [
        _returned(x, labels[x.example_id], reviews.get(x.example_id), project) for x in rows if x.example_id in labels
    ]


def _reviews(rows: list[Annotation]) -> list[Review]:
    """Of each example the newest last."""
    decided = Review.objects.filter(example__in=[x.example_id for x in rows], state=ReviewState.DECIDED)
    return list(decided.order_by("decided_at", "pk"))


def _returned(said: Annotation, label: Label, review: Review | None, project: Project) -> ReturnedAnswer:
    summary, words, now = summary_of(said.example, project), words_of(said, project), words_of(label, project)
    if review is None or review.decided_at is None:
        return ReturnedAnswer("others", said.example_id, summary, words, now, "", "", label.resolved_at)
    finding = str(ErrorKind(review.error_kind).label) if review.error_kind else ""
    return ReturnedAnswer("review", said.example_id, summary, words, now, finding, review.note, review.decided_at)


def _gold(told: QuerySet[Annotation], project: Project) -> list[ReturnedAnswer]:
    """Wrong answers to known examples, where the project tells them at all."""
    if not project.queue.gold_feedback:
        return []
    wrong = list(told.filter(right=False, assignment__lane=Lane.GOLD).order_by("-pk")[:LISTED])
    known = GoldItem.objects.select_related("label").in_bulk([x.example_id for x in wrong])
    return [
        ReturnedAnswer(
            "gold",
            x.example_id,
            summary_of(x.example, project),
            words_of(x, project),
            words_of(known[x.example_id], project),
            "",
            known[x.example_id].explanation,
            x.answered_at,
        )
        for x in wrong
        if x.example_id in known
    ]
