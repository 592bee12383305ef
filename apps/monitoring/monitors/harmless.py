"""Drift that labels found harmless is known: it spends no second alarm of the budget while nothing else moves.

Inputs that moved once stay moved until a model learns from them, and each window would alarm again.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db.models import QuerySet

from apps.monitoring.models import Alert, AlertVerdict, MonitorReading
from apps.monitoring.monitors.recording import Found, words_kept
from apps.projects.models import Project
from apps.rules.monitors import MonitorCause, MonitorPolicy
from apps.rules.monitors.policy import MONTH
from apps.rules.sentences import cut, joined, parts_of, sentence
from apps.rules.words import count


def known_for(budget: float) -> timedelta:
    """As long as the budget allows one false alarm for, whole days; a year at most. `budget` is in alarms a month."""
    return timedelta(days=min(max(round(MONTH / timedelta(days=1) / budget), 1), 365))


def still_news(
    project: Project, cause: MonitorCause, found: Sequence[Found], *, model: int, policy: MonitorPolicy, at: datetime
) -> list[Found]:
    """Without the readings in which nothing moved but what alarms about this model, that were judged false, had seen. Losses are
    never known; the reading says which alarm holds it back."""
    if cause is MonitorCause.LOSS:
        return list(found)
    length = known_for(policy.budget)
    false = judged_false(project, cause, length, at)
    seen: dict[str, dict[str, int]] = {}
    for reading in MonitorReading.objects.filter(alert__in=false, model_number=model).order_by("alert_id"):
        seen.setdefault(reading.monitor, {}).update(dict.fromkeys(_moved(reading), reading.alert_id or 0))
    news = []
    for settings, reading in found:
        moved, known = _moved(reading), seen.get(reading.monitor, {})
        if moved and moved <= known.keys():
            words = joined([held_back(max(known[name] for name in moved), length), _words(reading)])
            reading.sentence, reading.parts = cut(words, 400), parts_of(words)
            reading.save(update_fields=["sentence", "parts"])
        else:
            news.append((settings, reading))
    return news


def _moved(reading: MonitorReading) -> set[str]:
    return {str(each["name"]) for each in reading.features if each.get("drifted")}


def _words(reading: MonitorReading) -> str:
    return words_kept(reading.sentence, reading.parts)


def known_by(project: Project, cause: str, moved: Collection[str], *, model: int, at: datetime) -> int:
    """Of a drift check, where no policy states a budget: the alarm that saw all of this, about this model; 0 for none."""
    for alert in judged_false(project, cause, MONTH, at).filter(check_row__model_number=model).order_by("-pk"):
        if set(moved) <= set(alert.monitors):
            return int(alert.pk)
    return 0


def judged_false(project: Project, cause: str, length: timedelta, at: datetime) -> "QuerySet[Alert]":
    """Alarms of this cause that are over and were found false lately."""
    return Alert.objects.filter(
        project=project, kind=cause, verdict=AlertVerdict.FALSE, judged_at__gt=at - length, resolved_at__lte=at
    )


def held_back(alert_number: int, length: timedelta) -> str:
    return sentence(
        "Alarm {number} found that harmless: for {days} it alarms again only where something else moves.",
        number=alert_number,
        days=count(length.days, "day"),
    )
