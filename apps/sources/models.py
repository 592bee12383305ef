"""Sources of events, how far each partition is taken, what could not be taken, and figures per minute."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy

from apps.datasets.models import Ingestion
from apps.projects.models import Project
from apps.rules.values import MOST_ID
from apps.work.leases import Leased


class SourceState(models.TextChoices):
    """running <-> paused; running -> failed, by the console and with a reason; failed -> running, by a person."""

    RUNNING = "running", gettext_lazy("Running")
    PAUSED = "paused", gettext_lazy("Paused")
    FAILED = "failed", gettext_lazy("Stopped")


class Source(models.Model):
    """A stream that the console reads. It acts with the rights of `by`, who must keep them.

    `mapping` has, by name of ours, the path in an event; empty where events use our names. `shape` is what the mapped paths
    hold, learned from events that fitted: when many in a row do not, the source stops instead of refusing them all.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="sources")
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=40)  # of apps/sources/kinds
    place = models.JSONField(default=dict)  # as the kind asks for it: stream
    events = models.CharField(max_length=20)  # of apps/sources/events
    mapping = models.JSONField(default=dict)
    shape = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=SourceState.choices, default=SourceState.RUNNING)
    state_since = models.DateTimeField()
    reason = models.CharField(max_length=400, blank=True)  # why the console stopped it
    reason_parts = models.JSONField(default=dict)
    note = models.CharField(max_length=300, blank=True)  # what is wrong now and may pass: the broker is away
    note_parts = models.JSONField(default=dict)
    retry_at = models.DateTimeField(null=True)  # before then the broker is not asked again
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="sources_named_once")]

    def __str__(self) -> str:
        return self.name


class SourcePartition(Leased):
    """One ordered part of a source, read by one worker at a time.

    `position` stands after the last event whose rows are committed, and is written in their transaction.
    """

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="partitions")
    name = models.CharField(max_length=200)
    position = models.CharField(max_length=60, blank=True)  # as the kind writes it; empty: the beginning
    read_at = models.DateTimeField(null=True)  # when an event was last taken
    looked_at = models.DateTimeField(null=True)
    behind = models.PositiveIntegerField(default=0)  # events, as of `looked_at`
    behind_s = models.FloatField(default=0.0)  # age of the oldest event that waits
    waits_from = models.CharField(max_length=60, blank=True)  # the oldest event that waited at the last look
    end_seen = models.CharField(max_length=60, blank=True)  # the newest position, where it stands before ours
    misfits = models.PositiveSmallIntegerField(
        default=0
    )  # the newest events in a row that are not of the learned shape
    ingestion = models.ForeignKey(Ingestion, null=True, on_delete=models.SET_NULL, related_name="+")  # of this hour

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["source", "name"], name="sources_partition_once")]

    def __str__(self) -> str:
        return f"{self.name} of {self.source}"


class SourceLetter(models.Model):
    """An event that could not be taken, or waits for the example that it speaks of (`next_try_at`)."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="letters")
    partition = models.ForeignKey(SourcePartition, on_delete=models.CASCADE, related_name="letters")
    offset = models.CharField(max_length=60)
    external_id = models.CharField(max_length=MOST_ID, blank=True)  # of the example that it speaks of
    reason = models.CharField(max_length=300)
    parts = models.JSONField(default=dict)
    raw = models.TextField()  # the beginning of what came
    row = models.JSONField(null=True)  # of one that waits: what is tried again
    at = models.DateTimeField()
    next_try_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["partition", "offset"], name="sources_letter_once")]
        indexes = [
            models.Index(
                fields=["partition", "next_try_at"],
                condition=models.Q(next_try_at__isnull=False),
                name="sources_letter_waits",
            ),
            models.Index(fields=["source", "external_id"], name="sources_letter_speaks_of"),
        ]

    def __str__(self) -> str:
        return f"{self.offset}: {self.reason}"


class SourceMinute(models.Model):
    """What became of the events of one minute, and how far the source was behind at worst."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="minutes")
    minute = models.DateTimeField()
    taken = models.PositiveIntegerField(default=0)
    known = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    waiting = models.PositiveIntegerField(default=0)
    behind = models.PositiveIntegerField(default=0)
    behind_s = models.FloatField(default=0.0)

    class Meta:
        ordering = ["minute"]
        constraints = [models.UniqueConstraint(fields=["source", "minute"], name="sources_minute_once")]

    def __str__(self) -> str:
        return f"{self.minute} of {self.source}"
