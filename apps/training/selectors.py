"""Read runs."""

from dataclasses import dataclass

from django.db.models import QuerySet

from apps.accounts.models import User
from apps.errors import NotFound
from apps.projects.access import project_for
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.training.models import OPEN_STATES, Run, RunLine, RunPoint

LOG_LINES = 200


@dataclass(frozen=True)
class Curves:
    """Steps and values in order; None where nothing was measured at that step."""

    steps: tuple[int, ...]
    train_loss: tuple[float, ...]
    validation_loss: tuple[float | None, ...]
    holdout_loss: tuple[float | None, ...]
    holdout_accuracy: tuple[float | None, ...]


def runs_of(project: Project) -> QuerySet[Run]:
    return Run.objects.filter(project=project).select_related("started_by", "base_run", "dataset_version", "project")


def run_for(user: User, run_id: int, permission: Permission) -> Run:
    """The run, if the person may. Raises NotFound or Forbidden."""
    run = Run.objects.select_related("project", "started_by", "base_run", "dataset_version").filter(pk=run_id).first()
    if run is None:
        raise NotFound("There is no such run.")
    project_for(user, run.project_id, permission)
    return run


def runs_listed(project: Project) -> QuerySet[Run]:
    """For the list: with what the run became, which only the template reads (the tables stand above this app)."""
    return runs_of(project).select_related("started_by", "report", "model_version")


def run_in(project: Project, run_id: int) -> Run:
    """The run of this project; the project's permission is checked by then."""
    run = runs_of(project).filter(pk=run_id).first()
    if run is None:
        raise NotFound("There is no such run in this project.")
    return run


def holdout_at_end(run: Run | None) -> float | None:
    """What a finished run last measured on its holdout: the line that its successor is compared with."""
    points = RunPoint.objects.filter(run=run, holdout_accuracy__isnull=False) if run else RunPoint.objects.none()
    share: float | None = points.order_by("-step").values_list("holdout_accuracy", flat=True).first()
    return share


def open_run(project: Project) -> Run | None:
    return Run.objects.filter(project=project, state__in=OPEN_STATES).first()


def lines_of(run: Run) -> list[RunLine]:
    return list(reversed(run.lines.order_by("-id")[:LOG_LINES]))


def curves_of(run: Run) -> Curves:
    points: list[RunPoint] = list(run.points.all())
    return Curves(
        tuple(p.step for p in points),
        tuple(p.train_loss for p in points),
        tuple(p.validation_loss for p in points),
        tuple(p.holdout_loss for p in points),
        tuple(p.holdout_accuracy for p in points),
    )
