"""Forget what is older than its project keeps it: whole days where nobody keeps them longer, else row by row."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models

from apps.monitoring.log.partitions import partitions_ahead, partitions_drop
from apps.monitoring.log.rollups import minutes_forget
from apps.monitoring.log.services import positions_forget
from apps.monitoring.models import AskedPayload, Feedback, FeedbackLetter, FeedbackSettings, Prediction, WindowVectors
from apps.projects.models import Project
from apps.work.alone import alone

LETTERS_FOR, MOST_LETTERS = timedelta(days=30), 10_000
FORGOTTEN_AT_ONCE, MOST_ROUNDS = 10_000, 20  # rows a statement, statements a sweep


def log_forget(*, at: datetime) -> None:
    """What was asked and its vectors, answers, feedback; minutes of roll-ups; letters that nobody reads any more. Makes the days
    to come."""
    with alone("the days of the log"):
        partitions_ahead(at=at)
        _days_forget(at)
    for settings in FeedbackSettings.objects.filter(project__deleting_since=None).select_related("project"):
        with alone("the log", settings.project):
            _forget(settings, at)
    minutes_forget(at=at)
    positions_forget(at=at)
    _delete_older(FeedbackLetter.objects.filter(at__lt=at - LETTERS_FOR))
    for project_id, n in FeedbackLetter.objects.order_by().values_list("project_id").annotate(n=models.Count("pk")):
        if n > MOST_LETTERS:
            newest = FeedbackLetter.objects.filter(project=project_id)
            oldest = newest.values_list("pk", flat=True)[MOST_LETTERS]
            _delete_older(newest.filter(pk__lte=oldest))


def _days_forget(at: datetime) -> None:
    """Days that no project keeps. Where one has set nothing it keeps its answers, and no day goes with rows in it."""
    kept = list(FeedbackSettings.objects.values_list("payload_days", "log_days"))
    all_say = len(kept) == Project.objects.count() and all(days is not None for _, days in kept)
    longest = max((days for _, days in kept if days is not None), default=0) if all_say else None
    asked = max((min(days, log or days) for days, log in kept), default=None)
    for table, days in ((Prediction, longest), (AskedPayload, asked)):
        before = at - timedelta(days=days) if days else None
        partitions_drop(table=table._meta.db_table, before=before, at=at)


def _forget(settings: FeedbackSettings, at: datetime) -> None:
    payloads = at - timedelta(days=settings.payload_days)
    if settings.log_days is not None:
        before = at - timedelta(days=settings.log_days)
        payloads = max(payloads, before)
        _delete_before(Prediction, settings.project_id, before)
        _delete_older(Feedback.objects.filter(answered_at__lt=before, project=settings.project_id))
    _delete_before(AskedPayload, settings.project_id, payloads)
    _delete_older(WindowVectors.objects.filter(project=settings.project_id, since__lt=payloads))


def _delete_before(table: type[models.Model], project_id: int, before: datetime) -> None:
    """Of a partitioned table: the oldest rows first, by their moments, so that each statement reads the days that it empties."""
    name, rows = table._meta.db_table, {"project": project_id, "before": before}
    for _ in range(MOST_ROUNDS):
        oldest = table._default_manager.filter(project=project_id, at__lt=before).order_by("at")
        first = oldest.values_list("at", flat=True).first()
        if first is None:
            return
        last = oldest.filter(at__gte=first).values_list("at", flat=True)[FORGOTTEN_AT_ONCE : FORGOTTEN_AT_ONCE + 1]
        part = {**rows, "first": first, "last": next(iter(last), before)}
        with connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {name} WHERE project_id = %(project)s AND at >= %(first)s AND at <= %(last)s "
                "AND at < %(before)s",
                part,
            )


def _delete_older(rows: "models.QuerySet[Any]") -> None:
    """In parts, so that no statement holds the table for long; what is left waits for the next sweep."""
    for _ in range(MOST_ROUNDS):
        part = list(rows.order_by("pk").values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])
        if not part:
            return
        rows.model.objects.filter(pk__in=part).delete()
