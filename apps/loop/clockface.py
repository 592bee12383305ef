"""The clock of the loop page: the last lap by stage, and how old the open lap is, on one ruler."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext

from apps.labeling.models import Label
from apps.loop.ruler import Part, Piece, Ruler, hours, pieces_of, ruler_for
from apps.pages.templatetags.wording import duration, number_and_unit
from apps.projects.models import Project
from apps.releases.models import ModelVersion
from apps.rules import clock
from apps.slas.models import Lap, Stage
from apps.training.models import Run

HISTORY = 20  # laps the forecast draws from; older ones were another team
STAGES = [Stage(name) for name in clock.STAGES]


@dataclass(frozen=True)
class StageRow:
    stage: Stage
    part: Part
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class OpenLap:
    """The lap that the labels not served yet are in. `age_s` is that of the label nine in ten are younger than."""

    number: int
    labels: int
    age_s: float
    stage: Stage
    in_stage_s: float
    parts: tuple[Part, ...]
    forecast: clock.Forecast | None
    no_forecast: str

    @property
    def forecast_words(self) -> str:
        """56 h 43 min, 8 in 10 between 52 h and 69 h; without a spread that rounds away."""
        if self.forecast is None:
            return ""
        middle, low, high = (duration(s) for s in (self.forecast.expected_s, self.forecast.low_s, self.forecast.high_s))
        return (
            middle
            if low == high
            else gettext("{middle}, 8 in 10 between {low} and {high}").format(middle=middle, low=low, high=high)
        )

    @property
    def wait_s(self) -> float:
        return sum(p.wait_s for p in self.parts)

    @property
    def work_s(self) -> float:
        return sum(p.work_s for p in self.parts)


@dataclass(frozen=True)
class OpenBar:
    """The open lap on the ruler; places in percent."""

    pieces: tuple[Piece, ...]
    ahead_x: float
    ahead_width: float
    low: float
    middle: float
    high: float
    cut: bool


@dataclass(frozen=True)
class LapClock:
    lap: Lap | None
    target_s: float
    ruler: Ruler
    rows: tuple[StageRow, ...]
    open_lap: OpenLap | None
    open_bar: OpenBar | None

    @property
    def hero(self) -> list[tuple[str, str]]:
        """Numbers and units by turns: 61 h 20 min."""
        return number_and_unit(self.lap.p90_s) if self.lap else []

    @property
    def under(self) -> str:
        """10 h 40 min under the 72 h target."""
        if self.lap is None:
            return ""
        left = self.lap.target_s - self.lap.p90_s
        if left >= 0 and self.lap.p90_s < self.lap.target_s / 100:
            return gettext("Well under the {target_s} target").format(target_s=hours(self.lap.target_s))
        words = gettext("{left} under the {target} target") if left >= 0 else gettext("{left} past the {target} target")
        return words.format(left=duration(abs(left)), target=hours(self.lap.target_s))

    @property
    def open_words(self) -> str:
        if self.open_lap is None:
            return ""
        forecast, name = self.open_lap.forecast, gettext("Lap {number}").format(number=self.open_lap.number)
        if self.open_lap.age_s > self.target_s:
            return gettext("{name} is past the {target_s} target").format(name=name, target_s=hours(self.target_s))
        if forecast is None:
            return gettext("{name} is {age_s} old").format(name=name, age_s=duration(self.open_lap.age_s))
        return (
            gettext("{name} may breach").format(name=name)
            if forecast.breach_chance >= 0.5
            else gettext("{name} looks on time").format(name=name)
        )

    @property
    def waiting_s(self) -> float:
        return sum(row.part.wait_s for row in self.rows)


def laps_of(project: Project) -> list[Lap]:
    """Newest first, with their stages: two queries."""
    return list(Lap.objects.filter(project=project).prefetch_related("stages")[:HISTORY])


def clock_of(
    project: Project,
    at: datetime,
    *,
    laps: Sequence[Lap],
    target_s: float,
    open_run: Run | None,
    candidate: ModelVersion | None,
) -> LapClock:
    lap = laps[0] if laps else None
    open_lap = _open_lap(project, at, laps, target_s, open_run, candidate)
    length = lap.p90_s if lap else open_lap.age_s if open_lap else 0.0
    also = [] if open_lap is None else [open_lap.age_s, open_lap.forecast.high_s if open_lap.forecast else 0.0]
    ruler = ruler_for(length, target_s, also)
    return LapClock(lap, target_s, ruler, _rows(lap, ruler), open_lap, _bar(open_lap, ruler) if open_lap else None)


def _rows(lap: Lap | None, ruler: Ruler) -> tuple[StageRow, ...]:
    """Each stage's bar starts where the one before it ended: a staircase."""
    rows, at = [], 0.0
    for timing in lap.stages.all() if lap else []:
        part = Part(timing.stage, timing.wait_s, timing.work_s)
        rows.append(StageRow(Stage(timing.stage), part, pieces_of([part], ruler, at)))
        at += part.total_s
    return tuple(rows)


