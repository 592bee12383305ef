"""What the monitor shows: traffic over time in one aggregate, drift checks, alerts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from apps.errors import Invalid
from apps.monitoring.models import Alert, DriftCheck, Prediction
from apps.projects.models import Project

CHECKS = 12
EPOCH = datetime(2024, 1, 1, tzinfo=UTC)  # a Monday: week buckets begin with one

TRAFFIC = """
SELECT date_bin(%(step)s, at, %(epoch)s) AS bucket, label, count(*),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms),
       percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms),
       avg(confidence)
FROM monitoring_prediction
WHERE project_id = %(project)s AND at > %(since)s AND at <= %(until)s AND NOT failed AND arm <> 'shadow'
GROUP BY GROUPING SETS ((1), (1, 2))
ORDER BY 1, 2 NULLS FIRST
"""


@dataclass(frozen=True)
class Range:
    """How far back, and how wide a bucket: about 60 of them fit a chart."""

    name: str
    title: str | Promise
    span: timedelta
    step: timedelta


RANGES = {
    r.name: r
    for r in (
        Range("hour", gettext_lazy("Last hour"), timedelta(hours=1), timedelta(minutes=1)),
        Range("day", gettext_lazy("Last day"), timedelta(days=1), timedelta(minutes=30)),
        Range("week", gettext_lazy("Last week"), timedelta(days=7), timedelta(hours=3)),
    )
}


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

    range: Range
    until: datetime
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


def range_that_fits(project: Project, at: datetime) -> Range:
    """The shortest range that holds all answers so far: a young project's hour is no bar in an empty day."""
    first = Prediction.objects.shown().filter(project=project).order_by("at").values_list("at", flat=True).first()
    age = at - first if first else RANGES["day"].span
    return next((r for r in RANGES.values() if age <= r.span), RANGES["day"])


def range_named(name: str) -> Range:
    if name not in RANGES:
        raise Invalid(
            gettext("The range “{name}” is not known. Known are {ranges}.").format(
                name=name[:20], ranges=", ".join(RANGES)
            )
        )
    return RANGES[name]


def monitor_of(project: Project, at: datetime, chosen: Range) -> Monitor:
    alerts = alerts_of(project)
    return Monitor(
        traffic=traffic_of(project, at, chosen),
        checks=tuple(DriftCheck.objects.filter(project=project)[:CHECKS]),
        alerts=tuple(alerts.filter(resolved_at=None)),
        resolved=tuple(alerts.filter(resolved_at__isnull=False)[:10]),
    )


def alerts_of(project: Project) -> QuerySet[Alert]:
    return Alert.objects.filter(project=project).select_related("resolved_by", "check_row")


def traffic_of(project: Project, at: datetime, chosen: Range) -> Traffic:
    values: dict[str, Any] = {
        "step": chosen.step,
        "epoch": EPOCH,
        "project": project.pk,
        "since": at - chosen.span,
        "until": at,
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
    return Traffic(chosen, at, buckets)


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
