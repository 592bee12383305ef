"""Raise the alarm of a cause, once for all its monitors; what a reading keeps of its features."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

from django.db import transaction

from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.monitoring.models import Alert, DriftCheck, MonitorReading
from apps.monitoring.monitors.selectors import last_resolved
from apps.projects.models import Project
from apps.rules.monitors import MonitorCause, MonitorSettings, Severity, WindowJudgment
from apps.rules.monitors.calibration import score_of
from apps.rules.sentences import Sentence, joined, parts_of, sentence, term

MOST_FEATURES = 60  # of a reading that are kept, those that moved first
Found = tuple[MonitorSettings, MonitorReading]


KEPT = timedelta(days=400)  # a year to compare with, and a month


def readings_forget(*, at: datetime) -> int:
    """What was read of windows, and checks, of more than a year ago; those that an alarm stands on stay with it."""
    old = MonitorReading.objects.filter(until__lt=at - KEPT, alert=None).delete()[0]
    named = Alert.objects.exclude(check_row=None).values("check_row")
    return old + DriftCheck.objects.filter(at__lt=at - KEPT).exclude(pk__in=named).delete()[0]


def feature_rows(judged: WindowJudgment) -> list[dict[str, Any]]:
    """As JSON, those that moved most first."""
    ordered = sorted(judged.features, key=lambda f: (not f.drifted, f.p_value))[:MOST_FEATURES]
    return [
        {
            "name": each.name,
            "value": each.value if isfinite(each.value) else None,
            "threshold": each.threshold,
            "score": score_of(each.p_value),
            "drifted": each.drifted,
            "reason": each.reason,
            "words": parts_of(each.reason),
            "parts": dict(each.parts),
        }
        for each in ordered
    ]


def feature_cells(rows: Sequence[dict[str, Any]]) -> list[list[Any]]:
    """What a heat map draws of them, without their parts, which are long."""
    return [[each["name"], each["score"], each["drifted"]] for each in rows]


def words_kept(words: str, parts: dict[str, Any]) -> str:
    """A sentence of a row, which knows again what it was made of."""
    return Sentence(words, parts) if parts else words


@transaction.atomic
def alarm_raise(*, project: Project, cause: MonitorCause, found: Sequence[Found], at: datetime) -> Alert | None:
    """Open an alert of this cause, or note on the open one that it was seen again. None where all of the windows began before
    somebody resolved the last one: they have judged them."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    judged = last_resolved(project, cause)
    new = [(s, r) for s, r in found if judged is None or r.until > judged]
    if not new:
        return None
    detail = joined([words_kept(reading.sentence, reading.parts) for _, reading in new])
    names = list(dict.fromkeys(settings.called for settings, _ in new))
    loud = any(settings.acts is Severity.ALARMS for settings, _ in new)
    window = {"since": min(r.since for _, r in new), "until": max(r.until for _, r in new)}
    alert = Alert.objects.select_for_update(no_key=True).filter(project=project, kind=cause, resolved_at=None).first()
    if alert is not None:
        _seen_again(alert, detail, names, loud, window, at)
    else:
        alert = _opened(project, cause, detail, names, loud, window, at)
    MonitorReading.objects.filter(pk__in=[r.pk for _, r in new]).update(alert=alert)
    look_again(Topic.PROJECT.of(project.pk), News.ALERT, alert.pk)
    return alert


def _seen_again(alert: Alert, detail: str, names: list[str], loud: bool, window: dict[str, Any], at: datetime) -> None:
    alert.last_seen_at, alert.detail, alert.parts = at, detail[:400], parts_of(detail)
    alert.times_seen += 1
    alert.monitors = list(dict.fromkeys([*alert.monitors, *names]))
    worse = loud and alert.severity != Severity.ALARMS
    alert.severity = Severity.ALARMS if loud or alert.severity == Severity.ALARMS else Severity.WARNS
    alert.check_row, alert.since, alert.until = None, window["since"], window["until"]
    alert.save()
    if worse:
        event_record(
            project_id=alert.project_id,
            verb=Verb.ALERT_WORSENED,
            subject=f"alert {alert.pk}",
            by=None,
            at=at,
            sentence=sentence("{title}: it is an alarm by now. {detail}", title=term(alert.title), detail=detail),
            after={"severity": str(alert.severity), "cause": alert.kind},
        )


def _opened(
    project: Project,
    cause: MonitorCause,
    detail: str,
    names: list[str],
    loud: bool,
    window: dict[str, Any],
    at: datetime,
) -> Alert:
    alert = Alert.objects.create(
        project=project,
        kind=cause,
        title=str(cause.words),
        detail=detail[:400],
        parts=parts_of(detail),
        opened_at=at,
        last_seen_at=at,
        severity=Severity.ALARMS if loud else Severity.WARNS,
        monitors=names,
        **window,
    )
    event_record(
        project_id=project.pk,
        verb=Verb.ALERT_RAISED,
        subject=f"alert {alert.pk}",
        by=None,
        at=at,
        sentence=sentence("{title}: {detail}", title=cause.words, detail=detail),
        after={"severity": str(alert.severity), "cause": str(cause)},
    )
    return alert
