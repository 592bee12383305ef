"""The page of monitors: one row each, what the budget promises and what became of it, and features over time."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import log
from typing import Any

from django.db import connection

from apps.monitoring.feedback.settings import feedback_settings_of
from apps.monitoring.models import Alert, AlertVerdict, MonitorReading, ReadingOutcome
from apps.monitoring.monitors.policies import MONITOR_POLICY
from apps.monitoring.monitors.selectors import readings_of
from apps.monitoring.monitors.windows import next_window_end
from apps.pages.periods import Period
from apps.projects.models import Project
from apps.projects.policies.selectors import policy_newest, policy_read
from apps.rules.monitors import MonitorPolicy, MonitorSettings, WindowTarget, expected_alarms
from apps.rules.monitors.calibration import persistent

LONG = timedelta(days=90)  # over which alarms are counted
SPARKS = 40  # newest windows of the small line
WIDTH, HEIGHT = 120.0, 24.0


@dataclass(frozen=True)
class MonitorScore:
    """What became of a monitor's alarms: `precision` of those that were judged, `delay` from the begin of the window."""

    alarms: int
    true: int
    false: int
    delay: timedelta | None

    @property
    def precision(self) -> float | None:
        judged = self.true + self.false
        return self.true / judged if judged else None


@dataclass(frozen=True)
class MonitorLine:
    """One monitor with its newest readings, oldest first."""

    settings: MonitorSettings
    share: float
    readings: tuple[MonitorReading, ...]
    next_at: datetime
    score: MonitorScore

    @property
    def last(self) -> MonitorReading | None:
        return self.readings[-1] if self.readings else None

    @property
    def ratio(self) -> float | None:
        """The last score against its threshold: raised from 1 on."""
        last = self.last
        if last is None or last.score is None or not last.threshold:
            return None
        return last.score / last.threshold

    @property
    def points(self) -> str:
        """The small line: scores against thresholds, 1 at a third from the top."""
        told = [(r.score or 0) / r.threshold for r in self.readings if r.told and r.threshold]
        step = WIDTH / max(len(told) - 1, 1)
        return " ".join(f"{i * step:.1f},{HEIGHT - 16 * min(value, 1.5):.1f}" for i, value in enumerate(told))


@dataclass(frozen=True)
class MonitorBoard:
    policy: MonitorPolicy
    number: int
    lines: tuple[MonitorLine, ...]
    expected: float
    alarms: int
    true: int
    false: int
    samples: bool = False  # the log has no row of some answers
    since_days: int = LONG.days

    @property
    def read(self) -> bool:
        """Whether any monitor has read anything yet."""
        return any(line.readings for line in self.lines)


def board_of(project: Project, at: datetime) -> MonitorBoard:
    version = policy_newest(MONITOR_POLICY, project)
    policy, number = policy_read(MONITOR_POLICY, version), version.number if version else 0
    readings = _newest(project, number, at)
    alerts = list(Alert.objects.filter(project=project, opened_at__gt=at - LONG).select_related("check_row"))
    lines = tuple(
        MonitorLine(
            settings,
            policy.share(settings),
            tuple(reversed(readings.get(settings.called, ()))),
            next_window_end(at, settings.step),
            score_of_monitor(alerts, settings.called),
        )
        for settings in policy.monitors
    )
    telling = {line.settings.called: bool(line.last and line.last.told) for line in lines}
    verdicts = Counter(alert.verdict for alert in alerts)
    return MonitorBoard(
        policy,
        number,
        lines,
        expected_alarms(policy, telling),
        len(alerts),
        verdicts[AlertVerdict.TRUE],
        verdicts[AlertVerdict.FALSE],
        feedback_settings_of(project).samples,
    )


def _newest(project: Project, number: int, at: datetime) -> dict[str, list[MonitorReading]]:
    """By monitor, newest first, SPARKS each; features are left out, for they are long."""
    found: dict[str, list[MonitorReading]] = {}
    rows = readings_of(project).filter(policy_number=number, until__gt=at - LONG)
    for row in rows.defer("features")[: SPARKS * 30]:
        mine = found.setdefault(row.monitor, [])
        if len(mine) < SPARKS:
            mine.append(row)
    return found


def score_of_monitor(alerts: Sequence[Alert], name: str) -> MonitorScore:
    mine = [alert for alert in alerts if name in alert.monitors]
    verdicts = Counter(alert.verdict for alert in mine)
    delays = [a.opened_at - a.window_since for a in mine if a.verdict == AlertVerdict.TRUE and a.window_since]
    mean = sum(delays, timedelta()) / len(delays) if delays else None
    return MonitorScore(len(mine), verdicts[AlertVerdict.TRUE], verdicts[AlertVerdict.FALSE], mean)


# Replay


@dataclass(frozen=True)
class MonitorReplay:
    """What another share of the budget would have made of the recorded windows: raised ones, and alarms of “k of n” of them, as
    they were and as they would be."""

    windows: int
    raised: int
    would: int
    alarms: int
    would_alarm: int
    factor: float


