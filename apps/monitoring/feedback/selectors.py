"""What came back and what it says: counts, matured means by version and arm over time, dead letters."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import sqrt
from typing import Any

from django.db import connection
from django.db.models import Count, Min, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext

from apps.errors import Invalid
from apps.monitoring.feedback.settings import feedback_settings_of
from apps.monitoring.filters import ALL, TrafficFilter
from apps.monitoring.log.sample import slice_keys
from apps.monitoring.log.traffic import BY_THE_CLOCK, answers_in, width_of
from apps.monitoring.models import Feedback, FeedbackLetter, FeedbackSettings
from apps.pages.periods import NAMED, Period
from apps.projects.models import Project
from apps.rules.feedback import LABEL

LETTERS = 20  # that the page lists
NORMAL = 1.96  # 95 of 100

# What was answered within the period and is mature: with feedback of this name, or all of it where silence means 0. A row of a
# sampled log stands for 1 / share of them, and as many as Kish's effective number tell how far a mean may be off.
_SAID = """
SELECT CASE WHEN %(buckets)s THEN
         date_bin(%(step)s, f.answered_at AT TIME ZONE %(zone)s, timestamp '2024-01-01') AT TIME ZONE %(zone)s END,
       f.model_number, f.arm, count(*), sum(f.worth / f.share) / sum(1 / f.share),
       coalesce(stddev_samp(f.worth), 0) * sqrt(count(*) * sum(1 / f.share ^ 2)) / sum(1 / f.share)
FROM monitoring_feedback f
WHERE f.project_id = %(project)s AND f.name = %(name)s AND f.answered_at > %(since)s AND f.answered_at <= %(until)s
  AND f.arm = ANY(%(arms)s::text[]) AND (%(versions)s::int[] IS NULL OR f.model_number = ANY(%(versions)s::int[]))
  AND (%(ids)s::text[] IS NULL OR (f.inference_id, f.item) IN (SELECT * FROM unnest(%(ids)s::text[], %(items)s::int[])))
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
# Answers are those of the roll-ups, whole minutes or hours of them; what came back counts over the same ones.
_SAID_OR_NOT = """
WITH answered AS (
    SELECT {at} AS bucket, model_number, arm, sum(answers)::float8 AS n FROM monitoring_answerrollup
    WHERE project_id = %(project)s AND width = %(width)s AND at >= %(first)s AND at < %(last)s
      AND NOT failed AND arm = ANY(%(arms)s::text[])
      AND (%(versions)s::int[] IS NULL OR model_number = ANY(%(versions)s::int[]))
    GROUP BY 1, 2, 3
), said AS (
    SELECT {answered_at} AS bucket, model_number, arm, sum(worth / share) AS worth, sum(worth * worth / share) AS squares,
           sum(worth * worth * (1 - share) / share ^ 2) AS drawn
    FROM monitoring_feedback
    WHERE project_id = %(project)s AND name = %(name)s AND answered_at >= %(first)s AND answered_at < %(last)s
    GROUP BY 1, 2, 3
)
SELECT CASE WHEN %(buckets)s THEN bucket END, model_number, arm, n::bigint, coalesce(worth, 0) / n,
       CASE WHEN n > 1 THEN sqrt(greatest(coalesce(squares - worth * worth / n, 0), 0) / (n - 1)
                                + coalesce(drawn, 0) / n) ELSE 0 END
FROM answered LEFT JOIN said USING (bucket, model_number, arm) ORDER BY 1, 2, 3
""".format(
    **{
        moment: "CASE WHEN %(buckets)s THEN "
        f"date_bin(%(step)s, {moment} AT TIME ZONE %(zone)s, timestamp '2024-01-01') AT TIME ZONE %(zone)s "
        "ELSE 'infinity' END"
        for moment in ("at", "answered_at")
    }
)


@dataclass(frozen=True)
class ArmMean:
    """What one arm of one version was worth, over requests. `half` is half the 95 % interval, each request one draw."""

    version: int
    arm: str
    requests: int
    mean: float
    half: float
    at: datetime | None = None  # the bucket's begin, where there are buckets


@dataclass(frozen=True)
class NameCount:
    """How often a name came in, and how much of it is mature enough to count."""

    name: str
    joined: int
    immature: int

    @property
    def is_label(self) -> bool:
        return self.name == LABEL

    @property
    def immature_share(self) -> float | None:
        return self.immature / self.joined if self.joined else None


@dataclass(frozen=True)
class FeedbackBoard:
    """What the page shows, of one name and one period."""

    settings: FeedbackSettings
    period: Period
    names: tuple[NameCount, ...]
    chosen: NameCount | None
    received_day: int
    waiting: int
    letters: int
    answered: int  # requests of the period, row by row
    with_feedback: int
    arms: tuple[ArmMean, ...]
    newest_letters: tuple[FeedbackLetter, ...]

    @property
    def empty(self) -> bool:
        return not self.names and not self.waiting and not self.letters

    @property
    def share_answered(self) -> float | None:
        return self.with_feedback / self.answered if self.answered else None

    @property
    def zero(self) -> bool:
        return self.chosen is not None and self.chosen.name in self.settings.zero_names

    @property
    def as_share(self) -> bool:
        """Whether the chosen one is a share: right labels, clicks."""
        return self.chosen is not None and (self.chosen.is_label or all(0 <= arm.mean <= 1 for arm in self.arms))


