"""Read sweeps and their trials."""

from dataclasses import dataclass

from django.db.models import Count, Min, Q, QuerySet
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.errors import NotFound
from apps.projects.access import project_for
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.rules.sweeps import SETTINGS
from apps.training.models import Sweep, SweepState, Trial, TrialState
from apps.training.services.trials import best_trial


@dataclass(frozen=True)
class SweepShown:
    """A sweep with its trials in their order; `best` is None while none has come to its end."""

    sweep: Sweep
    trials: list[Trial]
    best: Trial | None
    names: tuple[str, ...]  # of the settings that are varied

    @property
    def done(self) -> int:
        return sum(t.state not in (TrialState.QUEUED, TrialState.RUNNING) for t in self.trials)

    @property
    def is_open(self) -> bool:
        return bool(self.sweep.state == SweepState.RUNNING)

    @property
    def rows(self) -> list[tuple[Trial, list[float | int | None]]]:
        """Each trial that was begun with its values in the order of the names."""
        begun = [t for t in self.trials if t.state != TrialState.QUEUED or t.settings]
        return [(t, [t.settings.get(name) for name in self.names]) for t in begun]

    @property
    def seconds(self) -> float:
        return sum(t.seconds for t in self.trials)


def sweeps_of(project: Project) -> QuerySet[Sweep]:
    """Newest first, each with `done` trials and the `best` value of those that came to their end."""
    ended = ~Q(trials__state__in=[TrialState.QUEUED, TrialState.RUNNING])
    return (
        Sweep.objects.filter(project=project)
        .select_related("started_by", "run")
        .order_by("-number")
        .annotate(
            done=Count("trials", filter=ended), best=Min("trials__value", filter=Q(trials__state=TrialState.COMPLETED))
        )
    )


def sweep_in(project: Project, sweep_id: int) -> Sweep:
    """The sweep of this project; the project's permission is checked by then."""
    sweep = Sweep.objects.filter(project=project, pk=sweep_id).select_related("run", "started_by", "project").first()
    if sweep is None:
        raise NotFound(gettext("There is no such sweep in this project."))
    return sweep


def sweep_for(user: User, sweep_id: int, permission: Permission) -> Sweep:
    """The sweep, if the person may. Raises NotFound or Forbidden."""
    sweep = Sweep.objects.filter(pk=sweep_id).select_related("run", "started_by", "project").first()
    unseen = gettext("There is no such sweep.")
    if sweep is None:
        raise NotFound(unseen)
    project_for(user, sweep.project_id, permission, unseen=unseen)
    return sweep


def sweep_shown(sweep: Sweep) -> SweepShown:
    return SweepShown(
        sweep, list(sweep.trials.all()), best_trial(sweep), tuple(name for name in SETTINGS if name in sweep.space)
    )
