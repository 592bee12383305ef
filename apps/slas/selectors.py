"""How the promise was kept: laps of a period, their stages, and the few numbers a manager asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.db.models import QuerySet

from apps.pages.periods import Period, that_fits
from apps.projects.models import Project
from apps.rules.clock import LEAST_LAPS
from apps.slas.models import Lap, Stage
from apps.slas.services import target_hours

GOAL = 0.9  # of laps in time, as the design's board promises
MOST_LAPS = 500  # drawn and listed; more than a lap a day for a year


@dataclass(frozen=True)
class StageShare:
    """One stage over the period: its medians of wait and work."""

    stage: Stage
    wait_s: float
    work_s: float


@dataclass(frozen=True)
class Levels:
    """Laps oldest first. Numbers are None where a period without laps gives none."""

    period: Period
    target_hours: float
    laps: tuple[Lap, ...]
    weeks: float
    ever: bool  # whether a lap closed at all

    @property
    def in_time(self) -> int:
        return sum(not lap.breached for lap in self.laps)

    @property
    def meets_goal(self) -> bool:
        return bool(self.laps) and self.in_time >= GOAL * len(self.laps)

    @property
    def median_s(self) -> float | None:
        return median(lap.p90_s for lap in self.laps) if self.laps else None

    @property
    def per_week(self) -> float | None:
        return len(self.laps) / self.weeks if self.laps else None

    @property
    def waiting_share(self) -> float | None:
        """Of all labels' time together, each lap weighed by its labels."""
        total = sum(lap.labels for lap in self.laps)
        return sum(lap.waiting_share * lap.labels for lap in self.laps) / total if total else None

    @property
    def breaches(self) -> list[Lap]:
        return [lap for lap in reversed(self.laps) if lap.breached]

    @property
    def stages(self) -> list[StageShare]:
        return stage_shares(self.laps)

    @property
    def slowest(self) -> StageShare | None:
        return max(self.stages, key=lambda s: s.wait_s + s.work_s, default=None)

    @property
    def trend(self) -> str:
        """From 118 h to 61 h: the medians of the first and the last laps; nothing while they are too few to compare."""
        return "" if len(self.laps) < 2 * LEAST_LAPS else "known"

    @property
    def first_s(self) -> float:
        return median(lap.p90_s for lap in self.laps[:LEAST_LAPS])

    @property
    def last_s(self) -> float:
        return median(lap.p90_s for lap in self.laps[-LEAST_LAPS:])


def first_lap_at(project: Project) -> datetime | None:
    """When the first lap of all closed."""
    return Lap.objects.filter(project=project).order_by("number").values_list("closed_at", flat=True).first()


def period_that_fits(first: datetime | None, at: datetime) -> str:
    """The shortest of those that a lap may take which holds all laps."""
    return that_fits(first, at, among=("30d", "90d", "365d"), otherwise="365d")


def levels_of(project: Project, period: Period, first: datetime | None) -> Levels:
    """`first` is when the first lap of all closed."""
    laps = Lap.objects.filter(project=project, closed_at__gt=period.since, closed_at__lte=period.until)
    found = tuple(reversed(laps.prefetch_related("stages")[:MOST_LAPS]))
    since = max(period.since, first or period.since)
    return Levels(period, target_hours(project), found, _weeks(since, period.until), first is not None)


def _weeks(since: datetime, until: datetime) -> float:
    """Since the period or the first lap began, whichever is later; a young project counts as one week."""
    return max((until - since) / timedelta(weeks=1), 1.0)


def stage_shares(laps: Sequence[Lap]) -> list[StageShare]:
    timings = [t for lap in laps for t in lap.stages.all()]
    return [
        StageShare(stage, median(t.wait_s for t in mine), median(t.work_s for t in mine))
        for stage in Stage
        if (mine := [t for t in timings if t.stage == stage])
    ]


def csv_rows(levels: Levels) -> list[list[object]]:
    """One row a lap, seconds throughout."""
    parts = [f"{stage}_{kind}_s" for stage in Stage.values for kind in ("wait", "work")]
    head: list[object] = [
        "lap",
        "closed_at",
        "model",
        "labels",
        "median_s",
        "p90_s",
        "longest_s",
        "waiting_share",
        "target_s",
        "breached",
        "cause",
        *parts,
    ]
    return [head, *(_csv_row(lap) for lap in levels.laps)]


def _csv_row(lap: Lap) -> list[object]:
    times = {t.stage: (t.wait_s, t.work_s) for t in lap.stages.all()}
    parts = [value for stage in Stage.values for value in times.get(stage, ("", ""))]
    return [
        lap.number,
        lap.closed_at.isoformat(),
        f"v{lap.model_number}",
        lap.labels,
        lap.median_s,
        lap.p90_s,
        lap.longest_s,
        round(lap.waiting_share, 4),
        lap.target_s,
        lap.breached,
        lap.cause,
        *parts,
    ]


def laps_of(project: Project) -> QuerySet[Lap]:
    """Newest first, with their stages."""
    return Lap.objects.filter(project=project).prefetch_related("stages")
