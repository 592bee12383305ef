"""Read the queue: what is left, who holds it, why it is empty, how far everybody is."""

from dataclasses import dataclass

from django.db.models import Count, Max, Q, QuerySet

from apps.datasets.models import Example
from apps.labeling.kept_out import kept_out
from apps.labeling.models import (
    LANE_WEIGHTS,
    QUEUED_LANES,
    Annotation,
    AutoBatch,
    AutoLabel,
    AutoLabeling,
    Frontier,
    FrontierItem,
    Label,
    LabelSource,
    Lane,
    SetAside,
)
from apps.projects import task_types
from apps.projects.models import Project


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


def counts_of(project: Project) -> QueueCounts:
    labels = Label.objects.filter(project=project).aggregate(
        all=Count("pk"),
        held=Count("pk", filter=Q(holdout=True)),
        fresh=Count("pk", filter=Q(holdout=False, first_run_number=None)),
    )
    kept = kept_out(project.pk)
    judging = Label.objects.filter(pk__in=kept, holdout=False, first_run_number=None).count() if kept else 0
    return QueueCounts(
        examples=Example.objects.filter(project=project).count(),
        labeled=labels["all"],
        holdout_labeled=labels["held"],
        fresh=labels["fresh"] - judging,
        set_aside=SetAside.objects.filter(project=project).count(),
        auto_labeled=AutoLabel.objects.filter(project=project, audit=False).count(),
    )


@dataclass(frozen=True)
class Contradiction:
    """One content that was given several labels; `example_id` is the first example that shows it."""

    example_id: int
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
            group[0].example_id,
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


def labels_of(project: Project) -> QuerySet[Label]:
    """In the order of the examples."""
    return Label.objects.filter(project=project).select_related("example", "label").order_by("example_id")


@dataclass(frozen=True)
class WithheldLane:
    """Examples that wait in a lane of weight 0, and so in no other one."""

    lane: str
    title: str
    waiting: int


def withheld_in(project: Project) -> list[WithheldLane]:
    """What waits where nobody is given anything: each example stands in one lane, so another lane does not show it."""
    closed = [lane for lane in QUEUED_LANES if not project.queue.lane_weights.get(lane, LANE_WEIGHTS[lane])]
    slots = FrontierItem.objects.filter(project=project, lane__in=closed).order_by()
    counted = dict(slots.values("lane").annotate(n=Count("example", distinct=True)).values_list("lane", "n"))
    return [WithheldLane(lane, str(Lane(lane).label), counted[lane]) for lane in closed if counted.get(lane)]