def period_that_fits(settings: FeedbackSettings) -> str:
    """The shortest of which at least half is mature."""
    among = ("24h", "7d", "30d", "90d")
    return next((name for name in among if NAMED[name][1] >= 2 * settings.maturity), "365d")


def board_of(
    project: Project, at: datetime, period: Period, *, name: str = "", shown: TrafficFilter = ALL
) -> FeedbackBoard:
    """Raises Invalid for a name that there is not."""
    settings = feedback_settings_of(project)
    names = _names(project, settings, at, period)
    chosen = next((n for n in names if n.name == name), None) if name else (names[0] if names else None)
    if name not in ("", LABEL) and chosen is None and names:
        raise Invalid(gettext("No feedback of the name “{name}” came in this time.").format(name=name[:60]))
    mine = Feedback.objects.filter(project=project)
    told = mine.filter(answered_at__gt=period.since, answered_at__lte=period.until).order_by()
    answered = answers_in(project, _kept(period, settings, at))
    return FeedbackBoard(
        settings=settings,
        period=period,
        names=names,
        chosen=chosen,
        received_day=mine.filter(received_at__gt=at - timedelta(days=1)).count(),
        waiting=mine.filter(answered_at=None).count(),
        letters=FeedbackLetter.objects.filter(project=project).count(),
        answered=answered,
        with_feedback=_requests_in(told, answered),
        arms=means_of(project, settings, chosen.name, at, period, shown=shown) if chosen else (),
        newest_letters=tuple(letters_of(project)[:LETTERS]),
    )


def _requests_in(told: "QuerySet[Feedback]", answered: int) -> int:
    """How many answers something came back for; where the log is a sample about as many, and no more than there were."""
    rows = told.values("inference_id", "item").annotate(stands_for=1 / Min("share"))
    found = rows.aggregate(n=Count("stands_for"), all=Sum("stands_for"))
    estimated = round(found["all"] or 0)
    return min(estimated, answered) if estimated > found["n"] else estimated


def means_of(
    project: Project,
    settings: FeedbackSettings,
    name: str,
    at: datetime,
    period: Period,
    *,
    buckets: bool = False,
    shown: TrafficFilter = ALL,
) -> tuple[ArmMean, ...]:
    """By version and arm, and by bucket of the period where that is wanted; matured answers only. Of a slice, by its kept requests,
    only what came back counts: nobody knows of how many answers nothing did."""
    since, until = _kept(period, settings, at).since, min(period.until, at - settings.maturity)
    width = width_of(period)
    values: dict[str, Any] = {
        "project": project.pk,
        "name": name,
        "since": since,
        "until": until,
        "width": int(width),
        "first": width.begins(since),
        "last": width.begins(until),
        "buckets": buckets,
        "step": period.step,
        "zone": timezone.get_current_timezone_name() if period.step >= BY_THE_CLOCK else "UTC",
        "arms": [str(arm) for arm in shown.arms],
        "versions": None if shown.versions is None else list(shown.versions),
        "ids": None,
        "items": None,
    }
    if shown.column:
        values["ids"], values["items"] = slice_keys(project, period, shown.column, shown.value)
    silence = name in settings.zero_names and not shown.column
    with connection.cursor() as cursor:
        cursor.execute(_SAID_OR_NOT if silence else _SAID, values)
        return tuple(
            ArmMean(version, arm, n, float(mean), NORMAL * float(deviation) / sqrt(n), bucket)
            for bucket, version, arm, n, mean, deviation in cursor.fetchall()
        )


def _kept(period: Period, settings: FeedbackSettings, at: datetime) -> Period:
    """As much of it as the project keeps feedback of: silence before that says nothing."""
    if settings.log_days is None:
        return period
    return replace(period, since=max(period.since, at - timedelta(days=settings.log_days)))


def _names(project: Project, settings: FeedbackSettings, at: datetime, period: Period) -> tuple[NameCount, ...]:
    """Of what was answered in the period; labels first, then the most frequent."""
    rows = Feedback.objects.filter(project=project, answered_at__gt=period.since, answered_at__lte=period.until)
    young = rows.filter(answered_at__gt=at - settings.maturity).order_by().values_list("name")
    immature = dict(young.annotate(n=Count("pk")))
    counted = rows.order_by().values_list("name").annotate(n=Count("pk"))
    found = [NameCount(name, n, immature.get(name, 0)) for name, n in counted]
    return tuple(sorted(found, key=lambda each: (not each.is_label, -each.joined, each.name)))


def feedback_rows(project: Project) -> QuerySet[Feedback]:
    """Newest first."""
    return Feedback.objects.filter(project=project)


def letters_of(project: Project) -> QuerySet[FeedbackLetter]:
    """Newest first."""
    return FeedbackLetter.objects.filter(project=project)
