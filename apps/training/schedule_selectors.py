"""Read which kinds of run can be started, and what trains by the clock."""

from dataclasses import dataclass
from datetime import datetime

from apps.projects.models import Project
from apps.training.models import OPEN_STATES, Run, RunKind, Schedule
from apps.training.selectors import kinds_of
from apps.training.services.schedules import DEFAULTS, Times, next_after, times_of

NEXT = 3  # runs ahead that the page names
UNSET = Times((0,), DEFAULTS[RunKind.FULL].at, enabled=False)


@dataclass(frozen=True)
class Scheduled:
    """One kind's times; `next_runs` is empty while it is off. `last_fired_at` is None before the first time."""

    kind: str
    title: str
    times: Times
    next_runs: tuple[datetime, ...]
    last_fired_at: datetime | None
    outcome: str


def startable(project: Project) -> list[tuple[RunKind, int | None]]:
    """Kinds that a person may start, each with the number of its open run, which has to end first."""
    opened = dict(
        Run.objects.filter(project=project, state__in=OPEN_STATES, reproduces=None).values_list("kind", "number")
    )
    return [(kind, opened.get(kind)) for kind in kinds_of(project)]


def scheduled(project: Project, at: datetime) -> list[Scheduled]:
    """Every kind, those without a row with what they would be."""
    rows = {s.kind: s for s in Schedule.objects.filter(project=project).select_related("task__crontab")}
    untouched = {} if rows else DEFAULTS
    found = []
    for kind in kinds_of(project):
        row = rows.get(kind)
        if row is None:
            found.append(Scheduled(kind, str(kind.label), untouched.get(kind, UNSET), (), None, ""))
            continue
        times, moment = times_of(row), at
        runs: list[datetime] = []
        while times.enabled and len(runs) < NEXT:
            moment = next_after(row, moment)
            runs.append(moment)
        fired = row.task.last_run_at if row.task.description else None
        found.append(Scheduled(kind, str(kind.label), times, tuple(runs), fired, row.task.description))
    return found
