"""How much, how sure and how fast a project's models answered over a period, read from the roll-ups and never from the log.

What a minute or an hour holds is read whole: a period that begins within one begins with it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from apps.monitoring.log.rollups import MINUTES_FOR
from apps.monitoring.models import AnswerRollup
from apps.monitoring.models.rollups import RollupWidth
from apps.pages.periods import Period
from apps.projects.models import Project
from apps.rules.latencies import quantile
from apps.rules.rollouts.arms import Arm

BY_THE_CLOCK = timedelta(hours=3)  # from here on buckets begin with hours and days of the reader's zone
HOUR = timedelta(hours=1)
USERS = (Arm.CHAMPION, Arm.CANARY)  # whose answers somebody got

_TRAFFIC = """
SELECT {bucket}, failed, label, NULL, sum(answers)::bigint, sum(confidence) FROM monitoring_answerrollup
WHERE {those} GROUP BY 1, 2, 3
UNION ALL
SELECT {bucket}, failed, NULL, place, sum(answers)::bigint, NULL FROM monitoring_latencyrollup
WHERE {those} AND NOT failed GROUP BY 1, 2, 4
ORDER BY 1
""".format(
    bucket="date_bin(%(step)s, at AT TIME ZONE %(zone)s, timestamp '2024-01-01') AT TIME ZONE %(zone)s",  # a Monday
    those="project_id = %(project)s AND width = %(width)s AND at > %(since)s AND at <= %(until)s "
    "AND arm = ANY(%(arms)s::text[]) AND (%(versions)s::int[] IS NULL OR model_number = ANY(%(versions)s::int[]))",
)


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
    """Buckets without an answer are left out; charts show the gap. Latencies are within 5 % (apps/rules/latencies.py)."""

    period: Period
    buckets: tuple[Bucket, ...]
    step: timedelta
    failures: int = 0
    latencies: Mapping[int, int] = field(default_factory=dict)

    @property
    def answers(self) -> int:
        return sum(b.answers for b in self.buckets)

    @property
    def confidence(self) -> float | None:
        return sum(b.confidence * b.answers for b in self.buckets) / self.answers if self.answers else None

    @property
    def median_ms(self) -> float | None:
        return quantile(self.latencies, 0.5)

    @property
    def slowest_ms(self) -> float | None:
        return max((b.slowest_ms for b in self.buckets), default=None)


@dataclass(frozen=True)
class ArmVolume:
    """What one arm of one version answered in a period, and how often it failed."""

    arm: str
    version: int
    answers: int
    failures: int


def traffic_of(
    project: Project, period: Period, *, arms: Sequence[str] = USERS, versions: Sequence[int] | None = None
) -> Traffic:
    """Of these arms and versions; those that users met where nothing is said. One statement."""
    width, step = _width(period)
    values: dict[str, Any] = {
        **_stretch(project, period, width),
        "step": step,
        "zone": timezone.get_current_timezone_name() if step >= BY_THE_CLOCK else "UTC",
        "arms": [str(arm) for arm in arms],
        "versions": None if versions is None else list(versions),
    }
    found: dict[datetime, _Sums] = defaultdict(_Sums)
    with connection.cursor() as cursor:
        cursor.execute(_TRAFFIC, values)
        for at, failed, label, place, answers, confidence in cursor.fetchall():
            found[at].add(failed, label, place, answers, confidence)
    latencies: dict[int, int] = defaultdict(int)
    for sums in found.values():
        for place, number in sums.latencies.items():
            latencies[place] += number
    return Traffic(
        period,
        tuple(sums.bucket(at) for at, sums in found.items() if sums.answers),
        step,
        sum(sums.failures for sums in found.values()),
        dict(latencies),
    )


@dataclass
class _Sums:
    """One bucket, while its lines are read."""

    answers: int = 0
    failures: int = 0
    confidence: float = 0.0
    by_label: dict[str, int] = field(default_factory=dict)
    latencies: dict[int, int] = field(default_factory=dict)

    def add(self, failed: bool, label: str | None, place: int | None, answers: int, confidence: float | None) -> None:
        if place is not None:
            self.latencies[place] = answers
        elif failed:
            self.failures += answers
        else:
            self.answers += answers
            self.confidence += confidence or 0.0
            self.by_label[str(label)] = answers

    def bucket(self, at: datetime) -> Bucket:
        median, slowest = (quantile(self.latencies, share) or 0.0 for share in (0.5, 0.95))
        return Bucket(at, self.answers, median, slowest, self.confidence / self.answers, self.by_label)


def _width(period: Period) -> tuple[RollupWidth, timedelta]:
    """Which roll-ups are read, and how wide a bucket is: what is long ago, or wide, is read by hours."""
    if period.since < timezone.now() - MINUTES_FOR:
        return RollupWidth.HOUR, max(period.step, HOUR)
    if period.step < BY_THE_CLOCK or _half_hours(period):
        return RollupWidth.MINUTE, period.step
    return RollupWidth.HOUR, period.step


def width_of(period: Period) -> RollupWidth:
    """Which roll-ups a chart of this period reads."""
    return _width(period)[0]


def _half_hours(period: Period) -> bool:
    """Whether the reader's zone begins its hours within ours, as India's does."""
    offset = timezone.localtime(period.since).utcoffset()
    return bool(offset and offset % HOUR)


def _stretch(project: Project, period: Period, width: RollupWidth) -> dict[str, Any]:
    return {
        "project": project.pk,
        "width": int(width),
        "since": period.since - timedelta(minutes=int(width)),
        "until": period.until,
    }


def arms_answered(project: Project, period: Period) -> tuple[ArmVolume, ...]:
    """Every arm and version that was asked in the period, shadows too: what a filter offers."""
    width, _ = _width(period)
    stretch = _stretch(project, period, width)
    rows = AnswerRollup.objects.filter(
        project=project, width=width, at__gt=stretch["since"], at__lte=period.until
    ).order_by("model_number", "arm")
    counted: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    for arm, version, failed, n in rows.values_list("arm", "model_number", "failed").annotate(n=Sum("answers")):
        counted[arm, version][failed] += n
    return tuple(ArmVolume(*key, answers, failures) for key, (answers, failures) in counted.items())


def answers_in(project: Project, period: Period) -> int:
    """What users got in it, row by row of their requests."""
    return sum(each.answers for each in arms_answered(project, period) if each.arm in USERS)


_FIRST = """
SELECT (SELECT min(at) FROM monitoring_answerrollup WHERE width = 1 AND {those}),
       (SELECT min(at) FROM monitoring_answerrollup WHERE width = 60 AND {those})
""".format(those="project_id = %(project)s AND NOT failed AND arm <> 'shadow'")


def first_answer(project: Project) -> datetime | None:
    """The minute, or long ago the hour, of the first that a user got."""
    with connection.cursor() as cursor:
        cursor.execute(_FIRST, {"project": project.pk})
        minute, hour = cursor.fetchone() or (None, None)
    return minute if hour and minute and minute < hour + HOUR else hour