def _open_lap(
    project: Project,
    at: datetime,
    laps: Sequence[Lap],
    target_s: float,
    open_run: Run | None,
    candidate: ModelVersion | None,
) -> OpenLap | None:
    waiting = Label.objects.filter(project=project, served_at=None, holdout=False, resolved_at__lte=at)
    count = waiting.count()
    if not count:
        return None
    oldest = count - 1 - clock.nearest_rank(count, clock.SHOWN)  # ages fall as moments rise
    label = waiting.select_related("example__ingestion").order_by("example__collected_at", "pk")[oldest]
    parts = parts_until(at, _moments(label, open_run, candidate))
    stage, in_stage = STAGES[len(parts) - 1], parts[-1].total_s
    age = sum(p.total_s for p in parts)
    history = [{t.stage: t.total_s for t in lap.stages.all()} for lap in laps]
    found = clock.forecast(age, stage, history, target_s, in_stage_s=in_stage)
    forecast, why_not = (found, "") if isinstance(found, clock.Forecast) else (None, found.reason)
    return OpenLap(
        number=laps[0].number + 1 if laps else 1,
        labels=count,
        age_s=age,
        stage=stage,
        in_stage_s=in_stage,
        parts=parts,
        forecast=forecast,
        no_forecast=why_not,
    )


def parts_until(at: datetime, moments: Sequence[datetime | None]) -> tuple[Part, ...]:
    """Wait and work by turns between moments, up to the first that has not come yet; that one is now."""
    known: list[datetime] = []
    for moment in moments:
        if moment is None:
            break
        known.append(max(min(moment, at), known[-1]) if known else min(moment, at))
    spans = [(b - a).total_seconds() for a, b in zip(known, [*known[1:], at], strict=True)]
    spans += [0.0] * (len(spans) % 2)
    return tuple(
        Part(stage, *pair) for stage, pair in zip(STAGES, zip(spans[::2], spans[1::2], strict=True), strict=False)
    )


def _moments(label: Label, open_run: Run | None, candidate: ModelVersion | None) -> list[datetime | None]:
    """Collected, read, in the queue's reach, shown, labeled, training, trained, judging, judged."""
    example = label.example
    read = (example.ingestion.started_at if example.ingestion else None) or example.ingested_at
    moments: list[datetime | None] = [
        example.collected_at,
        read,
        example.ingested_at,
        label.shown_at,
        label.resolved_at,
    ]
    if candidate and label.first_run_number and label.first_run_number <= candidate.run.number:
        run, report = candidate.run, candidate.report
        return [*moments, run.started_at, run.finished_at, report.started_at, report.finished_at]
    trained = (
        label.first_run_number
        and Run.objects.filter(Q(report=None), project=label.project_id, number=label.first_run_number).first()
    )
    if trained:
        return [*moments, trained.started_at, trained.finished_at, None]
    return [*moments, open_run.started_at if open_run else None, None]


def _bar(lap: OpenLap, ruler: Ruler) -> OpenBar:
    forecast, now = lap.forecast, ruler.place(lap.age_s)
    end = ruler.place(forecast.expected_s) if forecast else now
    return OpenBar(
        pieces=pieces_of(lap.parts, ruler),
        ahead_x=now,
        ahead_width=round(max(end - now, 0), 2),
        middle=end,
        low=ruler.place(forecast.low_s) if forecast else now,
        high=ruler.place(forecast.high_s) if forecast else now,
        cut=lap.age_s > ruler.end_s,
    )
