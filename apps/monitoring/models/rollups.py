"""How many answers, how sure and how fast, by minute, quarter and hour: what pages read instead of the log."""

from datetime import UTC, datetime, timedelta

from django.db import models

from apps.projects.models import Project


class RollupWidth(models.IntegerChoices):
    """In minutes."""

    MINUTE = 1
    QUARTER = 15
    HOUR = 60

    @property
    def span(self) -> timedelta:
        return timedelta(minutes=int(self))

    def begins(self, at: datetime) -> datetime:
        """When the one that holds this moment does."""
        minute = at.astimezone(UTC).replace(second=0, microsecond=0)
        return minute.replace(minute=minute.minute - minute.minute % int(self))


class Rollup(models.Model):
    """`at` is when the minute, quarter or hour begins. Written with the rows of the log that it counts.

    Each width lies in a partition of its own: a week of hours is not looked for among a month of minutes.
    """

    width = models.PositiveSmallIntegerField(choices=RollupWidth.choices)
    at = models.DateTimeField()
    arm = models.CharField(max_length=8)
    model_number = models.PositiveIntegerField()
    failed = models.BooleanField()
    answers = models.BigIntegerField()

    class Meta:
        abstract = True


class AnswerRollup(Rollup):
    """Of one label. `confidence` is the sum of it."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="answer_rollups", db_index=False)
    label = models.CharField(max_length=80)
    confidence = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "width", "at", "arm", "model_number", "label", "failed"],
                name="monitoring_answer_rollup_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.answers} of {self.label} at {self.at}"


class LatencyRollup(Rollup):
    """Of one bin of latencies; apps/rules/latencies.py."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="latency_rollups", db_index=False)
    place = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "width", "at", "arm", "model_number", "place", "failed"],
                name="monitoring_latency_rollup_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.answers} of bin {self.place} at {self.at}"
