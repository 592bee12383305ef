"""Read what is learned online."""

from dataclasses import dataclass

from django.db.models import QuerySet

from apps.labeling.settled import returned_count
from apps.projects.models import Project
from apps.training.models import OnlineLearner, OnlinePoint, Run, RunKind
from apps.training.services.online import labels_after, learner_of

RUNS = 10
POINTS = 10_000  # newest updates: a week of one a minute


@dataclass(frozen=True)
class OnlineShown:
    """The learner with its rates: loss in nats, accuracy a share, None while nothing was learned."""

    learner: OnlineLearner
    waiting: int  # labels that it has not read yet
    loss: float | None
    accuracy: float | None
    examples_per_s: float | None
    runs: list[Run]


@dataclass(frozen=True)
class Progress:
    """After each update, oldest first: examples in all, those of the update, their loss and accuracy beforehand."""

    examples: tuple[int, ...]
    learned: tuple[int, ...]
    loss: tuple[float, ...]
    accuracy: tuple[float, ...]


def online_shown(project: Project) -> OnlineShown:
    learner = learner_of(project)
    n = learner.examples
    return OnlineShown(
        learner,
        waiting=labels_after(learner).count() + returned_count(project.pk, learner.feedback_cursor),
        loss=learner.loss_sum / n if n else None,
        accuracy=learner.right / n if n else None,
        examples_per_s=n / learner.seconds if learner.seconds else None,
        runs=list(_runs(project)[:RUNS]),
    )


def _runs(project: Project) -> QuerySet[Run]:
    found = Run.objects.filter(project=project, kind=RunKind.ONLINE)
    return found.select_related("project", "report", "model_version")


def progress_of(project: Project) -> Progress:
    points = OnlinePoint.objects.filter(learner=project.pk).order_by("-examples", "-pk")
    rows = list(points.values_list("examples", "learned", "loss", "accuracy")[:POINTS])[::-1]
    examples, learned, loss, accuracy = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Progress(examples, learned, loss, accuracy)
