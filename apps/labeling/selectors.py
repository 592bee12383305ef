"""Read the queue: what is left, who holds it, why it is empty, how far everybody is."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet

from apps.accounts.models import User
from apps.datasets.models import Example
from apps.labeling.models import (
    Annotation,
    Assignment,
    AssignmentState,
    AutoBatch,
    AutoLabel,
    AutoLabeling,
    Frontier,
    FrontierItem,
    Label,
    LabelSource,
    SetAside,
)
from apps.labeling.services.annotations import UNDO_DEPTH
from apps.projects import task_types
from apps.projects.models import Project, SchemaLabel
from apps.rules.words import count


@dataclass(frozen=True)
class QueueCounts:
    """Examples, not slots. `fresh` are labels that no completed run has seen; `auto_labeled` are the model's alone."""

    examples: int
    labeled: int
    holdout_labeled: int
    fresh: int
    set_aside: int
    auto_labeled: int = 0

    @property
    def to_label(self) -> int:
        return self.examples - self.labeled - self.set_aside - self.auto_labeled


@dataclass(frozen=True)
class EmptyQueue:
    """Why there is nothing for this person, and when that ends."""

    title: str
    sentence: str
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
    summary: str
    answer: str
    answered_at: datetime


def counts_of(project: Project) -> QueueCounts:
    labels = Label.objects.filter(project=project).aggregate(
        all=Count("pk"),
        held=Count("pk", filter=Q(holdout=True)),
        fresh=Count("pk", filter=Q(holdout=False, first_run_number=None)),
    )
    return QueueCounts(
        examples=Example.objects.filter(project=project).count(),
        labeled=labels["all"],
        holdout_labeled=labels["held"],
        fresh=labels["fresh"],
        set_aside=SetAside.objects.filter(project=project).count(),
        auto_labeled=AutoLabel.objects.filter(project=project, audit=False).count(),
    )


def fresh_labels(project: Project) -> int:
    """Labels outside the holdout that no completed run has seen."""
    return Label.objects.filter(project=project, holdout=False, first_run_number=None).count()


def why_empty(project: Project, by: User, at: datetime) -> EmptyQueue:
    counts = counts_of(project)
    if counts.examples == 0:
        return EmptyQueue("No examples yet", "Nobody has added examples to this project. A manager or engineer can.")
    waiting = FrontierItem.objects.filter(project=project)
    mine = Assignment.objects.filter(
        project=project, holder=by, state__in=[AssignmentState.ANSWERED, AssignmentState.SKIPPED]
    ).values("example_id")
    leased = Assignment.objects.filter(project=project, state=AssignmentState.LEASED, leased_until__gte=at)
    held = leased.exclude(holder=by).aggregate(n=Count("pk"), next=Min("leased_until"))
    done_by_me = waiting.filter(example_id__in=mine).count()
    if held["n"]:
        also = f" {count(done_by_me, 'more answer')} must come from somebody else." if done_by_me else ""
        many = f"{held['n']:,} examples are left and held by others"
        left = "1 example is left and somebody else holds it" if held["n"] == 1 else many
        return EmptyQueue("Nothing for you right now", f"{left}.{also}", held["next"])
    if done_by_me:
        sentence = f"{count(done_by_me, 'answer')} must come from somebody else; you have given or skipped yours."
        return EmptyQueue("Nothing for you right now", sentence)
    if not any(project.lane_weights.values()):
        return EmptyQueue("The queue is paused", "Every lane has weight 0. A manager can open them again.")
    if counts.to_label:
        sentence = f"{count(counts.to_label, 'example')} left, but in lanes of weight 0. A manager can open them."
        return EmptyQueue("Nothing for you right now", sentence)
    aside = f" {counts.set_aside} were set aside after two skips." if counts.set_aside else ""
    auto = f" {counts.auto_labeled:,} of them by the model alone." if counts.auto_labeled else ""
    return EmptyQueue("All done", f"All {counts.examples - counts.set_aside:,} examples are labeled.{auto}{aside}")