def replayed(
    project: Project, policy: MonitorPolicy, settings: MonitorSettings, factor: float, at: datetime
) -> MonitorReplay:
    """One monitor with so many times its weight. Thresholds of the readings stand at factors of its share; what lies between
    is interpolated on a logarithmic scale."""
    other = policy.reweighted(settings.called, factor)
    changed = other.named(settings.called)
    share = policy.share(settings)
    real = other.share(changed) / share if changed and share else factor
    rows = readings_of(project).filter(
        monitor=settings.called, until__gt=at - LONG, outcome__in=(ReadingOutcome.FINE, ReadingOutcome.RAISED)
    )
    kept = rows.order_by("until", "pk").values_list("model_number", "policy_number", "score", "thresholds")
    found = [
        ((model, number), score, thresholds)
        for model, number, score, thresholds in kept
        if score is not None and thresholds
    ]
    as_it_was = [(key, score >= threshold_at(thresholds, 1.0)) for key, score, thresholds in found]
    as_it_would = [(key, score >= threshold_at(thresholds, real)) for key, score, thresholds in found]
    target = policy.target(settings)
    return MonitorReplay(
        len(found),
        sum(raised for _, raised in as_it_was),
        sum(raised for _, raised in as_it_would),
        alarms_of(as_it_was, target),
        alarms_of(as_it_would, target),
        real,
    )


def alarms_of(windows: Sequence[tuple[Any, bool]], target: WindowTarget) -> int:
    """How many alarms these windows, oldest first, come to: one begins where the pattern of the newest is complete, and is open as
    long as it stays so. Windows of another model or policy, by their key, begin anew.

    >>> raised = [("v1", each) for each in (True, True, True, False, False, True)]
    >>> alarms_of(raised, WindowTarget(0.01)), alarms_of(raised, WindowTarget(0.01, 3, 2))
    (2, 1)
    """
    alarms, open_, past, before = 0, False, list[bool](), None
    for key, raised in windows:
        past = [*past, raised] if key == before else [raised]
        open_ = open_ and key == before
        before = key
        rings = persistent(past, target)
        alarms += rings and not open_
        open_ = rings
    return alarms


def threshold_at(thresholds: dict[str, float], factor: float) -> float:
    """At a factor of the share, between those that were kept; beyond them that of the last.

    >>> round(threshold_at({"1.0": 3.0, "2.0": 2.0}, 2 ** 0.5), 2), threshold_at({"1.0": 3.0, "2.0": 2.0}, 9)
    (2.5, 2.0)
    """
    known = sorted((log(float(at)), value) for at, value in thresholds.items())
    place = log(factor)
    if place <= known[0][0]:
        return known[0][1]
    for (low, before), (high, after) in pairwise(known):
        if place <= high:
            return before + (after - before) * (place - low) / (high - low)
    return known[-1][1]


# Features over time


@dataclass(frozen=True, slots=True)
class FeatureCell:
    since: datetime
    until: datetime
    called: str  # with its monitor
    feature: str
    score: float
    drifted: bool
    reading: int  # the window's, whose page it has a part of


MOST_READINGS = 2_000  # of a period that are drawn, the newest
# Moments as numbers, of which few differ: to make one of each row costs more than all else.
_DRAWN = """
SELECT id, monitor, extract(epoch FROM since)::float8, extract(epoch FROM until)::float8, cells
FROM monitoring_monitorreading
WHERE project_id = %s AND policy_number = %s AND until > %s AND until <= %s AND jsonb_array_length(cells) > 0
  AND (%s::int IS NULL OR model_number = %s)
ORDER BY until DESC, id DESC LIMIT %s
"""


@dataclass(frozen=True)
class FeaturesOverTime:
    """Every feature of every window that could tell; `begins` where older windows of the period are too many to be drawn."""

    cells: Sequence[FeatureCell]
    begins: datetime | None = None


def features_over_time(
    project: Project, number: int, period: Period, *, version: int | None = None, most: int = 30
) -> FeaturesOverTime:
    """The features that drifted most often, of all versions or of one."""
    with connection.cursor() as cursor:
        cursor.execute(_DRAWN, [project.pk, number, period.since, period.until, version, version, MOST_READINGS])
        rows = [(*row, json.loads(cells)) for *row, cells in reversed(cursor.fetchall())]
    worst = Counter[tuple[str, str]]()
    for _, monitor, _, _, cells in rows:
        for name, _, drifted in cells:
            worst[monitor, name] += 1000 * bool(drifted) + 1
    kept = {key: ": ".join(dict.fromkeys(key)) for key, _ in worst.most_common(most)}
    moments = {each: datetime.fromtimestamp(each, UTC) for row in rows for each in row[2:4]}
    drawn = [
        FeatureCell(moments[since], moments[until], kept[monitor, name], name, float(score), bool(drifted), pk)
        for pk, monitor, since, until, cells in rows
        for name, score, drifted in cells
        if (monitor, name) in kept
    ]
    return FeaturesOverTime(drawn, moments[rows[0][2]] if len(rows) == MOST_READINGS else None)


def reading_shown(project: Project, reading_id: int) -> MonitorReading | None:
    return readings_of(project).filter(pk=reading_id).select_related("alert").first()


def pictures_of(reading: MonitorReading) -> list[dict[str, Any]]:
    """Features that have shares of both sides, those that moved most first."""
    return [each for each in reading.features if has_sides(each)]


def has_sides(feature: dict[str, Any]) -> bool:
    return bool((feature.get("parts") or {}).get("names"))
