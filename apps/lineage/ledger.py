"""What training cost, per project and month, and how much of it never served."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.utils import timezone

from apps.projects.models import Project
from apps.training.models import OPEN_STATES, RunKind


@dataclass(frozen=True)
class Spent:
    """Seconds that devices were held. Wasted: of runs whose model was never promoted, failed and canceled ones included."""

    runs: int
    device_s: float
    wasted_s: float

    @property
    def wasted_share(self) -> float | None:
        return self.wasted_s / self.device_s if self.device_s else None


@dataclass(frozen=True)
class Month:
    month: date  # its first day
    total: Spent
    kinds: tuple[tuple[RunKind, Spent], ...]  # by kind, the most expensive first
    devices: tuple[tuple[str, float], ...]  # seconds by name of device


# One pass over the runs. Runs from before device seconds were counted are taken at the time they took.
_MONTHS = """
    SELECT r.project_id, date_trunc('month', r.queued_at AT TIME ZONE %s)::date, r.kind, r.device, count(*),
           sum(s.seconds), sum(s.seconds) FILTER (WHERE p.run_id IS NULL)
    FROM training_run r
    LEFT JOIN (SELECT DISTINCT v.run_id FROM releases_promotion p JOIN releases_modelversion v ON v.id = p.version_id) p
           ON p.run_id = r.id,
    LATERAL (SELECT CASE WHEN r.device_s > 0 THEN r.device_s
                         ELSE coalesce(extract(epoch FROM r.finished_at - r.started_at), 0) END AS seconds) s
    WHERE r.project_id = ANY(%s) AND NOT r.state = ANY(%s)
    GROUP BY 1, 2, 3, 4
"""


def ledger_of(projects: Sequence[Project]) -> dict[int, tuple[Month, ...]]:
    """By project id, months of the reader's zone, newest first. Runs that are still open are not counted yet."""
    zone = timezone.get_current_timezone_name()
    with connection.cursor() as cursor:
        cursor.execute(_MONTHS, [zone, [p.pk for p in projects], [str(state) for state in OPEN_STATES]])
        rows = cursor.fetchall()
    months: dict[tuple[int, date], list[tuple[str, str, int, float, float]]] = {}
    for project_id, month, kind, device, runs, seconds, wasted in rows:
        months.setdefault((project_id, month), []).append((kind, device, runs, float(seconds), float(wasted or 0)))
    found: dict[int, list[Month]] = {}
    for (project_id, month), parts in sorted(months.items(), key=lambda item: item[0][1], reverse=True):
        found.setdefault(project_id, []).append(_month(month, parts))
    return {project_id: tuple(kept) for project_id, kept in found.items()}


def _month(month: date, parts: list[tuple[str, str, int, float, float]]) -> Month:
    kinds, devices = dict[str, Spent](), dict[str, float]()
    for kind, device, runs, seconds, wasted in parts:
        have = kinds.get(kind, Spent(0, 0.0, 0.0))
        kinds[kind] = Spent(have.runs + runs, have.device_s + seconds, have.wasted_s + wasted)
        if seconds:
            devices[device] = devices.get(device, 0.0) + seconds
    total = Spent(
        sum(s.runs for s in kinds.values()),
        sum(s.device_s for s in kinds.values()),
        sum(s.wasted_s for s in kinds.values()),
    )
    return Month(
        month,
        total,
        tuple(sorted(((RunKind(k), s) for k, s in kinds.items()), key=lambda item: -item[1].device_s)),
        tuple(sorted(devices.items(), key=lambda item: -item[1])),
    )
