"""Read runs."""

from dataclasses import dataclass

from django.db.models import Count, Max, Min, QuerySet
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.errors import Invalid, NotFound
from apps.labeling.kept_out import trained_on
from apps.labeling.models import Annotation, Label
from apps.projects import task_types
from apps.projects.access import project_for
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.rules import trigger as rule
from apps.training.models import (
    ASKED_KINDS,
    OPEN_STATES,
    OnlineLearner,
    Run,
    RunKind,
    RunLine,
    RunPoint,
    RunState,
    Trial,
    Trigger,
)

LOG_LINES = 200
COMPARED = 1000  # newest answers that are held against the model's guesses: it is looked at every few seconds


@dataclass(frozen=True)
class Curves:
    """Steps and values in order; None where nothing was measured at that step."""

    steps: tuple[int, ...]
    train_loss: tuple[float, ...]
    validation_loss: tuple[float | None, ...]
    holdout_loss: tuple[float | None, ...]
    holdout_accuracy: tuple[float | None, ...]


def runs_of(project: Project) -> QuerySet[Run]:
    return Run.objects.filter(project=project).select_related(
        "started_by", "base_run", "cloned_from", "dataset_version", "project"
    )


def run_for(user: User, run_id: int, permission: Permission, *, changes: bool = False) -> Run:
    """The run, if the person may. Raises NotFound or Forbidden."""
    run = Run.objects.select_related("project", "started_by", "base_run", "dataset_version").filter(pk=run_id).first()
    unseen = gettext("There is no such run.")
    if run is None:
        raise NotFound(unseen)
    project_for(user, run.project_id, permission, unseen=unseen, changes=changes)
    return run


def runs_listed(project: Project) -> QuerySet[Run]:
    """For the list: with what the run became, which only the template reads (the tables stand above this app)."""
    return runs_of(project).select_related("started_by", "report", "model_version")


def run_in(project: Project, run_id: int) -> Run:
    """The run of this project; the project's permission is checked by then."""
    run = runs_of(project).filter(pk=run_id).first()
    if run is None:
        raise NotFound(gettext("There is no such run in this project."))
    return run


def bases_for(project: Project, *, also: Run | None = None, most: int = 20) -> list[Run]:
    """Runs that an incremental one can go on from, newest first; and one more where it is older than these."""
    ended = Run.objects.filter(
        project=project, state=RunState.COMPLETED, reproduces=None, dataset_version__isnull=False
    )
    found = list(ended.exclude(artifact_url="").exclude(kind=RunKind.ONLINE).select_related("dataset_version")[:most])
    return [*found, also] if also is not None and also not in found else found


def run_named_by(project: Project, run_id: int, field: str) -> Run:
    """A run that a request names by its id. Raises Invalid beside the field."""
    run = runs_of(project).filter(pk=run_id).first()
    if run is None:
        raise Invalid(gettext("There is no such run in this project."), field=field)
    return run


def holdout_at_end(run: Run | None) -> float | None:
    """What a finished run last measured on its holdout: the line that its successor is compared with."""
    points = RunPoint.objects.filter(run=run, holdout_accuracy__isnull=False) if run else RunPoint.objects.none()
    share: float | None = points.order_by("-step").values_list("holdout_accuracy", flat=True).first()
    return share


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


def settings_of(trigger: Trigger) -> rule.Settings:
    return rule.Settings(
        new_labels=trigger.new_labels,
        minutes=trigger.minutes,
        disagreement_points=trigger.disagreement_points,
        debounce_s=trigger.debounce_s,
    )


def evidence_for(trigger: Trigger, last_run: Run | None) -> rule.TriggerEvidence:
    """What has happened since the last run; answers are compared with guesses only where disagreement is a cause."""
    unseen = Label.objects.filter(project=trigger.project, holdout=False, first_run_number=None)
    fresh = trained_on(unseen, trigger.project_id).aggregate(
        n=Count("pk"), first=Min("resolved_at"), last=Max("resolved_at")
    )
    began = last_run.queued_at if last_run else None
    return rule.TriggerEvidence(
        new_labels=fresh["n"],
        last_label_at=fresh["last"],
        last_run_at=began,
        since=began or fresh["first"],
        run_open=Run.objects.filter(project=trigger.project, state__in=OPEN_STATES, reproduces=None).exists(),
        guesses=guesses_since(last_run, trigger.project) if trigger.disagreement_points is not None else rule.Guesses(),
    )


def guesses_since(last_run: Run | None, project: Project) -> rule.Guesses:
    """Answers since the last run against what the newest model guessed, also where the guess was hidden from people."""
    answers = Annotation.objects.filter(project=project, withdrawn_at=None, label__isnull=False)
    if last_run is not None:
        answers = answers.filter(answered_at__gt=last_run.queued_at)
    told = answers.filter(
        assignment__reason__has_key="suggestion_confidence", assignment__run_number__isnull=False
    ).order_by("-id")
    rows = list(told.values_list("assignment__run_number", "assignment__reason", "label__name")[:COMPARED])
    newest = max((number or 0 for number, _, _ in rows), default=0)
    found = [(reason, label) for number, reason, label in rows if number == newest]
    return rule.guesses_of(
        [float(reason["suggestion_confidence"]) for reason, _ in found],
        [reason["suggestion"] != label for reason, label in found],
    )


def last_run_of(project: Project) -> Run | None:
    """The last one that a trigger could have started: neither a repetition nor what a learner that never stops recorded."""
    runs = Run.objects.filter(project=project, reproduces=None).exclude(kind=RunKind.ONLINE)
    return runs.order_by("-number").first()


def kinds_of(project: Project) -> list[RunKind]:
    """Kinds that can be asked for in this project: what goes on training an encoder needs texts."""
    reads_vectors = task_types.get(project.task_type).reads_vectors
    return [kind for kind in ASKED_KINDS if reads_vectors or kind != RunKind.FINE_TUNE]


def run_given(run_id: int) -> Run:
    """For a worker, with what a run is trained on and judged by."""
    return Run.objects.select_related("project", "dataset_version", "report").get(pk=run_id)


def run_numbered(project: Project, number: int) -> Run:
    return Run.objects.get(project=project, number=number)


def trial_given(trial_id: int) -> Trial:
    return Trial.objects.select_related("sweep").get(pk=trial_id)


def learner_given(project_id: int) -> OnlineLearner:
    return OnlineLearner.objects.get(pk=project_id)
