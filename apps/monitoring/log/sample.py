"""Traffic of a slice: roll-ups know no columns, so the newest requests of the period that the log kept are looked at.

A bounded number of rows, each found by its own key; what is said of them is of a sample.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from apps.monitoring.log.traffic import BY_THE_CLOCK, USERS, Traffic, TrafficSums, traffic_made
from apps.monitoring.models import AskedPayload
from apps.pages.periods import Period
from apps.projects.models import Project
from apps.rules.latencies import bin_of
from apps.rules.log_sample import evenly

MOST_LOOKED_AT = 2_000  # kept requests, the newest of the period
MOST_OFFERED, MOST_VALUES, MOST_LETTERS = 60, 12, 60  # slices that are suggested; values of a column; letters of one
LOOKED_AT_FOR_OFFERS = 300

# Its own lookup for each: of the day that its moment is in, and no other.
_ANSWERED = """
FROM unnest(%(ids)s::text[], %(items)s::int[], %(ats)s::timestamptz[]) AS kept (inference_id, item, at)
CROSS JOIN LATERAL (
    SELECT * FROM monitoring_prediction p
    WHERE p.project_id = %(project)s AND p.inference_id = kept.inference_id AND p.item = kept.item AND p.at = kept.at
    LIMIT 1
) p
"""
_SLICE = f"""
SELECT date_bin(%(step)s, p.at AT TIME ZONE %(zone)s, timestamp '2024-01-01') AT TIME ZONE %(zone)s,
       p.failed, p.label, p.confidence, p.latency_ms, p.inference_id, p.share
{_ANSWERED}
WHERE p.arm = ANY(%(arms)s::text[]) AND (%(versions)s::int[] IS NULL OR p.model_number = ANY(%(versions)s::int[]))
ORDER BY 1
"""
_SAID = f"""
SELECT p.inference_id, p.item, p.at, p.label, p.confidence
{_ANSWERED}
WHERE p.model_number = %(version)s AND NOT p.failed AND p.arm <> 'shadow'
"""
AskedKey = tuple[str, int, datetime]


def traffic_of_slice(
    project: Project,
    period: Period,
    *,
    column: str,
    value: str,
    arms: Sequence[str] = USERS,
    versions: Sequence[int] | None = None,
) -> Traffic:
    """Of the kept requests among the newest MOST_LOOKED_AT whose column says so."""
    looked_at, kept = _of_slice(project, period, column, value)
    ids, items, ats = map(list, zip(*kept, strict=True)) if kept else ([], [], [])
    values: dict[str, Any] = {
        "project": project.pk,
        "ids": ids,
        "items": items,
        "ats": ats,
        "step": period.step,
        "zone": timezone.get_current_timezone_name() if period.step >= BY_THE_CLOCK else "UTC",
        "arms": [str(arm) for arm in arms],
        "versions": None if versions is None else list(versions),
    }
    sums: dict[datetime, TrafficSums] = {}
    with connection.cursor() as cursor:
        cursor.execute(_SLICE, values)
        rows = cursor.fetchall()
        even = evenly(rows, [row[5] for row in rows], [row[6] for row in rows])
        for at, failed, label, confidence, latency_ms, *_ in even:
            bucket = sums.setdefault(at, TrafficSums())
            bucket.count(failed, label, confidence, bin_of(latency_ms))
    return traffic_made(period, sums, period.step, looked_at=looked_at)


def _of_slice(project: Project, period: Period, column: str, value: str) -> tuple[int, list[AskedKey]]:
    """How many kept requests were looked at, and those whose column says so."""
    looked_at = list(_kept(project, period).values_list("inference_id", "item", "at", "row")[:MOST_LOOKED_AT])
    return len(looked_at), [(name, item, at) for name, item, at, row in looked_at if cell_of(row, column) == value]


def slice_keys(project: Project, period: Period, column: str, value: str) -> tuple[list[str], list[int]]:
    """Ids and rows of those requests."""
    _, kept = _of_slice(project, period, column, value)
    return [name for name, _, _ in kept], [item for _, item, _ in kept]


def answers_to(project: Project, kept: Sequence[AskedKey], *, version: int) -> dict[AskedKey, tuple[str, float]]:
    """What this version said to each of these requests, and how sure it was."""
    ids, items, ats = map(list, zip(*kept, strict=True)) if kept else ([], [], [])
    values: dict[str, Any] = {"project": project.pk, "ids": ids, "items": items, "ats": ats, "version": version}
    with connection.cursor() as cursor:
        cursor.execute(_SAID, values)
        return {(name, item, at): (label, sure) for name, item, at, label, sure in cursor.fetchall()}


def _kept(project: Project, period: Period) -> Any:
    rows = AskedPayload.objects.filter(project=project, at__gt=period.since, at__lte=period.until)
    return rows.order_by("-at", "-id")


def cell_of(row: dict[str, Any], column: str) -> str:
    """As it is written in an address; what is not there is empty."""
    value = row.get(column)
    return "" if value is None else str(value).strip()


def slices_offered(project: Project, period: Period) -> list[str]:
    """Of columns that have few values among the newest kept requests; the most frequent values first."""
    counted: dict[str, Counter[str]] = {}
    for row in _kept(project, period).values_list("row", flat=True)[:LOOKED_AT_FOR_OFFERS]:
        for column in row:
            counted.setdefault(column, Counter())[cell_of(row, column)] += 1
    few = {column: values for column, values in sorted(counted.items()) if 2 <= len(values) <= MOST_VALUES}
    found = [f"{column}={value}" for column, values in few.items() for value, _ in values.most_common()]
    return [each for each in found if len(each) <= MOST_LETTERS][:MOST_OFFERED]
