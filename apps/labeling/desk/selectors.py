"""What one person at the desk sees of the queue: what they hold and have said, how far all are, why nothing is left."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Avg, Count, Min
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.datasets.models import Example
from apps.labeling import memory
from apps.labeling.models import (
    Annotation,
    Assignment,
    AssignmentState,
    FrontierItem,
    Label,
    Lane,
    Pause,
    Review,
    ReviewState,
)
from apps.labeling.selectors import QueueCounts, counts_of
from apps.labeling.services.undo import UNDO_DEPTH
from apps.labeling.values import value_of
from apps.pages.numbers import grouped
from apps.projects import task_types
from apps.projects.access import permissions_of
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.rules.answers import Value

CHEAP_S = 0.02  # what a count may cost at every answer
KEPT_TIMES = 50


@dataclass(frozen=True)
class EmptyQueue:
    """Why there is nothing for this person, what happens next, and when at the earliest."""

    title: str
    sentence: str
    then: str = ""
    frees_at: datetime | None = None


@dataclass(frozen=True)
class OwnProgress:
    today: int
    mean_s: float | None


@dataclass(frozen=True)
class TeamProgress:
    labeled: int
    examples: int


@dataclass(frozen=True)
class PastAnswer:
    client_id: uuid.UUID
    example: Example
    words: str
    answered_at: datetime
    value: Value | None
    skip_reason: str
    comment: str
    flagged: bool
    lane: str
    guidelines: int | None


@dataclass(frozen=True)
class UnsignedAnswer:
    """One answer that a reviewer looks at, without its author."""

    number: int
    value: Value | None
    words: str
    comment: str
    skip_reason: str


def why_empty(project: Project, by: User, at: datetime, *, only: str = "") -> EmptyQueue:
    """In the order of what the person can do about it."""
    pause = Pause.objects.filter(project=project, person=by, lifted_at=None).first()
    if pause:
        then = _("A manager or reviewer can let you go on; what you have answered is kept.")
        return EmptyQueue(_("You are paused"), pause.reason, then)
    if only == Lane.REVIEW:
        return _no_reviews(project)
    counts = counts_of(project)
    if counts.examples == 0:
        then = _("A manager or engineer can; this page goes on by itself when there are some.")
        return EmptyQueue(_("No examples yet"), _("Nobody has added examples to this project."), then)
    if not any(project.queue.lane_weights.values()):
        then = _("A manager can open them again.")
        return EmptyQueue(_("The queue is paused"), _("Every lane has weight 0."), then)
    return _left_to_others(project, by, at) or _nothing_left(project, counts.to_label, counts)


def _no_reviews(project: Project) -> EmptyQueue:
    waiting = Review.objects.filter(project=project, state=ReviewState.OPEN).count()
    if not waiting:
        return EmptyQueue(
            _("No reviews"), _("No answers disagree right now."), _("New ones appear here by themselves.")
        )
    sentence = ngettext("{n} review is open, but", "{n} reviews are open, but", waiting).format(n=waiting)
    then = _("Somebody else who may review can decide.")
    return EmptyQueue(
        _("No reviews for you"),
        sentence + " " + _("you have answered those examples, or somebody else holds them."),
        then,
    )


def _left_to_others(project: Project, by: User, at: datetime) -> EmptyQueue | None:
    waiting = FrontierItem.objects.filter(project=project)
    mine = Assignment.objects.filter(
        project=project, holder=by, state__in=[AssignmentState.ANSWERED, AssignmentState.SKIPPED]
    ).values("example_id")
    leased = Assignment.objects.filter(project=project, state=AssignmentState.LEASED, leased_until__gte=at)
    held = leased.exclude(holder=by).aggregate(n=Count("pk"), next=Min("leased_until"))
    done_by_me = waiting.filter(example_id__in=mine).count()
    others = ngettext(
        "{n} answer must come from somebody else.", "{n} answers must come from somebody else.", done_by_me
    )
    own = leased.filter(holder=by).aggregate(n=Count("pk"), next=Min("leased_until"))
    if own["n"]:
        return _held_by_oneself(own["n"], own["next"], held["n"])
    if held["n"]:
        left = ngettext(
            "1 example is left and somebody else holds it.", "{n} examples are left and held by others.", held["n"]
        ).format(n=grouped(held["n"]))
        also = " " + others.format(n=grouped(done_by_me)) if done_by_me else ""
        then = _("What is not answered comes back here by itself.")
        return EmptyQueue(_("Nothing for you right now"), left + also, then, held["next"])
    if done_by_me:
        sentence = others.format(n=grouped(done_by_me)) + " " + _("You have given or skipped yours.")
        return EmptyQueue(_("Nothing for you right now"), sentence, _("New examples appear here by themselves."))
    return None


def _held_by_oneself(own: int, frees_at: datetime, others: int) -> EmptyQueue:
    """Another tab, or one request of the API for all of them."""
    sentence = ngettext(
        "You hold the example that is left yourself, in another tab or by a request of yours.",
        "You hold {n} examples that are left yourself, in another tab or by a request of yours.",
        own,
    ).format(n=grouped(own))
    if others:
        sentence += " " + ngettext("Somebody else holds 1 more.", "Others hold {n} more.", others).format(
            n=grouped(others)
        )
    then = _("Answer there. What is not answered comes back here by itself.")
    return EmptyQueue(_("You hold what is left"), sentence, then, frees_at)


def _nothing_left(project: Project, to_label: int, counts: QueueCounts) -> EmptyQueue:
    if to_label:
        sentence = ngettext(
            "{n} example left, but in lanes of weight 0.", "{n} examples left, but in lanes of weight 0.", to_label
        )
        reviews = Review.objects.filter(project=project, state=ReviewState.OPEN).count()
        if reviews:
            sentence = ngettext("{n} example waits for a review.", "{n} examples wait for a review.", reviews)
            then = _("A reviewer decides where answers disagree.")
            return EmptyQueue(_("Nothing for you right now"), sentence.format(n=grouped(reviews)), then)
        return EmptyQueue(
            _("Nothing for you right now"), sentence.format(n=grouped(to_label)), _("A manager can open them.")
        )
    sentence = _("All {n} examples are labeled.").format(n=grouped(counts.examples - counts.set_aside))
    if counts.auto_labeled:
        sentence += " " + _("{n} of them by the model alone.").format(n=grouped(counts.auto_labeled))
    if counts.set_aside:
        sentence += " " + _("{n} were set aside after two skips.").format(n=grouped(counts.set_aside))
    return EmptyQueue(_("All done"), sentence, _("New examples appear here by themselves."))


def assignments_held(project: Project, ids: Sequence[int], *, only: str = "") -> list[Assignment]:
    """What this person's tabs had fetched before a reload, oldest first."""
    held = Assignment.objects.filter(pk__in=ids, **({"lane": only} if only else {}))
    return list(held.select_related("example", "project", "guidelines").order_by("pk"))