def assignments_held(project: Project, by: User, at: datetime) -> QuerySet[Assignment]:
    """What this person's tabs had fetched before a reload, oldest first."""
    return (
        Assignment.objects.filter(project=project, holder=by, state=AssignmentState.LEASED, leased_until__gte=at)
        .select_related("example", "project")
        .order_by("pk")
    )


def own_progress(project: Project, by: User, at: datetime) -> OwnProgress:
    start = at.replace(hour=0, minute=0, second=0, microsecond=0)
    times = list(
        Annotation.objects.filter(project=project, annotator=by, answered_at__gte=start, withdrawn_at=None).values_list(
            "active_ms", flat=True
        )
    )
    return OwnProgress(len(times), sum(times) / len(times) / 1000 if times else None)


def team_progress(project: Project) -> TeamProgress:
    """The two numbers the desk shows; counts_of counts more than that."""
    return TeamProgress(Label.objects.filter(project=project).count(), Example.objects.filter(project=project).count())


def past_answers(project: Project, by: User, summary_of: Callable[[dict[str, Any], str], str]) -> list[PastAnswer]:
    """The answers that can still be undone, newest first."""
    own = Annotation.objects.filter(project=project, annotator=by, withdrawn_at=None)
    return [
        PastAnswer(
            a.client_id,
            summary_of(a.example.fields, a.example.external_id),
            a.label.name if a.label else f"Skipped: {a.get_skip_reason_display().lower()}",
            a.answered_at,
        )
        for a in own.select_related("label", "example").order_by("-id")[:UNDO_DEPTH]
    ]


def label_counts(project: Project) -> list[tuple[SchemaLabel, int]]:
    counted = Label.objects.filter(project=project).values_list("label").annotate(n=Count("pk"))
    found = dict(counted.values_list("label", "n"))
    return [(label, found.get(label.pk, 0)) for label in project.labels.all()]


@dataclass(frozen=True)
class Contradiction:
    """One content that was given several labels."""

    summary: str
    labels: tuple[str, ...]


def contradictions_of(project: Project, limit: int = 20) -> list[Contradiction]:
    """Examples that show the same and are labeled differently, by people or by whoever sent them; newest first."""
    own = Label.objects.filter(project=project, label__isnull=False).exclude(source=LabelSource.DUPLICATE)
    torn = (
        own.exclude(example__content_digest="")
        .values("example__content_digest")
        .annotate(n=Count("label", distinct=True), newest=Max("resolved_at"))
        .filter(n__gt=1)
        .order_by("-newest")
    )
    digests = [row["example__content_digest"] for row in torn[:limit]]
    found: dict[str, list[Label]] = {digest: [] for digest in digests}
    for label in own.filter(example__content_digest__in=digests).select_related("example", "label"):
        found[label.example.content_digest].append(label)
    summary = task_types.get(project.task_type).summary
    return [
        Contradiction(
            summary(group[0].example.fields, group[0].example.external_id),
            tuple(sorted({x.label.name for x in group if x.label})),
        )
        for group in found.values()
    ]


def auto_labeling_of(project: Project) -> AutoLabeling:
    return AutoLabeling.objects.filter(project=project).first() or AutoLabeling(project=project)


def auto_batches_of(project: Project) -> QuerySet[AutoBatch]:
    """Newest first."""
    return AutoBatch.objects.filter(project=project)


def auto_labels_of(project: Project) -> QuerySet[AutoLabel]:
    return AutoLabel.objects.filter(project=project).select_related("example", "label", "batch").order_by("example_id")


def median_active_s(project: Project, newest: int = 1000) -> float | None:
    """What one label costs a person, from the newest answers whose time on screen is known."""
    timed = Annotation.objects.filter(project=project, withdrawn_at=None, label__isnull=False, active_ms__gt=0)
    times = sorted(timed.order_by("-id").values_list("active_ms", flat=True)[:newest])
    return times[len(times) // 2] / 1000 if times else None


def frontier_of(project: Project) -> Frontier:
    """How the active lane was last ordered: by which model and strategy, why, over how many, and when."""
    return Frontier.objects.filter(project=project).first() or Frontier(project=project)
