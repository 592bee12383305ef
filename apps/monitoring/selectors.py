"""What the monitor shows: traffic over time in one aggregate, drift checks, alerts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from apps.monitoring.models import Alert, DriftCheck, Prediction
from apps.pages.periods import Period, that_fits
from apps.projects.models import Project

CHECKS = 12
BY_THE_CLOCK = timedelta(hours=3)  # from here on buckets begin with hours and days of the reader's zone

TRAFFIC = """
SELECT date_bin(%(step)s, at AT TIME ZONE %(zone)s, timestamp '2024-01-01') AT TIME ZONE %(zone)s AS bucket, -- a Monday
       label, count(*),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms),
       percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms),
       avg(confidence)
FROM monitoring_prediction
WHERE project_id = %(project)s AND at > %(since)s AND at <= %(until)s AND NOT failed AND arm <> 'shadow'
GROUP BY GROUPING SETS ((1), (1, 2))
ORDER BY 1, 2 NULLS FIRST
"""


@dataclass(frozen=True)
class Bucket:
    at: datetime
    answers: int
    median_ms: float
    slowest_ms: float  # 95 of 100 answers were faster
    confidence: float
    by_label: dict[str, int]


@dataclass(frozen=True)
class Traffic:
    """Buckets without an answer are left out; charts show the gap."""

    period: Period
    buckets: tuple[Bucket, ...]

    @property
    def answers(self) -> int:
        return sum(b.answers for b in self.buckets)

    @property
    def confidence(self) -> float | None:
        return sum(b.confidence * b.answers for b in self.buckets) / self.answers if self.answers else None

    @property
    def median_ms(self) -> float | None:
        """The middle of the buckets' medians, weighted: near enough for a headline."""
        return _weighted_middle([(b.median_ms, b.answers) for b in self.buckets])

    @property
    def slowest_ms(self) -> float | None:
        return max((b.slowest_ms for b in self.buckets), default=None)


@dataclass(frozen=True)
class Monitor:
    traffic: Traffic
    checks: tuple[DriftCheck, ...]
    alerts: tuple[Alert, ...]
    resolved: tuple[Alert, ...]

    @property
    def last_check(self) -> DriftCheck | None:
        return self.checks[0] if self.checks else None


def period_that_fits(project: Project, at: datetime) -> str:
    """The shortest that holds all answers so far, up to a week."""
    first = Prediction.objects.shown().filter(project=project).order_by("at").values_list("at", flat=True).first()
    return that_fits(first, at, among=("1h", "24h", "7d"), otherwise="24h")


def monitor_of(project: Project, period: Period) -> Monitor:
    alerts = alerts_of(project)
    return Monitor(
        traffic=traffic_of(project, period),
        checks=tuple(DriftCheck.objects.filter(project=project)[:CHECKS]),
        alerts=tuple(alerts.filter(resolved_at=None)),
        resolved=tuple(alerts.filter(resolved_at__isnull=False)[:10]),
    )


def alerts_of(project: Project) -> QuerySet[Alert]:
    return Alert.objects.filter(project=project).select_related("resolved_by", "check_row")


def traffic_of(project: Project, period: Period) -> Traffic:
    values: dict[str, Any] = {
        "step": period.step,
        "zone": timezone.get_current_timezone_name() if period.step >= BY_THE_CLOCK else "UTC",
        "project": project.pk,
        "since": period.since,
        "until": period.until,
    }
    with connection.cursor() as cursor:
        cursor.execute(TRAFFIC, values)
        rows = cursor.fetchall()
    labels: dict[datetime, dict[str, int]] = {}
    for bucket, label, count, *_ in rows:
        if label is not None:
            labels.setdefault(bucket, {})[label] = count
    buckets = tuple(
        Bucket(bucket, count, float(median), float(slowest), float(confidence), labels.get(bucket, {}))
        for bucket, label, count, median, slowest, confidence in rows
        if label is None
    )
    return Traffic(period, buckets)


def _weighted_middle(pairs: Sequence[tuple[float, int]]) -> float | None:
    left = sum(n for _, n in pairs) / 2
    for value, n in sorted(pairs):
        left -= n
        if left <= 0:
            return value
    return None


def predictions_of(project: Project) -> QuerySet[Prediction]:
    """What users got, newest first."""
    return Prediction.objects.shown().filter(project=project)


NAMED_LIKE = 20  # answers under one id that a page lists


def predictions_named(project: Project, inference_id: str) -> list[Prediction]:
    """The newest answers to requests under this id."""
    return list(Prediction.objects.filter(project=project, inference_id=inference_id)[:NAMED_LIKE])
