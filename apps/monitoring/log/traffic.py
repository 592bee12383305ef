"""How much, how sure and how fast a project's models answered over a period, read from the roll-ups and never from the log.

What a minute, a quarter or an hour holds is read whole: a period that begins within one begins with it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
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

# Where buckets begin is found once for the moments of the period, and not for each line of the roll-ups.
_TRAFFIC = """
WITH begun AS (
    SELECT date_bin(%(step)s, at AT TIME ZONE %(zone)s, timestamp '2024-01-01') AT TIME ZONE %(zone)s AS bucket,
           min(at) AS first
    FROM generate_series(%(first)s::timestamptz, %(until)s, %(span)s) at GROUP BY 1
), edges AS MATERIALIZED (
    SELECT array_agg(first ORDER BY first) AS firsts, array_agg(bucket ORDER BY first) AS buckets FROM begun
), counted AS (
    SELECT width_bucket(at, (SELECT firsts FROM edges)) AS n, failed, label, NULL::smallint AS place,
           sum(answers)::bigint AS answers, sum(confidence) AS confidence
    FROM monitoring_answerrollup WHERE {those} GROUP BY 1, 2, 3
    UNION ALL
    SELECT width_bucket(at, (SELECT firsts FROM edges)), failed, NULL, place, sum(answers)::bigint, NULL
    FROM monitoring_latencyrollup WHERE {those} AND NOT failed GROUP BY 1, 2, 4
)
SELECT extract(epoch FROM buckets[n])::bigint, failed, label, place, answers, confidence FROM counted, edges ORDER BY n
""".format(  # 2024-01-01 was a Monday
    those="project_id = %(project)s AND width = %(width)s AND at >= %(first)s AND at <= %(until)s "
    "AND arm = ANY(%(arms)s::text[]) AND (%(versions)s::int[] IS NULL OR model_number = ANY(%(versions)s::int[]))"
)


@dataclass(frozen=True)
class Bucket:
    """`failures` are beside the answers. Where all failed, the times and the confidence are 0."""

    at: datetime
    answers: int
    median_ms: float
    slowest_ms: float  # 95 of 100 answers were faster
    confidence: float
    by_label: dict[str, int]
    failures: int = 0

    @property
    def failed_share(self) -> float:
        return self.failures / (self.answers + self.failures)


@dataclass(frozen=True)
class Traffic:
    """Buckets without an answer are left out; charts show the gap. Latencies are within 5 % (apps/rules/latencies.py).

    `asked` are all buckets in which something was asked, also those in which all failed. `looked_at` is how many kept requests the
    figures are of; None where all answers are counted.
    """

    period: Period
    buckets: tuple[Bucket, ...]
    step: timedelta
    failures: int = 0
    latencies: Mapping[int, int] = field(default_factory=dict)
    asked: tuple[Bucket, ...] = ()
    looked_at: int | None = None

    @property
    def answers(self) -> int:
        return sum(b.answers for b in self.buckets)

    @property
    def confidence(self) -> float | None:
        return sum(b.confidence * b.answers for b in self.buckets) / self.answers if self.answers else None

    @property
    def failed_share(self) -> float | None:
        asked = self.answers + self.failures
        return self.failures / asked if asked else None

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
    found: dict[int, TrafficSums] = defaultdict(TrafficSums)
    with connection.cursor() as cursor:
        cursor.execute(_TRAFFIC, values)
        for second, failed, label, place, answers, confidence in cursor.fetchall():
            found[second].add(failed, label, place, answers, confidence)
    sums = {datetime.fromtimestamp(second, UTC): each for second, each in found.items()}
    return traffic_made(period, sums, step)


def traffic_made(
    period: Period, found: Mapping[datetime, "TrafficSums"], step: timedelta, *, looked_at: int | None = None
) -> Traffic:
    """Of the sums of its buckets, oldest first."""
    latencies: dict[int, int] = defaultdict(int)
    for sums in found.values():
        for place, number in sums.latencies.items():
            latencies[place] += number
    asked = tuple(sums.bucket(at) for at, sums in found.items())
    answered = tuple(bucket for bucket in asked if bucket.answers)
    failures = sum(bucket.failures for bucket in asked)
    return Traffic(period, answered, step, failures, dict(latencies), asked, looked_at)


@dataclass
class TrafficSums:
    """One bucket, while its lines are read."""

    answers: int = 0
    failures: int = 0
    confidence: float = 0.0
    by_label: dict[str, int] = field(default_factory=dict)
    latencies: dict[int, int] = field(default_factory=dict)

    def add(self, failed: bool, label: str | None, place: int | None, answers: int, confidence: float | None) -> None:
        """A line of a roll-up."""
        if place is not None:
            self.latencies[place] = self.latencies.get(place, 0) + answers
        elif failed:
            self.failures += answers
        else:
            self.answers += answers
            self.confidence += confidence or 0.0
            self.by_label[str(label)] = self.by_label.get(str(label), 0) + answers

    def count(self, failed: bool, label: str, confidence: float, place: int) -> None:
        """One row of the log."""
        self.add(failed, label, None, 1, confidence)
        if not failed:
            self.add(failed, label, place, 1, None)

    def bucket(self, at: datetime) -> Bucket:
        median, slowest = (quantile(self.latencies, share) or 0.0 for share in (0.5, 0.95))
        confidence = self.confidence / self.answers if self.answers else 0.0
        return Bucket(at, self.answers, median, slowest, confidence, self.by_label, self.failures)


def _width(period: Period) -> tuple[RollupWidth, timedelta]:
    """Which roll-ups are read, and how wide a bucket is: what is long ago, or wide, is read by hours."""
    if period.since < timezone.now() - MINUTES_FOR:
        return RollupWidth.HOUR, max(period.step, HOUR)
    return next(width for width in reversed(RollupWidth) if _fits(width, period)), period.step


def width_of(period: Period) -> RollupWidth:
    """Which roll-ups a chart of this period reads."""
    return _width(period)[0]


def _fits(width: RollupWidth, period: Period) -> bool:
    """Whether buckets begin with one of them each: also in a zone that begins its hours within ours, as India's does."""
    offset = timezone.localtime(period.since).utcoffset() or timedelta()
    return width == RollupWidth.MINUTE or not (period.step % width.span or offset % width.span)


def _stretch(project: Project, period: Period, width: RollupWidth) -> dict[str, Any]:
    return {
        "project": project.pk,
        "width": int(width),
        "span": width.span,
        "first": width.begins(period.since),
        "until": period.until,
    }


def arms_answered(project: Project, period: Period) -> tuple[ArmVolume, ...]:
    """Every arm and version that was asked in the period, shadows too: what a filter offers."""
    width, _ = _width(period)
    rows = AnswerRollup.objects.filter(
        project=project, width=width, at__gte=width.begins(period.since), at__lte=period.until
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
