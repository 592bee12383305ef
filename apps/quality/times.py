"""Answers over time and how long they take, counted by the database."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from apps.accounts.models import User
from apps.projects.models import Project

BOUNDS_MS = (1000, 2000, 5000, 10_000, 20_000, 40_000, 80_000, 160_000)  # doubling, with the 2 s of too fast among them
NAMES = ("under 1", "1 to 2", "2 to 5", "5 to 10", "10 to 20", "20 to 40", "40 to 80", "80 to 160", "over 160")
BY_HOUR = timedelta(hours=48)  # while all answers are so young, days would be one bar
SHOWN = {"hour": timedelta(hours=48), "day": timedelta(days=30)}


@dataclass(frozen=True)
class OverTime:
    """`starts` are hours or days of the reader's zone, without it."""

    step: str  # hour | day
    starts: tuple[datetime, ...]
    answers: tuple[int, ...]


_OVER_TIME = """
    SELECT date_trunc(%(step)s, answered_at AT TIME ZONE %(zone)s), count(*) FROM labeling_annotation
    WHERE project_id = %(project)s AND withdrawn_at IS NULL AND skip_reason = '' AND answered_at >= %(since)s
      AND (%(person)s::bigint IS NULL OR annotator_id = %(person)s) GROUP BY 1 ORDER BY 1
"""
_FIRST = """
    SELECT min(answered_at), max(answered_at) FROM labeling_annotation
    WHERE project_id = %(project)s AND withdrawn_at IS NULL AND skip_reason = ''
      AND (%(person)s::bigint IS NULL OR annotator_id = %(person)s)
"""


def over_time(project: Project, user: User | None = None) -> OverTime:
    """Up to the newest answer: hours while everything lies within two days, else the last thirty days."""
    bound: dict[str, Any] = {"project": project.pk, "person": user.pk if user else None}
    with connection.cursor() as cursor:
        cursor.execute(_FIRST, bound)
        first, last = cursor.fetchone()
        if first is None:
            return OverTime("day", (), ())
        step = "hour" if last - first < BY_HOUR else "day"
        since = max(first, last - SHOWN[step])
        zone = timezone.get_current_timezone_name()
        cursor.execute(_OVER_TIME, {**bound, "step": step, "since": since, "zone": zone})
        counted = dict(cursor.fetchall())
    starts = tuple(_between(min(counted), max(counted), timedelta(**{f"{step}s": 1})))
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
