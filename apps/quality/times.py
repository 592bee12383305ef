"""Answers over time and how long they take, counted by the database."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Min
from django.utils import timezone

from apps.accounts.models import User
from apps.labeling.models import Annotation
from apps.pages.periods import Period, that_fits
from apps.projects.models import Project

BOUNDS_MS = (1000, 2000, 5000, 10_000, 20_000, 40_000, 80_000, 160_000)  # doubling, with the 2 s of too fast among them
NAMES = ("under 1", "1 to 2", "2 to 5", "5 to 10", "10 to 20", "20 to 40", "40 to 80", "80 to 160", "over 160")
STEPS = {  # a bar is an hour, a day or a week of the reader's zone, by how long a period is shown
    "hour": (timedelta(hours=1), timedelta(hours=48)),
    "day": (timedelta(days=1), timedelta(days=100)),
    "week": (timedelta(weeks=1), timedelta.max),
}


@dataclass(frozen=True)
class OverTime:
    """`starts` are hours, days or weeks of the reader's zone, without it."""

    step: str  # of STEPS
    starts: tuple[datetime, ...]
    answers: tuple[int, ...]


_OVER_TIME = """
    SELECT date_trunc(%(step)s, answered_at AT TIME ZONE %(zone)s), count(*) FROM labeling_annotation
    WHERE project_id = %(project)s AND withdrawn_at IS NULL AND skip_reason = ''
      AND answered_at > %(since)s AND answered_at <= %(until)s
      AND (%(person)s::bigint IS NULL OR annotator_id = %(person)s) GROUP BY 1 ORDER BY 1
"""


def period_that_fits(project: Project, at: datetime, user: User | None = None) -> str:
    """The shortest that holds all answers, up to a month."""
    answers = Annotation.objects.filter(project=project, withdrawn_at=None, skip_reason="")
    if user:
        answers = answers.filter(annotator=user)
    first = answers.aggregate(first=Min("answered_at"))["first"]
    return that_fits(first, at, among=("24h", "7d", "30d"), otherwise="30d")


def over_time(project: Project, period: Period, user: User | None = None) -> OverTime:
    """From the first answer in the period to its last."""
    step = next(name for name, (_, most) in STEPS.items() if period.span <= most)
    bound: dict[str, Any] = {
        "project": project.pk,
        "person": user.pk if user else None,
        "step": step,
        "since": period.since,
        "until": period.until,
        "zone": timezone.get_current_timezone_name(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_OVER_TIME, bound)
        counted = dict(cursor.fetchall())
    if not counted:
        return OverTime(step, (), ())
    starts = tuple(_between(min(counted), max(counted), STEPS[step][0]))
    return OverTime(step, starts, tuple(counted.get(start, 0) for start in starts))


def _between(first: datetime, last: datetime, step: timedelta) -> list[datetime]:
    """An hour without answers is a bar of none, not left out."""
    return [first + i * step for i in range(int((last - first) / step) + 1)]


_DURATIONS = """
    SELECT annotator_id = %(person)s, width_bucket(active_ms, %(bounds)s::int[]), count(*) FROM labeling_annotation
    WHERE project_id = %(project)s AND withdrawn_at IS NULL AND skip_reason = '' AND active_ms > 0 GROUP BY 1, 2
"""


@dataclass(frozen=True)
class Durations:
    """How many answers fall into each of NAMES: the team's, and one person's where asked for."""

    team: tuple[int, ...]
    own: tuple[int, ...] | None = None


def durations(project: Project, user: User | None = None) -> Durations:
    """A bucket holds its lower bound: 2,000 ms is 2 to 5 s."""
    team, own = [0] * len(NAMES), [0] * len(NAMES)
    with connection.cursor() as cursor:
        person = user.pk if user else 0
        cursor.execute(_DURATIONS, {"project": project.pk, "person": person, "bounds": list(BOUNDS_MS)})
        for is_own, bucket, n in cursor.fetchall():
            team[bucket] += n
            own[bucket] += n if is_own else 0
    return Durations(tuple(team), tuple(own) if user else None)
