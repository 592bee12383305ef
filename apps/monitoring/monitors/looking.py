"""The scheduled look of all monitors of a project: each window once, one that breaks stops no other, one alarm a cause."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.monitoring.models import MonitorReading, ReadingOutcome
from apps.monitoring.monitors.evidence import WindowEvidence, maturity_of
from apps.monitoring.monitors.harmless import still_news
from apps.monitoring.monitors.policies import MONITOR_POLICY
from apps.monitoring.monitors.recording import alarm_raise, feature_cells, feature_rows
from apps.monitoring.monitors.reference import MonitorReference
from apps.monitoring.monitors.selectors import last_resolved, readings_of
from apps.monitoring.monitors.vectors import WindowWaits
from apps.monitoring.monitors.windows import windows_due
from apps.projects.models import Project
from apps.projects.policies.selectors import policy_newest, policy_read
from apps.rules.monitors import (
    CannotTell,
    MonitorCause,
    MonitorNeed,
    MonitorPolicy,
    MonitorSettings,
    NothingToRead,
    WindowJudgment,
    WindowTarget,
)
from apps.rules.monitors.calibration import persistent
from apps.rules.sentences import joined, parts_of, raised, sentence
from apps.work.alone import alone

logger = logging.getLogger(__name__)
SAID = 3  # features in a sentence; the page has all
KEPT = (
    *("type", "model_number", "since", "at", "n_window", "outcome", "score", "threshold"),
    *("thresholds", "features", "cells", "sentence", "parts"),
)  # of a reading, beside what it is known by
DRIFT_CHECKED = frozenset({MonitorNeed.PREDICTIONS})  # what the drift check looks at where nobody set a policy


@dataclass(frozen=True)
class PolicyLook:
    """One policy on one project at one moment."""

    project: Project
    policy: MonitorPolicy
    number: int
    reference: MonitorReference
    maturity: timedelta
    at: datetime


def monitors_look(*, project: Project, reference: MonitorReference, at: datetime) -> list[MonitorReading]:
    """All windows that ended since the last look. Without a policy of its own the predictions are the drift check's."""
    version = policy_newest(MONITOR_POLICY, project)
    policy = policy_read(MONITOR_POLICY, version)
    look = PolicyLook(project, policy, version.number if version else 0, reference, maturity_of(project), at)
    made, windows = list[MonitorReading](), dict[tuple[datetime, datetime, datetime], WindowEvidence]()
    for settings in policy.on:
        if version is None and settings.monitor.needs <= DRIFT_CHECKED:
            continue
        with alone("a monitor", f"{project}: {settings.called}"):
            made += _looked(look, settings, windows)
    _alarms(look, made)
    return made


def _looked(
    look: PolicyLook, settings: MonitorSettings, windows: dict[tuple[datetime, datetime, datetime], WindowEvidence]
) -> list[MonitorReading]:
    made = []
    ripe = look.at - look.maturity if MonitorNeed.LOSSES in settings.monitor.needs else look.at
    last = _last_judged(look, settings)
    judged = last_resolved(look.project, settings.monitor.cause)
    serves = look.reference.serves_since
    length, step = settings.length, settings.step
    for since, until in windows_due(at=ripe, length=length, judged_until=last, begins=serves, step=step):
        losses_since = max(serves, judged) if judged else serves
        key = (since, until, losses_since)
        if key not in windows:
            windows[key] = WindowEvidence(
                look.project, look.reference, since, until, losses_since, look.maturity, look.at
            )
        try:
            made.append(_read(look, settings, windows[key]))
        except WindowWaits:  # the ones after it come in their turn, since persistence counts them so
            break
    return made


def _last_judged(look: PolicyLook, settings: MonitorSettings) -> datetime | None:
    mine = readings_of(look.project).filter(monitor=settings.called, policy_number=look.number)
    found: datetime | None = mine.values_list("until", flat=True).first()
    return found