def own_progress(project: Project, by: User, at: datetime) -> OwnProgress:
    start = at.replace(hour=0, minute=0, second=0, microsecond=0)
    own = Annotation.objects.filter(project=project, annotator=by, answered_at__gte=start, withdrawn_at=None)
    found = own.aggregate(n=Count("pk"), mean_ms=Avg("active_ms"))
    return OwnProgress(found["n"], None if found["mean_ms"] is None else found["mean_ms"] / 1000)


def team_progress(project: Project) -> TeamProgress:
    """Counted at once where that is cheap, else kept for fifty times as long as counting took."""
    if known := memory.team_progress.get(project.pk):
        return TeamProgress(*known)
    began = time.monotonic()
    counts = (Label.objects.filter(project=project).count(), Example.objects.filter(project=project).count())
    took = time.monotonic() - began
    if took > CHEAP_S:
        memory.team_progress.put(project.pk, counts, seconds=KEPT_TIMES * took)
    return TeamProgress(*counts)


def past_answers(project: Project, by: User) -> list[PastAnswer]:
    """The answers that can still be undone or edited, newest first."""
    own = Annotation.objects.filter(project=project, annotator=by, withdrawn_at=None)
    rows = own.select_related("label", "example", "assignment__guidelines").order_by("-id")[:UNDO_DEPTH]
    return [_past(row, project) for row in rows]


def _past(row: Annotation, project: Project) -> PastAnswer:
    value, shown = value_of(row), row.assignment.guidelines
    return PastAnswer(
        row.client_id,
        row.example,
        _words(row, value, project),
        row.answered_at,
        value,
        row.skip_reason,
        row.comment,
        row.flagged,
        row.assignment.lane,
        shown.number if shown else None,
    )


def _words(row: Annotation, value: Value | None, project: Project) -> str:
    if value is None:
        return _("Skipped: {reason}").format(reason=row.get_skip_reason_display().lower())
    return task_types.get(project.task_type).answer.words(value)


def votes_of(example_id: int, project: Project) -> list[UnsignedAnswer]:
    """The answers a reviewer decides between, oldest first."""
    rows = Annotation.objects.filter(example_id=example_id, withdrawn_at=None).exclude(
        assignment__lane__in=[Lane.REVIEW, Lane.GOLD]
    )
    return [
        UnsignedAnswer(n, value_of(row), _words(row, value_of(row), project), row.comment, row.skip_reason)
        for n, row in enumerate(rows.select_related("label").order_by("answered_at", "pk"), start=1)
    ]


def reviews_waiting(project: Project, by: User) -> int:
    """Open reviews, for those who may decide them."""
    if Permission.REVIEW not in permissions_of(by, project.pk):
        return 0
    return Review.objects.filter(project=project, state=ReviewState.OPEN).count()
