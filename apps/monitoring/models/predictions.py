"""What the champion answered, whether it drifts, and the alerts people close with a note."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy

from apps.projects.models import Project
from apps.rules.monitors import Severity
from apps.rules.rollouts.arms import Arm


class PredictionQuerySet(models.QuerySet["Prediction"]):
    def shown(self) -> Self:
        """What users got: neither what a shadow said nor what failed."""
        return self.filter(failed=False).exclude(arm=Arm.SHADOW)


class Prediction(models.Model):
    """One item that a model was asked about. Written in batches, off the request's path.

    `rollout` is the number of the one that was under way, `entity` a hash of who asked. A failed one has no label. `agreed` says of
    a shadow's answer whether it was the champion's. `item` counts the rows of one request from 0. `margin` is the first
    probability minus the second; None for rows of before. Of such answers the log keeps `share`: a row stands for 1 / share.

    The table is partitioned by day of `at` (apps/monitoring/log/partitions.py): who asks by a stretch of time reads its days alone.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="predictions", db_index=False)
    inference_id = models.CharField(max_length=100)
    item = models.PositiveSmallIntegerField(default=0, db_default=0)
    at = models.DateTimeField()
    model_number = models.PositiveIntegerField()
    label = models.CharField(max_length=80)
    confidence = models.FloatField()
    latency_ms = models.FloatField()
    arm = models.CharField(
        max_length=8, choices=[(str(arm), str(arm)) for arm in Arm], default="champion", db_default="champion"
    )
    rollout = models.BigIntegerField(null=True)
    entity = models.BigIntegerField(null=True)
    failed = models.BooleanField(default=False, db_default=False)
    agreed = models.BooleanField(null=True)
    margin = models.FloatField(null=True)
    share = models.FloatField(default=1.0, db_default=1.0)

    objects = PredictionQuerySet.as_manager()
    partitioned_by = ["at"]

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["project", "at"], name="monitoring_prediction_time"),
            models.Index(
                fields=["rollout", "at"],
                condition=models.Q(rollout__isnull=False),
                name="monitoring_prediction_rollout",
            ),
            models.Index(fields=["project", "inference_id"], name="monitoring_prediction_named"),
        ]

    def __str__(self) -> str:
        return f"{self.label} ({self.confidence:.2f})"


class AskedPayload(models.Model):
    """What a logged request asked about, one row of it, where the project keeps that: by it the request can become an example.

    Partitioned by day, too.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="asked_payloads", db_index=False)
    inference_id = models.CharField(max_length=100)
    item = models.PositiveSmallIntegerField(default=0)
    at = models.DateTimeField()
    row = models.JSONField(default=dict)  # columns as a file would have them
    image = models.BinaryField(null=True)
    share = models.FloatField(default=1.0, db_default=1.0)  # of such answers that the log keeps

    partitioned_by = ["at"]

    class Meta:
        indexes = [
            models.Index(fields=["project", "inference_id", "item"], name="monitoring_payload_named"),
            models.Index(fields=["project", "at"], name="monitoring_payload_time"),
        ]

    def __str__(self) -> str:
        return f"{self.inference_id}, row {self.item}"


class DriftCheck(models.Model):
    """One comparison of the served window with the champion's holdout."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="drift_checks")
    at = models.DateTimeField()
    model_number = models.PositiveIntegerField()
    window = models.PositiveIntegerField()  # answers compared
    since = models.DateTimeField(null=True)  # they came after this moment; None for checks of release 0.1
    outcome = models.CharField(max_length=10)  # none | drift | too-few
    statistics = models.JSONField()  # [{"feature", "statistic", "threshold", "drifted", "reason", "shares"}]
    sentence = models.CharField(max_length=400)
    parts = models.JSONField(default=dict)  # of the sentence; apps/rules/sentences.py

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.sentence


class AlertVerdict(models.TextChoices):
    """What labels and feedback of the time after an alarm said of it; empty while they are not there yet."""

    TRUE = "true", gettext_lazy("True")
    FALSE = "false", gettext_lazy("False")
    UNDECIDED = "undecided", gettext_lazy("Undecided")


class Alert(models.Model):
    """Open until somebody resolves it with a note. One open alert a kind and project.

    `kind` is the cause that its monitors have in common, `monitors` are their names. `verdict` is what came of it.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="alerts")
    kind = models.CharField(max_length=20)
    title = models.CharField(max_length=120)
    detail = models.CharField(max_length=400)
    parts = models.JSONField(default=dict)  # of the detail
    opened_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    times_seen = models.PositiveIntegerField(default=1)
    check_row = models.ForeignKey(DriftCheck, null=True, on_delete=models.SET_NULL, related_name="+")
    severity = models.CharField(
        max_length=8, choices=[(str(each), str(each)) for each in Severity], default="warns", db_default="warns"
    )
    monitors = models.JSONField(default=list, db_default=[])
    since = models.DateTimeField(null=True)  # the window of the monitors; a drift check has its own
    until = models.DateTimeField(null=True)
    verdict = models.CharField(max_length=10, choices=AlertVerdict.choices, blank=True, db_default="")
    verdict_words = models.CharField(max_length=400, blank=True, db_default="")
    verdict_parts = models.JSONField(default=dict, db_default={})
    judged_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    note = models.CharField(max_length=400, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "kind"], condition=models.Q(resolved_at=None), name="monitoring_one_open_alert"
            )
        ]

    @property
    def window_since(self) -> datetime | None:
        return self.check_row.since if self.check_row else self.since

    @property
    def window_until(self) -> datetime | None:
        return self.check_row.at if self.check_row else self.until

    @property
    def open_s(self) -> float | None:
        return (self.resolved_at - self.opened_at).total_seconds() if self.resolved_at else None

    def __str__(self) -> str:
        return self.title