def _read(look: PolicyLook, settings: MonitorSettings, window: WindowEvidence) -> MonitorReading:
    """One window, judged and kept; what breaks is kept as broken, with its kind of fault. Raises WindowWaits."""
    reading = MonitorReading(
        project=look.project,
        monitor=settings.called,
        type=settings.type,
        policy_number=look.number,
        model_number=look.reference.model_number,
        since=window.since,
        until=window.until,
        at=look.at,
    )
    try:
        evidence = window.of(settings.monitor.needs)
        judged = settings.judged(evidence, _target(look, settings, window))
    except WindowWaits:
        raise
    except CannotTell as few:
        _say(reading, ReadingOutcome.TOO_FEW, few.args[0])
    except NothingToRead as off:
        _say(reading, ReadingOutcome.OFF, off.args[0])
    except Exception as fault:
        logger.exception("The monitor %s of %s broke.", settings.called, look.project)
        _say(reading, ReadingOutcome.BROKEN, sentence("It broke: {fault}.", fault=type(fault).__name__))
    else:
        _fill(reading, judged, evidence.vectors.fell_back if evidence.vectors else "")
    kept = {name: getattr(reading, name) for name in KEPT}
    row, _ = MonitorReading.objects.get_or_create(
        project=look.project, monitor=settings.called, until=window.until, policy_number=look.number, defaults=kept
    )
    return row


def _target(look: PolicyLook, settings: MonitorSettings, window: WindowEvidence) -> WindowTarget:
    """The same draws for the same window; a stream's threshold is simulated once for all its windows."""
    on_a_stream = MonitorNeed.LOSSES in settings.monitor.needs
    return look.policy.target(settings, seed=0 if on_a_stream else int(window.until.timestamp()) % 2**31)


def _fill(reading: MonitorReading, judged: WindowJudgment, fell_back: str) -> None:
    reading.n_window, reading.score, reading.threshold = judged.n_window, judged.score, judged.threshold
    reading.thresholds = {str(factor): each for factor, each in judged.thresholds.items()}
    reading.features = feature_rows(judged)
    reading.cells = feature_cells(reading.features)
    outcome = ReadingOutcome.RAISED if judged.raised else ReadingOutcome.FINE
    words = words_of(judged)
    _say(reading, outcome, joined([words, fell_back]) if fell_back else words)


def words_of(judged: WindowJudgment) -> str:
    """What moved: “12 of 20 features. “age”: …”."""
    if not judged.raised:
        return sentence("As it was, in {n:,} rows.", n=judged.n_window)
    moved = sorted(judged.drifted, key=lambda f: f.p_value)
    said = [raised(sentence("{reason}.", reason=each.reason)) for each in moved[:SAID]]
    if len(judged.features) > 1 and len(moved) > 1:
        said.insert(0, sentence("{moved} of {all} moved.", moved=len(moved), all=len(judged.features)))
    return joined(said)


def _say(reading: MonitorReading, outcome: ReadingOutcome, words: str) -> None:
    reading.outcome, reading.sentence, reading.parts = outcome, words[:400], parts_of(words)


def _alarms(look: PolicyLook, made: Sequence[MonitorReading]) -> None:
    """One alarm a cause, of all its monitors whose pattern is complete; none while a release is young, nor of what is known."""
    calm = look.reference.serves_since + look.policy.cooldown
    ringing: dict[MonitorCause, list[tuple[MonitorSettings, MonitorReading]]] = {}
    for reading in made:
        settings = look.policy.named(reading.monitor)
        if settings is not None and reading.until > calm and _complete(look, settings, reading):
            ringing.setdefault(settings.monitor.cause, []).append((settings, reading))
    for cause, found in ringing.items():
        with alone("an alarm", f"{look.project}: {cause}"):
            model = look.reference.model_number
            if news := still_news(look.project, cause, found, model=model, policy=look.policy, at=look.at):
                alarm_raise(project=look.project, cause=cause, found=news, at=look.at)


def _complete(look: PolicyLook, settings: MonitorSettings, reading: MonitorReading) -> bool:
    """Of this model's windows that could tell, the newest so many."""
    if reading.outcome != ReadingOutcome.RAISED:
        return False
    told = readings_of(look.project).filter(
        monitor=settings.called,
        policy_number=look.number,
        model_number=reading.model_number,
        until__lte=reading.until,
        outcome__in=(ReadingOutcome.FINE, ReadingOutcome.RAISED),
    )
    newest = list(told.order_by("-until").values_list("outcome", flat=True)[: settings.of_windows])
    return persistent([each == ReadingOutcome.RAISED for each in reversed(newest)], look.policy.target(settings))
